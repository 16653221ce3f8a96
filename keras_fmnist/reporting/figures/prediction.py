"""Draws what `predict` found for pictures: reconstruction, neighbours, probabilities."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.reporting.figures.images import show_image
from keras_fmnist.reporting.figures.style import make_subplots

if TYPE_CHECKING:
    from keras_fmnist.inference.prediction import Prediction

BLUE = "#0072B2"
WIDTHS = (1, 1, 1, 0.1, 1, 1, 1, 1, 1, 0.5, 1.1)  # of the columns; in the tenth are the bars' names
LIKELIEST = 5


def draw_predictions(predictions: "Sequence[Prediction]") -> Figure:
    """Draws a row for each picture: original, input of the net, what the net makes of it.

    All images of the net are drawn light on dark, as it sees them.
    """
    size = (9.5, 0.3 + 1.15 * len(predictions))
    figure, grid = make_subplots(
        len(predictions), len(WIDTHS), figsize=size, squeeze=False, width_ratios=WIDTHS
    )
    for row, prediction in zip(grid, predictions, strict=True):
        show_image(row[0], prediction.photo.original, "gray")
        show_image(row[1], prediction.photo.pixels[..., 0], "gray")
        show_image(row[2], 255 * prediction.rebuilt, "gray")
        near = zip(row[4:9], prediction.neighbours, prediction.labels, strict=True)
        for axes, image, label in near:
            show_image(axes, image, "gray")
            axes.set_xlabel(CLASS_NAMES[label], fontsize=7)
        row[0].set_xlabel(_short(Path(prediction.photo.name).name), fontsize=7, parse_math=False)
        _bars(row[10], prediction.probabilities)
        for gap in (row[3], row[9]):
            gap.set_axis_off()
    heads = {0: "original", 1: "as the net sees it", 2: "rebuilt", 6: "nearest training images"}
    for column, text in heads.items():
        grid[0, column].set_title(text, fontsize=7)
    return figure


def _bars(axes, probabilities):
    likeliest = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
    values = probabilities[likeliest]
    axes.barh(range(LIKELIEST), values, color=BLUE)
    axes.set_yticks(range(LIKELIEST), [CLASS_NAMES[label] for label in likeliest], fontsize=7)
    for place, value in enumerate(values):
        axes.text(value + 0.02, place, f"{value:.0%}", va="center", fontsize=7)
    axes.set(xlim=(0, 1.3), ylim=(LIKELIEST - 0.5, -0.5), xticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(left=False)


def _short(name, most=14):
    return name if len(name) <= most else f"…{name[1 - most :]}"
