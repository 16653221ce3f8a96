"""Packs images into the text of a record, and unpacks them."""

import base64

import numpy as np


def pack_images(images: np.ndarray) -> str:
    """Packs `(n, 28, 28, 1)` pixels in [0, 1] as base64, eight bits a pixel."""
    pixels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode()


def unpack_images(text: str) -> np.ndarray:
    """Unpacks what `pack_images` returned to `(n, 28, 28)` uint8."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)
