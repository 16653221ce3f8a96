"""What a report leaves open: its readings, ranked by how near they come to the printed row."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keras_fmnist.records.groups import is_declared, select_largest
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec

# A report says "training loss": of the steps as they ran, or of the training images afterwards.
TRAINING = {"as it ran": "{}", "evaluated": "train_eval_{}"}


@dataclass(frozen=True)
class Rank:
    """One reading of a row: what came out, and how far that is from what is printed.

    `factor` is the typical ratio between ours and printed, 1 where all agree: the exponential of
    the mean |log ratio| over losses and error rates, training as `training` says. `epochs` are
    those that ran, `short` whether the report trained for more. `undercut` is whether one that is
    short already passed below a printed loss, however that is read, which with more epochs only
    falls further: the training loss, and of an autoencoder the validation loss.
    """

    spec: Spec
    metrics: dict[str, float]
    epochs: int
    training: str
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
    factors = {
        words: _factor(row.published, record.metrics, pattern)
        for words, pattern in TRAINING.items()
    }
    nearest = min(factors, key=factors.get)
    training = max(record.metrics[pattern.format("loss")] for pattern in TRAINING.values())
    falling = {"train_eval_loss": training}
    if not row.is_classifier:  # of a classifier that overfits it rises again
        falling["val_loss"] = record.metrics["val_loss"]
    short = spec.epochs < row.epochs
    return Rank(
        spec=spec,
        metrics=record.metrics,
        epochs=spec.epochs,
        training=nearest,
        factor=factors[nearest],
        short=short,
        undercut=short and any(loss < row.published[name] for name, loss in falling.items()),
    )


def _factor(published, metrics, pattern):
    """Typical ratio between ours and printed, of losses and error rates."""
    ratios = []
    for name, printed in published.items():
        training = pattern.format(name.removeprefix("train_eval_"))
        ours = metrics[training if name.startswith("train_eval_") else name]
        if name.endswith("accuracy"):
            ours, printed = 1 - ours, 1 - printed
        ratios.append(abs(math.log(max(ours, LEAST) / printed)))
    return math.exp(sum(ratios) / len(ratios))


LEAST = 1e-9  # nothing wrong at all has no logarithm
