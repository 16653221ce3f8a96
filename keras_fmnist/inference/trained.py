"""A net with the weights of a run, found by the record of that run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist.data.batches import EVALUATION_BATCH, Batches
from keras_fmnist.data.pixels import unscale_pixels
from keras_fmnist.models import networks, weights
from keras_fmnist.records.groups import find_seed, group_by_experiment
from keras_fmnist.records.record import Record, read_records
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import IMAGE_SIZE, AutoencoderSpec, ClassifierSpec, restored

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Trained:
    """A net, its spec and the record of the run that trained it.

    Images are `(n, 28, 28, 1)` uint8, as in the data set, and go through in evaluation mode; others
    are a ValueError.
    """

    spec: AutoencoderSpec | ClassifierSpec
    record: Record
    model: "keras.Model"

    def logits(self, images: np.ndarray) -> np.ndarray:
        """What a classifier says of images: `(n, 10)`."""
        return self._predict(self.model, images)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Softmax of the logits, as the loss takes it: `(n, 10)`."""
        logits = self.logits(images)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """What the net makes of images.

        Returns:
            Of a classifier the classes, `(n,)`, each an index into `data.CLASS_NAMES`; of an
            autoencoder the reconstructions, `(n, 28, 28, 1)` float32, 0 black, 1 white.
        """
        if self.spec.is_classifier:
            return self.logits(images).argmax(axis=1)
        return self.decode(self.encode(images))

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Codes of images, flat: `(n, numbers)` float32."""
        return self._predict(self.model.get_layer("encoder"), images).reshape(len(images), -1)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Images of codes as `encode` gives them: `(n, 28, 28, 1)` float32, 0 black, 1 white."""
        decoder = self.model.get_layer("decoder")
        rebuilt = decoder.predict(codes.reshape(-1, *decoder.input_shape[1:]), verbose=0)
        return unscale_pixels(rebuilt, self.spec.pixel_min)

    def _predict(self, model, images):
        wanted = (IMAGE_SIZE, IMAGE_SIZE, 1)
        if images.dtype != np.uint8 or images.shape[1:] != wanted:
            raise ValueError(
                f"images must be (n, 28, 28, 1) uint8, 0 for background, not {images.shape} "
                f"{images.dtype}"
            )
        batches = Batches(images, None, EVALUATION_BATCH, self.spec.pixel_min)
        return model.predict(batches, verbose=0)


def find_all(out: Path | str, seed: int = 0) -> dict[str, Record]:
    """`{experiment's id: record}` of the runs under `out` whose weights are there too."""

    def usable(record):
        return record.files(out).weights.exists()

    found = group_by_experiment(read_records(out))
    runs = {name: find_seed(group, seed, usable) for name, group in found.items()}
    return {name: run for name, run in runs.items() if run}


def find(out: Path | str, experiment_id: str, seed: int = 0) -> Record:
    """The record of an experiment's run under `out` whose weights are there too.

    Of several backends and devices it is the one that stands for the experiment in every table.

    Raises:
        SpecError: there is none.
    """
    record = find_all(out, seed).get(experiment_id)
    if record is None:
        report, name = experiment_id.split("/")
        raise SpecError(
            f"{out} holds no weights of {experiment_id}, seed {seed}: train it with "
            f"python -m experiments.{report} {name} --seed {seed} --out {out}"
        )
    return record


def load(out: Path | str, record: Record, declared: AutoencoderSpec | ClassifierSpec) -> Trained:
    """The net of a run with its weights.

    Args:
        out: the folder that holds its record.
        record: as `find` gives it.
        declared: the spec of the experiment; settings that the run had changed are taken over.

    Raises:
        WeightsError: the weights are not those that the record names.
    """
    spec = restored(declared, record.spec)
    model = networks.build(spec)
    path = record.files(out).weights
    weights.set_arrays(model, weights.load(path, record.weights_sha256["final"]))
    return Trained(spec, record, model)
