"""A user's own picture in the data set's terms: 28×28, grey, a dark background.

The steps are those of the data set's makers (Xiao, Rasul and Vollgraf 2017, section 2): cut to the
object, the longer side to 28 pixels, the shorter one filled up, inverted where the object is darker
than its background. Their studio had even light; that of a photo is levelled before, and a frame
around it, bars beside it and transparent corners are taken off (see `backgrounds`). A picture may
come from a stranger: only formats are read for which Pillow runs no other program, as it does for
PostScript.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from keras_fmnist.inference.backgrounds import (
    SPECK,
    fill_corners,
    find_background,
    find_ground,
    take_frames_off,
)
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import IMAGE_SIZE

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "JPEG2000", "ICO")
WORKING = 560  # pixels a side: more add nothing to 28, and cost memory
NOISE = 200  # pixels a side for which the median over one more on each side is taken
INVERTED = "inverted, for it is darker than its background"
_ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held; 1 is upright


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture and what was made of it.

    Attributes:
        name: the file, as the user wrote it.
        original: `(height, width)` or `(height, width, 3)` uint8, upright; what was transparent
            is white, or black around a light object.
        pixels: `(28, 28, 1)` uint8, 0 is background.
        steps: what was done, in words and in order.
    """

    name: str
    original: np.ndarray
    pixels: np.ndarray
    steps: tuple[str, ...]


def read(path: Path | str) -> Photo:
    """Reads a picture and turns it into the data set's terms.

    Raises:
        SpecError: there is no such file, it is no picture that can be read, or there is nothing
            on it.
    """
    steps = []
    image = _open(path, steps)
    steps.append("grey")
    pixels = np.asarray(image.convert("L"))
    if image.size == (IMAGE_SIZE, IMAGE_SIZE):  # the data set's own images pass unchanged
        if find_background(pixels) > 127:
            steps.append(INVERTED)
            pixels = 255 - pixels
    else:
        whole, pixels = pixels.size, take_frames_off(pixels)
        if pixels.size < whole:
            steps.append(f"frame taken off, which leaves {pixels.size / whole:.0%}")
        ground = find_ground(pixels)
        if _is_darker(pixels, ground):
            steps.append(INVERTED)
            pixels, ground = 255 - pixels, 255 - ground
        if np.ptp(ground) > SPECK:
            steps.append("uneven light levelled")
        steps.append(f"cut to the object and fitted to {IMAGE_SIZE}×{IMAGE_SIZE}")
        range_above = np.maximum(255 - ground, 1)  # the edge itself may be white
        pixels = _fit(np.clip((pixels - ground) * (255 / range_above), 0, 255))
    if pixels.max() <= SPECK:
        raise SpecError(f"{path}: nothing on it stands out from its background")
    return Photo(str(path), np.asarray(image), pixels[..., None], tuple(steps))


def _open(path, steps):
    """The first frame as grey or RGB, upright, on white or black where it is transparent."""
    if os.path.isdir(path):
        raise SpecError(f"{path} is a folder: name a picture in it")
    if not os.path.exists(path):
        raise SpecError(f"{path} does not exist")
    if not os.path.isfile(path):  # a pipe would be waited for
        raise SpecError(f"{path} is no plain file")
    if os.path.getsize(path) == 0:
        raise SpecError(f"{path} is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd, but can be read, needs no second line
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                steps.append(f"{image.width}×{image.height} pixels")
                if image.getexif().get(_ORIENTATION, 1) != 1:
                    steps.append("turned upright")
                image = _opaque(ImageOps.exif_transpose(image), steps)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        most = Image.MAX_IMAGE_PIXELS // 1_000_000
        raise SpecError(f"{path} has more than {most} million pixels: make it smaller") from None
    except Image.UnidentifiedImageError:
        if _is_heic(path):
            raise SpecError(f"{path} is HEIC, as iPhones take it: save it as JPEG") from None
        raise SpecError(f"{path} is no picture in a format of {', '.join(FORMATS)}") from None
    except Exception as error:  # what a decoder raises depends on the format and on the damage
        raise SpecError(f"{path} is damaged or cannot be read ({error})") from None
    image.thumbnail((WORKING, WORKING))
    return image


def _is_heic(path):
    """Whether a file begins as HEIF does (ISO 23008-12), whatever its name."""
    with open(path, "rb") as file:
        return file.read(12)[4:] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc")


def _opaque(image, steps):
    if image.mode[0] in "IF":  # more than 8 bits a pixel, which Pillow would clip and not scale
        values = np.nan_to_num(np.asarray(image, np.float32))
        white = 65_535 if image.mode.startswith("I;16") else values.max()
        return Image.fromarray(np.uint8(np.clip(values / max(white, 1e-9), 0, 1) * 255))
    if not image.has_transparency_data:
        return image if image.mode == "L" else image.convert("RGB")
    image = image.convert("RGBA")
    filled = fill_corners(np.asarray(image), np.asarray(image.convert("L")))
    if filled is not None:
        steps.append("transparent edges filled")
        image = Image.fromarray(filled)
    colour = "white"
    if image.getextrema()[3][0] < 255:
        brightness, alpha = np.asarray(image.convert("L")), np.asarray(image)[..., 3]
        if alpha.any() and np.average(brightness, weights=alpha) > 127:
            colour = "black"  # on white a light garment would be lost
        steps.append(f"put on {colour}")
    return Image.alpha_composite(Image.new("RGBA", image.size, colour), image).convert("RGB")


def _is_darker(pixels, ground):
    """Whether what differs from the background is mostly darker than it."""
    off = pixels - ground
    return off[off < -SPECK].sum() + off[off > SPECK].sum() < 0


def _fit(pixels):
    """Cuts to the object, scales its longer side to 28 pixels and centres it."""
    pixels = np.uint8(pixels.round())
    # The noise of a camera must not count as part of the object.
    smooth = ImageFilter.MedianFilter(2 * (max(pixels.shape) // NOISE) + 1)
    rows, columns = np.nonzero(np.asarray(Image.fromarray(pixels).filter(smooth)) > SPECK)
    if not len(rows):
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    pixels = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = pixels.shape
    scale = IMAGE_SIZE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    whole = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE))
    whole.paste(small, ((IMAGE_SIZE - size[0]) // 2, (IMAGE_SIZE - size[1]) // 2))
    return np.asarray(whole)
