"""Batches of images for `fit` and `evaluate`."""

import math
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.seeds import permutation

if TYPE_CHECKING:
    import torch

    Array = np.ndarray | torch.Tensor  # torch where that is the backend

EVALUATION_BATCH = 1000  # images; larger ones are not faster and cost memory


class Batches(keras.utils.PyDataset):
    """Batches of images and targets, the last one as small as it comes; pixels scaled.

    The images stay uint8 in memory, a quarter of float32, and are scaled a batch at a time. On
    torch they lie on the device, and batches are gathered there.

    Args:
        images: `(n, 28, 28, 1)` uint8.
        labels: `(n,)` integers, or None where an image is its own target.
        batch_size: images a batch.
        pixel_min: what a black pixel becomes, 0 or -1; a white one becomes 1.
        seed: shuffles by (seed, epoch) where given; `SeedEachEpoch` says which epoch it is.

    Attributes:
        steps: batches of a whole epoch.
        taken: how many of them are left out, at its beginning: an interrupted epoch goes on there.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | None,
        batch_size: int,
        pixel_min: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.batch_size, self.pixel_min, self.seed = batch_size, pixel_min, seed
        self.images = _place(images)
        self.labels = None if labels is None else _place(labels.astype(np.int32))
        self.order = _place(np.arange(len(images)))
        self.steps = math.ceil(len(images) / batch_size)
        self.taken = 0

    def __len__(self) -> int:
        return self.steps - self.taken

    def __getitem__(self, index: int) -> "tuple[Array, Array]":
        first = (self.taken + index) * self.batch_size
        rows = self.order[first : first + self.batch_size]
        images = scale_pixels(self.images[rows], self.pixel_min)
        return images, images if self.labels is None else self.labels[rows]

    def shuffle(self, epoch: int) -> None:
        """Puts the images into the order of an epoch."""
        self.order = _place(permutation(self.seed, epoch, len(self.images)))


def _place(array):
    """An array where batches are gathered from it: on torch the device, elsewhere numpy."""
    if keras.backend.backend() != "torch":
        return array
    # A copy, because the data set's own arrays are read-only and torch knows no such thing.
    return keras.ops.convert_to_tensor(array.copy())
