"""Scales pixels: bytes in the data set, float32 from 0 or -1 to 1 in a net."""

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Pixels = TypeVar("Pixels", np.ndarray, "torch.Tensor")


def scale_pixels(pixels: Pixels, pixel_min: float = 0.0) -> Pixels:
    """Scales bytes to float32 from `pixel_min` (black) to 1 (white).

    Args:
        pixels: numpy array or torch tensor of any shape, from 0 to 255.
        pixel_min: 0 or -1.
    """
    pixels = pixels.astype(np.float32) if isinstance(pixels, np.ndarray) else pixels.float()
    pixels = pixels / 255
    return pixels if pixel_min == 0 else pixels * (1 - pixel_min) + pixel_min


def unscale_pixels(pixels: np.ndarray, pixel_min: float) -> np.ndarray:
    """Scales the pixels of a net, from `pixel_min` to 1, to the range from 0 to 1."""
    return (pixels - pixel_min) / (1 - pixel_min)
