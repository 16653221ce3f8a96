"""The one call of the training function in the tests."""

from pathlib import Path

from keras_fmnist.data import Dataset
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec
from keras_fmnist.training import train


def train_spec(
    spec: Spec,
    seed: int,
    out: Path,
    *,
    examples: int | None = None,
    dataset: Dataset | None = None,
    **options,
) -> Record:
    """Trains a spec on this process's backend and device; `options` go to the run as they are."""
    return train.run(spec, seed, out, examples=examples, dataset=dataset, **options)
