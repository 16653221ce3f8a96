"""Converts images of a record to PNG data URIs, dark on light, as in the figures."""

import base64
import io

import numpy as np
from PIL import Image

from keras_fmnist.records.images import unpack_images

GAP = 1  # light pixels between the images of a strip


def split_images(packed: str) -> list[str]:
    """Converts each image in what `pack_images` returned to a data URI."""
    return [_data_uri(255 - image) for image in unpack_images(packed)]


def join_images(packed: str) -> str:
    """Converts all images side by side to one data URI."""
    images = 255 - unpack_images(packed)
    spaced = np.pad(images, ((0, 0), (0, 0), (GAP, GAP)), constant_values=255)
    return _data_uri(np.concatenate(list(spaced), axis=1))


def measure_difference(images: dict) -> float:
    """Measures the mean squared error of ten reconstructions, on pixels from 0 to 255.

    Unlike the loss, it does not depend on the range of pixels of the net.
    """
    originals, rebuilt = (
        unpack_images(images[key]).astype(float) for key in ("originals", "reconstructions")
    )
    return float(np.square(originals - rebuilt).mean())


def _data_uri(pixels):
    buffer = io.BytesIO()
    # Not compressed, because compressors give different bytes and would save only a fifth.
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=0)
    return embed_png(buffer.getvalue())


def embed_png(content: bytes) -> str:
    """Returns the bytes of a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(content).decode()
