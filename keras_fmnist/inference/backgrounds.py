"""What on a picture is no object: its background, a frame around it, bars, transparent corners."""

import numpy as np

SPECK = 13  # of 255: the makers, too, take what is 5 % off the background for background
PLAIN = 64  # of 255: what differs more from most of the edge is no background
FRAME = SPECK // 2  # of 255: what is nearer to the colour of a corner belongs to the frame
STRAIGHT = 0.9  # of each side of what a frame leaves: a garment's own box is touched here and there
PLAIN_EDGE = 0.6  # of the edge inside a frame, which has the colour of a background
SMALLEST = 0.01  # of the picture inside a frame, which stands out from that background
MARGIN = 0.02  # of its shorter side, which is background in a picture of something
ROUNDED = 0.55  # of each side of a photo with transparent corners, at least, is opaque
BLUR = 2  # pixels beside such a line that are not as the background is
THICKEST = 3  # pixels of a line that JPEG may have blurred


def find_background(pixels: np.ndarray) -> float:
    """What most of the edge has; dark, as it is, in all 10 000 test images.

    Args:
        pixels: `(height, width)`, from 0 to 255.
    """
    edge = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    return float(np.median(np.concatenate(edge)))


def find_ground(pixels: np.ndarray) -> np.ndarray:
    """The background everywhere: a plane through the edge, for light comes from one side.

    Args:
        pixels: `(height, width)`, from 0 to 255.

    Returns:
        float64 of that shape.
    """
    edge = np.ones(pixels.shape, bool)
    edge[1:-1, 1:-1] = False
    # The object may reach the edge. Of an edge half dark and half light no pixel has the median.
    off = np.abs(pixels - find_background(pixels))
    plain = edge & (off < max(PLAIN, off[edge].min() + 1))
    places = np.stack([np.ones(pixels.shape), *np.indices(pixels.shape)], axis=-1)
    plane = np.linalg.lstsq(places[plain], pixels[plain], rcond=None)[0]
    return np.clip(places @ plane, pixels[plain].min(), pixels[plain].max())


def take_frames_off(pixels: np.ndarray) -> np.ndarray:
    """What is inside a frame, or between bars; of several, one within the other, the innermost.

    Args:
        pixels: `(height, width)` uint8.

    Returns:
        A part of `pixels`, or all of it.
    """
    while (inside := _find_inside(pixels)) is not None:
        pixels = pixels[inside]
    return pixels


def fill_corners(image: np.ndarray, brightness: np.ndarray) -> np.ndarray | None:
    """A photo whose corners are transparent, with them filled from its edge.

    It is cut to the box around what is opaque (alpha over 127). It is a photo, and no garment that
    was cut out, where at least `ROUNDED` of each side of that box is opaque and it shows an object
    (see `_shows_object`) once it is filled: left of the first opaque pixel of a row, and right of
    the last, each pixel becomes as that one is.

    Args:
        image: `(height, width, 4)` uint8, the last channel alpha.
        brightness: `(height, width)` uint8.

    Returns:
        What is inside the box, opaque there; None where it is no such photo.
    """
    opaque = image[..., 3] > 127
    box = _find_box(opaque, 0.0)
    if box is None or opaque.all():
        return None
    opaque = opaque[box]
    if min(line.mean() for line in _list_sides(opaque)) < ROUNDED:
        return None
    width = opaque.shape[1]
    first = opaque.argmax(axis=1)[:, None]
    last = width - 1 - opaque[:, ::-1].argmax(axis=1)[:, None]
    columns = np.clip(np.arange(width), first, last)
    if not _shows_object(np.take_along_axis(brightness[box], columns, axis=1)):
        return None
    return np.take_along_axis(image[box], columns[..., None], axis=1)


def _find_inside(pixels):
    """The box inside a frame or between bars, as slices; None where there is neither.

    Either what differs by more than `FRAME` from the pixel in a corner fills a box that is not the
    whole picture, and `STRAIGHT` of the pixels of each of its sides differ. Or `STRAIGHT` of the
    outermost pixels at each side differ by more than `SPECK` from the background of what is left
    without 1 to `THICKEST` pixels there: JPEG blurs thin lines. Either way it must be a picture
    itself (see `_shows_object`), in the first case perhaps within a line of such a thickness; and
    where the frame is not of one colour to the bit, `BLUR` more pixels are cut at each side.
    """
    for corner in (pixels[0, 0], pixels[0, -1], pixels[-1, 0], pixels[-1, -1]):
        differs = np.abs(np.int16(pixels) - int(corner)) > FRAME
        box = _find_box(differs, 0.1)
        if box is None or pixels[box].shape == pixels.shape:
            continue
        is_straight = min(line.mean() for line in _list_sides(differs[box])) >= STRAIGHT
        if is_straight and any(
            _shows_object(_cut_sides(pixels[box], width)) for width in range(THICKEST + 1)
        ):
            outside = np.ones(pixels.shape, bool)
            outside[box] = False
            is_exact = (pixels[outside] == corner).all()
            return box if is_exact else _shrink(box, BLUR)
    for thickness in range(1, 1 + min(THICKEST, min(pixels.shape) // 8)):
        inside = _cut_sides(pixels, thickness)
        differs = np.abs(pixels - find_background(inside)) > SPECK
        is_frame = min(line.mean() for line in _list_sides(differs)) >= STRAIGHT
        if is_frame and _shows_object(inside):
            return (slice(thickness + BLUR, -thickness - BLUR),) * 2
    return None


def _shows_object(pixels):
    """Whether most of the edge is plain, a margin deep, and something inside is not as it is.

    A garment in a box of its own has no margin: at most a soft edge.
    """
    margin = max(2, round(MARGIN * min(pixels.shape)))
    if min(pixels.shape) < 4 * margin:  # too small to tell
        return False
    off = np.abs(np.float32(pixels) - find_background(pixels))
    inner = off[margin:-margin, margin:-margin]
    is_plain = all(
        (np.concatenate(_list_sides(part)) <= 2 * SPECK).mean() >= PLAIN_EDGE
        for part in (off, inner)
    )
    return is_plain and (off > PLAIN).mean() > SMALLEST


def _shrink(box, width):
    """Slices without so many rows and columns at each end."""
    return tuple(slice(part.start + width, part.stop - width) for part in box)


def _cut_sides(pixels, width):
    """The pixels without so many at each side."""
    rows, columns = pixels.shape
    return pixels[width : rows - width, width : columns - width]


def _find_box(mask, share):
    """The rows and columns of which more than a share is true, as slices; None where none is."""
    rows, columns = (np.nonzero(mask.mean(axis=axis) > share)[0] for axis in (1, 0))
    if not len(rows) or not len(columns):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _list_sides(pixels):
    """The four lines at the edge."""
    return pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]
