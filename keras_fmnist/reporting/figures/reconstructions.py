"""Draws ten test images and their reconstructions by an autoencoder."""

from matplotlib.figure import Figure

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.images import show_image
from keras_fmnist.reporting.figures.style import make_subplots, title_axes


def draw_reconstructions(record: Record) -> Figure:
    """Draws ten test images, their reconstructions, and those of PCA if the record has them."""
    titles = {"originals": "original", "reconstructions": "rebuilt", "pca": "PCA"}
    rows = {title: record.images[key] for key, title in titles.items() if key in record.images}
    figure, grid = make_subplots(len(rows), len(CLASS_NAMES), figsize=(6.9, 0.35 + 0.7 * len(rows)))
    for row, (title, packed) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(row, unpack_images(packed), strict=True):
            show_image(axes, image)
        row[0].set_ylabel(title)
    for axes, name in zip(grid[0], CLASS_NAMES, strict=True):
        axes.set_title(name, fontsize=7)
    title = f"{title_axes([record])}, validation MSE {record.metrics['val_loss']:.4f}"
    if "pca" in record.images:
        mean, pca = record.metrics["mean_image_loss"], record.metrics["pca_loss"]
        pca = f"{pca:.4f}" if pca else "exact"  # a code at least as long as the image
        title += f"; PCA of the same size {pca}, mean image {mean:.4f}"
    figure.suptitle(title, fontsize=8, x=0.01, ha="left")
    return figure
