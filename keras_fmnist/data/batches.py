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
    """Batches of scaled images and their targets; the last batch may be smaller.

    The images stay uint8 in memory, a quarter of float32, and are scaled batch by batch. On torch
    they are on the device, and batches are gathered there.

    Args:
        images: `(n, 28, 28, 1)` uint8.
        labels: `(n,)` integers, or None if the target is the image itself.
        batch_size: images a batch.
        pixel_min: the value of a black pixel, 0 or -1; a white one is 1.
        seed: for `shuffle`; None keeps the order.

    Attributes:
        steps: batches in a full epoch.
        taken: how many batches to skip at its beginning, to resume an interrupted epoch.
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
        """Puts the images into the order of an epoch, which follows from (seed, epoch)."""
        self.order = _place(permutation(self.seed, epoch, len(self.images)))


def _place(array):
    """Moves an array to where batches are gathered: the device on torch, else numpy."""
    if keras.backend.backend() != "torch":
        return array
    # A copy, because the arrays of the data set are read-only, which torch does not support.
    return keras.ops.convert_to_tensor(array.copy())
