"""Random crops by indices, where Keras slices at numbers that a step computes."""

import contextlib
import functools
from collections.abc import Iterator

import keras
import torch


@contextlib.contextmanager
def by_index(model: keras.Model) -> Iterator[None]:
    """While it lasts, the `RandomCrop` layers of a model gather their rows and columns.

    Python can not slice at a number that is computed anew at every step. The pixels are the same.

    Args:
        model: a `keras.Model`.
    """
    mine = [layer for layer in model._flatten_layers() if type(layer) is keras.layers.RandomCrop]
    for layer in mine:
        # Not by assignment, which Keras would look into for variables to track.
        vars(layer)["transform_images"] = functools.partial(_crop, layer)
    try:
        yield
    finally:
        for layer in mine:
            del vars(layer)["transform_images"]


def _crop(layer, images, transformation, training=True):
    """What stands for the `transform_images` of one layer."""
    starts = dict(zip((layer.height_axis, layer.width_axis), transformation, strict=True))
    if not (training and all(isinstance(start, torch.Tensor) for start in starts.values())):
        return type(layer).transform_images(layer, images, transformation, training)
    images = keras.ops.cast(images, layer.compute_dtype)
    for (axis, start), length in zip(starts.items(), (layer.height, layer.width), strict=True):
        images = images.index_select(axis, start + torch.arange(length, device=images.device))
    return images
