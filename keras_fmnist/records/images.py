"""Images inside a record, as text."""

import base64

import numpy as np


def pack_images(images: np.ndarray) -> str:
    """Pixels in [0, 1], `(n, 28, 28, 1)`, as text for a record: eight bits a pixel."""
    pixels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode()


def unpack_images(text: str) -> np.ndarray:
    """`(n, 28, 28)` uint8 from what `pack_images` made."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)
