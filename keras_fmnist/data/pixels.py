"""Pixels: bytes from 0 to 255 in the data set, float32 from 0 or -1 to 1 in a net."""

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Pixels = TypeVar("Pixels", np.ndarray, "torch.Tensor")


def scale_pixels(pixels: Pixels, pixel_min: float = 0.0) -> Pixels:
    """Bytes to float32 from `pixel_min` to 1; numpy arrays and torch tensors of any shape."""
    pixels = pixels.astype(np.float32) if isinstance(pixels, np.ndarray) else pixels.float()
    pixels = pixels / 255
    return pixels if pixel_min == 0 else pixels * (1 - pixel_min) + pixel_min


def unscale_pixels(pixels: np.ndarray, pixel_min: float) -> np.ndarray:
    """A net's pixels, from `pixel_min` to 1, as numbers from 0 to 1."""
    return (pixels - pixel_min) / (1 - pixel_min)
