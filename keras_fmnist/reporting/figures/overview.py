"""Draws ten test images and below them their reconstructions by every autoencoder."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.images import show_image
from keras_fmnist.reporting.figures.style import make_subplots

GAP = 2  # light pixels on each side of an image


def draw_overview(records: Sequence[Record]) -> Figure:
    """Draws a row for each record, in their order, below the originals.

    Beside each row are its seed and the share of the variance of the test images that the net
    explains. Unlike the loss it does not depend on the range of pixels. Older records lack it.

    Args:
        records: of autoencoders, all with images.
    """
    shown = [("original", "", records[0].images["originals"])]
    shown += [(r.id, _beside(r), r.images["reconstructions"]) for r in records]
    figure, grid = make_subplots(len(shown), figsize=(6.9, 0.3 + 0.6 * len(shown)))
    for axes, (name, share, packed) in zip(grid, shown, strict=True):
        strip = np.pad(unpack_images(packed), ((0, 0), (0, 0), (GAP, GAP)))
        show_image(axes, np.concatenate(list(strip), axis=1))
        axes.set_ylabel(f"{name}\n{share}".strip(), rotation=0, ha="right", va="center")
    width = strip.shape[2]
    places = [width * (column + 0.5) for column in range(len(CLASS_NAMES))]
    grid[0].set_xticks(places, CLASS_NAMES, fontsize=7)
    grid[0].tick_params(length=0, labeltop=True, labelbottom=False)
    return figure


def _beside(record):
    share = record.measured("explained")
    explained = "" if share is None else f": {share:.0%}".replace("-", "−")
    return f"seed {record.seed}{explained}"
