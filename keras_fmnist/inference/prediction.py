"""What the nets make of a picture: its class, its reconstruction, the images nearest to it."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.neighbors import NearestNeighbors

from keras_fmnist.data import CLASS_NAMES, Dataset
from keras_fmnist.inference.photos import Photo
from keras_fmnist.models import weights
from keras_fmnist.specs import settings

if TYPE_CHECKING:
    from keras_fmnist.inference.trained import Trained

NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class Prediction:
    """One picture and what the nets make of it.

    Attributes:
        photo: the picture.
        probabilities: `(10,)`, in the order of `CLASS_NAMES`.
        rebuilt: `(28, 28)` in [0, 1], by the autoencoder.
        neighbours: `(5, 28, 28)` uint8, the training images with the nearest codes, nearest first.
        labels: `(5,)`, their classes.
    """

    photo: Photo
    probabilities: np.ndarray
    rebuilt: np.ndarray
    neighbours: np.ndarray
    labels: np.ndarray

    def lines(self) -> Iterator[str]:
        """The picture, its classes, likeliest first, and those of its neighbours, as text."""
        yield f"{self.photo.name}: {', '.join(self.photo.steps)}"
        for label in np.argsort(-self.probabilities, kind="stable"):
            yield f"  {self.probabilities[label]:7.2%}  {CLASS_NAMES[label]}"
        yield f"  nearest in the latent space: {', '.join(CLASS_NAMES[k] for k in self.labels)}"


def from_test_set(row: int, dataset: Dataset) -> Photo:
    """A test image as a picture that needs nothing done."""
    image, label = dataset.test_images[row], dataset.test_labels[row]
    return Photo(f"test image {row}", image[..., 0], image, (f"in truth {CLASS_NAMES[label]}",))


def predict(
    classifier: "Trained",
    autoencoder: "Trained",
    photos: Sequence[Photo],
    dataset: Dataset,
    folder: Path,
) -> list[Prediction]:
    """What a classifier and an autoencoder, both `trained.Trained`, make of pictures.

    Args:
        classifier: gives the probabilities.
        autoencoder: gives the reconstructions and the codes that are compared.
        photos: what `photos.read` and `from_test_set` give.
        dataset: whose training images are looked through.
        folder: keeps their codes for the next time.
    """
    images = np.stack([photo.pixels for photo in photos])
    codes = autoencoder.encode(images)
    known = training_codes(autoencoder, dataset, folder)
    nearest = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(known)
    rows = nearest.kneighbors(codes, return_distance=False)
    return [
        Prediction(*given)
        for given in zip(
            photos,
            classifier.probabilities(images),
            autoencoder.decode(codes)[..., 0],
            dataset.train_images[rows][..., 0],
            dataset.train_labels[rows],
            strict=True,
        )
    ]


def training_codes(autoencoder: "Trained", dataset: Dataset, folder: Path) -> np.ndarray:
    """The codes of all training images, computed once for each encoder and data set.

    The first time takes about ten seconds on one core for mansilla's nets, a minute for wide.

    Args:
        autoencoder: a `trained.Trained`.
        dataset: a `data.Dataset`.
        folder: keeps them as `codes-….safetensors`, 15 MB for 64 numbers an image.
    """
    encoder = autoencoder.record.weights_sha256["encoder_final"]
    key = json.dumps([encoder, settings(autoencoder.spec), dataset.sha256], sort_keys=True)
    path = folder / f"codes-{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    wanted = {"codes": (len(dataset.train_images), autoencoder.spec.code_size)}
    try:
        arrays = weights.load(path)
        weights.check(arrays, wanted, path)
    except (OSError, weights.WeightsError):  # not there yet, or damaged
        arrays = {"codes": autoencoder.encode(dataset.train_images)}
        with contextlib.suppress(OSError):  # a folder that cannot be written costs time alone
            weights.save(path, arrays)
    return arrays["codes"]
