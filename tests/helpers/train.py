"""The one call of the training function in the tests."""

from pathlib import Path

from keras_fmnist.data import Dataset
from keras_fmnist.models import weights
from keras_fmnist.records.record import Record
from keras_fmnist.specs import TRAIN_IMAGES, Spec
from keras_fmnist.training.train import Options, train_run
from tests.helpers.runs import make_run


def train_spec(
    spec: Spec,
    seed: int,
    out: Path,
    *,
    examples: int | None = None,
    dataset: Dataset | None = None,
    **options,
) -> Record:
    """Trains a spec on this process's backend and device; `options` are those of `Options`."""
    if examples is None:
        examples = len(dataset.train_images) if dataset else TRAIN_IMAGES
    run = make_run(spec, seed, examples=examples)
    return train_run(run, out, Options(**options), dataset)


def load_weights(out: Path, record: Record) -> weights.Arrays:
    """What a run has trained."""
    return weights.load(record.files(out).weights, record.weights_sha256["final"])
