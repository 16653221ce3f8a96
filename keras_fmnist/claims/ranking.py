"""What a report leaves open: its readings, ranked by how near they come to the printed row."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keras_fmnist.records.groups import is_declared, select_largest
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec


@dataclass(frozen=True)
class Rank:
    """One reading of a row: what came out, and how far that is from what is printed.

    `factor` is the typical ratio between ours and printed, 1 where all agree: the exponential of
    the mean |log ratio| over losses and error rates. A printed training loss or accuracy is held to
    that of the steps as they ran, in every row alike. `epochs` are those that ran, `short` whether
    the report trained for more. `undercut` is whether one that is short already passed below a
    printed loss, which with more epochs only falls further: the training loss, and of an
    autoencoder the validation loss.
    """

    spec: Spec
    metrics: dict[str, float]
    epochs: int
    factor: float
    short: bool
    undercut: bool


def rank_readings(row: Spec, readings: Iterable[Spec], records: Sequence[Record]) -> list[Rank]:
    """A printed row's readings that have been run, nearest first, and its own experiment with them.

    Those that were trained to the end come first, those that have undercut a printed loss last.

    Args:
        row: the spec of the printed row.
        readings: other specs of the same row.
        records: of any experiments; one with other settings than its reading's, or of fewer images,
            does not count.
    """
    found = []
    for spec in (row, *readings):
        mine = [record for record in records if is_declared(record, spec)]
        if mine:
            found.append(_rank(row, spec, select_largest(mine)[0]))
    return sorted(found, key=lambda one: (one.short, one.undercut, one.factor))


def _rank(row, spec, record):
    falling = {"train_eval_loss"}
    if not row.is_classifier:  # of a classifier that overfits it rises again
        falling.add("val_loss")
    short = spec.epochs < row.epochs
    return Rank(
        spec=spec,
        metrics=record.metrics,
        epochs=spec.epochs,
        factor=_factor(row.published, record.metrics),
        short=short,
        undercut=short
        and any(record.metrics[_ours(name)] < row.published[name] for name in falling),
    )


def _ours(name):
    """The metric of ours that a printed one is held to: in training that of the running epoch."""
    return name.removeprefix("train_eval_")


def _factor(published, metrics):
    """Typical ratio between ours and printed, of losses and error rates."""
    ratios = []
    for name, printed in published.items():
        ours = metrics[_ours(name)]
        if name.endswith("accuracy"):
            ours, printed = 1 - ours, 1 - printed
        ratios.append(abs(math.log(max(ours, LEAST) / printed)))
    return math.exp(sum(ratios) / len(ratios))


LEAST = 1e-9  # nothing wrong at all has no logarithm
