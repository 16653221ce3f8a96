"""Draws the confusion matrix of a classifier."""

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.style import make_subplots, title_axes


def draw_confusion(record: Record) -> Figure:
    """Draws the counts of test images: rows are true classes, columns predicted ones."""
    counts = np.array(record.confusion_matrix)
    figure, axes = make_subplots(figsize=(4.4, 4.2))
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=counts.sum(axis=1).max())
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if count > counts.max() * 0.6 else "black"
        shown = "·" if count == 0 else str(count)
        axes.text(column, row, shown, ha="center", va="center", fontsize=6.5, color=colour)
    places = range(len(CLASS_NAMES))
    axes.set_xticks(places, CLASS_NAMES, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, CLASS_NAMES)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.grid(visible=False)
    accuracy = np.trace(counts) / counts.sum()
    axes.set_title(f"{title_axes([record])}, accuracy {accuracy:.2%}", fontsize=8, loc="left")
    return figure
