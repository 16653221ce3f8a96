"""Draws images and what a trained net makes of them."""

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.reporting.figures.images import show_image
from keras_fmnist.reporting.figures.style import hold_style, make_subplots

COLUMNS = 10
CELL = 0.72  # inches a side


def draw_copies(images: np.ndarray, rebuilt: np.ndarray) -> Figure:
    """Draws images, and below each its reconstruction.

    Args:
        images: `(n, 28, 28, 1)` uint8.
        rebuilt: `(n, 28, 28, 1)` from 0, black, to 1, white.
    """
    with hold_style():
        grid, figure = _make_grid(len(images), images_each=2)
        for place, (image, copy) in enumerate(zip(images, rebuilt, strict=True)):
            row, column = divmod(place, COLUMNS)
            show_image(grid[2 * row, column], image[..., 0])
            show_image(grid[2 * row + 1, column], 255 * copy[..., 0])
        for row in range(0, len(grid), 2):
            grid[row, 0].set_ylabel("original")
            grid[row + 1, 0].set_ylabel("rebuilt")
    return figure


def draw_classified(images: np.ndarray, probabilities: np.ndarray) -> Figure:
    """Draws images, and below each the likeliest class with its probability.

    Args:
        images: `(n, 28, 28, 1)` uint8.
        probabilities: `(n, 10)`.
    """
    with hold_style():
        grid, figure = _make_grid(len(images), images_each=1)
        for place, (image, shares) in enumerate(zip(images, probabilities, strict=True)):
            axes = grid[divmod(place, COLUMNS)]
            show_image(axes, image[..., 0])
            likeliest = shares.argmax()
            axes.set_xlabel(f"{CLASS_NAMES[likeliest]}\n{shares[likeliest]:.0%}", fontsize=6)
    return figure


def _make_grid(count, images_each):
    """Axes for so many images in rows of ten, with nothing shown where there is none."""
    rows, columns = -(-count // COLUMNS) * images_each, min(count, COLUMNS)
    size = (0.4 + CELL * columns, 0.2 + CELL * rows)
    figure, grid = make_subplots(rows, columns, figsize=size, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.grid(visible=False)
    return grid, figure
