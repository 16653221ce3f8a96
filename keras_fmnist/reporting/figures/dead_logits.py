"""Draws the accuracy of classifiers against their dead logits: what a ReLU on the logits costs."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.style import BLUE, GREEN, ORANGE, make_subplots

PINK = "#CC79A7"
# (pretrained, frozen): label, colour, marker
ARMS = {
    (True, False): ("pretrained, everything trained", BLUE, "o"),
    (True, True): ("pretrained, only the head trained", ORANGE, "s"),
    (False, False): ("random, everything trained", GREEN, "^"),
    (False, True): ("random, only the head trained", PINK, "D"),
}
WITHOUT = -1.5  # the place of classifiers that have no ReLU on their logits


def draw_dead_logits(records: Sequence[Record]) -> Figure:
    """Draws a mark for each run: its dead logits, and the accuracy on the test images.

    On the left stand the runs without a ReLU on the logits, which cannot die. A dotted line is the
    mean accuracy of a ridge classifier on the same codes, of the frozen encoders.

    Args:
        records: of classifiers of one head, whose settings say which of the four arms each is.
    """
    figure, axes = make_subplots(figsize=(5.2, 3.2))
    most = 0
    for arm, (label, colour, marker) in ARMS.items():
        runs = [r for r in records if (r.spec["pretrained"], r.spec["frozen"]) == arm]
        if not runs:
            continue
        places = [_find_place(run) for run in runs]
        accuracies = [run.metrics["val_accuracy"] for run in runs]
        axes.scatter(places, accuracies, s=22, color=colour, marker=marker, alpha=0.75, label=label)
        most = max(most, *places)
        probes = [run.metrics.get("probe_accuracy") for run in runs]
        probes = [accuracy for accuracy in probes if accuracy is not None]
        if arm[1] and probes:
            axes.axhline(np.mean(probes), color=colour, linestyle=":", zorder=0)
    axes.axvline(WITHOUT / 2, color="0.7", linewidth=0.8)
    counts = range(int(most) + 1)
    axes.set_xticks([WITHOUT, *counts], ["no ReLU", *map(str, counts)])
    axes.set_xlim(WITHOUT - 0.6, max(most, 1) + 0.5)
    axes.set_xlabel("logits that are 0 for every test image, of 10")
    axes.set_ylabel("accuracy on the test images")
    axes.set_title("What the ReLU on the logits costs, a mark a run", fontsize=8, loc="left")
    axes.legend(fontsize=7, loc="lower left")
    return figure


def _find_place(run):
    return run.metrics["dead_logits"] if run.spec["relu_logits"] else WITHOUT
