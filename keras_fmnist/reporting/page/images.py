"""Images of a record as PNG data URIs: dark garments on light, as in the printed figures."""

import base64
import io

import numpy as np
from PIL import Image

from keras_fmnist.records.images import unpack_images

GAP = 1  # light pixels between the images of a strip


def split_images(packed: str) -> list[str]:
    """Each image of what `pack_images` made, as a data URI of its own."""
    return [_data_uri(255 - image) for image in unpack_images(packed)]


def join_images(packed: str) -> str:
    """All of them side by side, as one data URI."""
    images = 255 - unpack_images(packed)
    spaced = np.pad(images, ((0, 0), (0, 0), (GAP, GAP)), constant_values=255)
    return _data_uri(np.concatenate(list(spaced), axis=1))


def measure_difference(images: dict) -> float:
    """Mean squared error of a record's ten reconstructions, on pixels from 0 to 255.

    Unlike the loss it does not depend on the range of pixels that a net was trained on.
    """
    originals, rebuilt = (
        unpack_images(images[key]).astype(float) for key in ("originals", "reconstructions")
    )
    return float(np.square(originals - rebuilt).mean())


def _data_uri(pixels):
    buffer = io.BytesIO()
    # Stored and not packed, for packers differ in their bytes; noise would shrink by a fifth.
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=0)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
