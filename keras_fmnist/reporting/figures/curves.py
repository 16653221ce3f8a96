"""Draws loss and accuracy over the epochs."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.style import BLUE, GREEN, ORANGE, make_subplots, title_axes

CURVES = (  # history name, label, colour, dashes
    ("{}", "training, as it ran", ORANGE, (0, (1, 1))),
    ("train_eval_{}", "training, evaluated", BLUE, "-"),
    ("val_{}", "validation", GREEN, (0, (5, 1.5))),
)


def draw_curves(records: Sequence[Record], metric: str, label: str) -> Figure:
    """Draws the three curves; for several seeds their mean, and a band from lowest to highest."""
    figure, axes = make_subplots(figsize=(3.4, 2.4))
    for pattern, name, colour, dashes in CURVES:
        values = np.array([record.history[pattern.format(metric)] for record in records])
        epochs = np.arange(1, values.shape[1] + 1)
        markers = "o" if len(epochs) == 1 else ""  # one epoch is not a line
        axes.plot(
            epochs, values.mean(axis=0), color=colour, linestyle=dashes, marker=markers, label=name
        )
        if len(records) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.set_title(title_axes(records), fontsize=8, loc="left")
    axes.legend(fontsize=7)
    return figure
