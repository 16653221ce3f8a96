"""Draws a latent space: two maps of its codes, and images decoded between two codes."""

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.latent_space import LatentSpace
from keras_fmnist.reporting.figures.images import show_image
from keras_fmnist.reporting.figures.style import make_subplots

# Petroff 2021: ten colours that people with any colour vision can tell apart.
TEN = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)


def draw_maps(space: LatentSpace) -> Figure:
    """Draws PCA and t-SNE of test images, coloured by class, with the names of the classes."""
    figure, (left, right) = make_subplots(1, 2, figsize=(6.9, 3.6))
    labels = np.array(space.labels)
    for axes, points in ((left, space.pca), (right, space.tsne)):
        x, y = np.array(points["x"]), np.array(points["y"])
        # As pixels even in an SVG, where two thousand circles would take half a megabyte.
        axes.scatter(x, y, s=3, c=np.array(TEN)[labels], linewidths=0, rasterized=True)
        middles = {k: (np.median(x[labels == k]), np.median(y[labels == k])) for k in set(labels)}
        for label, (across, up) in _apart(middles, 0.2 * np.ptp(x), 0.06 * np.ptp(y)).items():
            box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": TEN[label], "alpha": 0.85}
            text = CLASS_NAMES[label]
            axes.text(across, up, text, fontsize=7, ha="center", va="center", bbox=box)
        axes.grid(visible=False)
    first, second = space.pca["share"]
    left.set(xlabel=f"{first:.0%} of the variance", ylabel=f"{second:.0%} of the variance")
    left.set_title("PCA", fontsize=8)
    right.set(xticks=[], yticks=[])  # distances in t-SNE have no unit
    right.spines[:].set_visible(False)
    right.set_title("t-SNE", fontsize=8)
    figure.suptitle(f"{_who(space)}, {len(labels)} test images", fontsize=8, x=0.01, ha="left")
    return figure


def _apart(places, width, height):
    """Moves names up until none covers another, from the lowest on: `{label: (x, y)}`."""
    settled = {}
    for label, (x, y) in sorted(places.items(), key=lambda item: item[1][1]):
        while any(abs(x - a) < width and abs(y - b) < height for a, b in settled.values()):
            y += height / 4
        settled[label] = (x, y)
    return settled


def draw_lines(space: LatentSpace) -> Figure:
    """Draws, for each pair of test images, the images decoded between their codes."""
    rows = [unpack_images(line["images"]) for line in space.lines]
    count = len(rows[0])
    figure, grid = make_subplots(
        len(rows), count, figsize=(6.9, 0.35 + 0.65 * len(rows)), squeeze=False
    )
    for row, images in zip(grid, rows, strict=True):
        for axes, image in zip(row, images, strict=True):
            show_image(axes, image)
    grid[0, 0].set_title("original", fontsize=7)
    grid[0, count // 2].set_title("decoded, on a straight line between the two codes", fontsize=7)
    grid[0, -1].set_title("original", fontsize=7)
    figure.suptitle(_who(space), fontsize=8, x=0.01, ha="left")
    return figure


def _who(space):
    return f"{space.id}, seed {space.seed} on {space.backend}"
