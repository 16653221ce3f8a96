"""What can be read off a run: a number or a yes, from its curves, confusion matrix or pictures.

A reading takes one record, or records of several experiments with the same seed. Words that a
report uses of its figures get their meaning here, once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import unpack_images

# A step against the trend that is smaller than this share of a curve's height does not show in a
# printed figure.
VISIBLE = 0.05
WOBBLE_FROM = 5  # the epoch from which mansilla sees the curves wobble
LOSSES = ("train_eval_loss", "val_loss")
ACCURACIES = ("train_eval_accuracy", "val_accuracy")
UPPER_GARMENTS = ("T-shirt/top", "Pullover", "Coat", "Shirt")


@dataclass(frozen=True)
class Quantity:
    """What is read, in words, the function of the records that reads it, and what it can be."""

    label: str
    of: Callable[..., float]
    least: float = -math.inf
    most: float = math.inf


def final(name: str) -> Quantity:
    """A metric of the last epoch."""
    most = 1 if name.endswith("accuracy") else math.inf
    return Quantity(name, lambda run: run.metrics[name], least=0, most=most)


def at_epoch(name: str, epoch: int) -> Quantity:
    """A curve's value after so many epochs."""
    return Quantity(f"epoch {epoch} {name}", lambda run: run.history[name][epoch - 1])


def ratio(name: str) -> Quantity:
    """A metric of one run as a share of another's."""
    return Quantity(f"{name} ratio", lambda one, other: one.metrics[name] / other.metrics[name])


def counted_as(true: str, predicted: str) -> Quantity:
    """How many of the 1 000 test images of a class were taken for a class."""
    row, column = CLASS_NAMES.index(true), CLASS_NAMES.index(predicted)
    return Quantity(f"{true} as {predicted}", lambda run: run.confusion_matrix[row][column])


def _gap(run):
    return run.metrics["val_loss"] - run.metrics["train_eval_loss"]


def _explained(run):
    originals, rebuilt = (
        unpack_images(run.images[name]).astype(float) for name in ("originals", "reconstructions")
    )
    left, all_of_it = ((originals - other) ** 2 for other in (rebuilt, originals.mean(0)))
    return 1 - float(left.sum()) / float(all_of_it.sum())


def _upper_errors(run):
    """Shirts and coats taken for another upper garment, among all that were taken for another."""
    counts = np.array(run.confusion_matrix)
    np.fill_diagonal(counts, 0)
    rows = counts[[CLASS_NAMES.index("Shirt"), CLASS_NAMES.index("Coat")]]
    upper = [CLASS_NAMES.index(name) for name in UPPER_GARMENTS]
    return int(rows[:, upper].sum()) / int(rows.sum())


# Standard deviation of the steps from epoch to epoch.
WOBBLE = Quantity(
    "wobble of val_loss",
    lambda run: stdev(b - a for a, b in pairwise(run.history["val_loss"][WOBBLE_FROM - 1 :])),
)
# Of the steps of both losses from then on, how many go up, or down where those are fewer.
STEPS_EITHER_WAY = Quantity("steps up and steps down", lambda run: _steps_either_way(run))
GAP = Quantity("gap", _gap)  # validation minus training loss
GAP_CHANGE = Quantity(
    "gap change", lambda one, other: (_gap(one) - _gap(other)) / other.metrics["val_loss"]
)
ACCURACY_GAP = Quantity(
    "gap in accuracy",
    lambda run: run.metrics["train_eval_accuracy"] - run.metrics["val_accuracy"],
)
# The training loss as it ran, with dropout on, over the validation loss.
RUNNING_RATIO = Quantity(
    "loss over val_loss", lambda run: run.history["loss"][-1] / run.metrics["val_loss"]
)
# Of what tells ten test images apart, one a class, the share that their reconstructions show: 1 is
# perfect, and 0 is what the same picture ten times reaches, the best of which is their mean.
EXPLAINED = Quantity("explained variance of ten images", _explained)
UPPER_ERRORS = Quantity("errors among upper garments", _upper_errors)


def higher_later(early: int, late: int) -> Quantity:
    """Both losses are higher after `late` epochs than after `early` ones."""
    return Quantity(
        f"both losses higher at epoch {late} than at {early}",
        lambda run: all(
            run.history[name][late - 1] > run.history[name][early - 1] for name in LOSSES
        ),
    )


def higher_on_average(since: int) -> Quantity:
    """Both losses' mean over the epochs after `since` is above their value at `since`."""
    return Quantity(
        f"both losses higher on average after epoch {since} than at it",
        lambda run: all(
            fmean(run.history[name][since:]) > run.history[name][since - 1] for name in LOSSES
        ),
    )


def difference(quantity: Quantity) -> Quantity:
    """What is read off one run minus what is read off another."""
    return Quantity(f"difference in {quantity.label}", lambda a, b: quantity.of(a) - quantity.of(b))


def _steps_either_way(run):
    steps = [
        [after - before for before, after in pairwise(run.history[name][WOBBLE_FROM - 1 :])]
        for name in LOSSES
    ]
    return min(sum(sign * step > 0 for step in curve) for curve in steps for sign in (1, -1))


def _falls(curve):
    steps = [after - before for before, after in pairwise(curve)]
    return curve[-1] < curve[0] and max(steps) <= VISIBLE * (max(curve) - min(curve))


def _thirds(curve):
    """Means of the first, the middle and the last third of the epochs."""
    third = len(curve) // 3
    return fmean(curve[:third]), fmean(curve[third:-third]), fmean(curve[-third:])


def _keeps(run):
    _, middle, last = _thirds(run.history["val_loss"])
    return last <= middle


def _turns_halfway(run):
    curve = run.history["val_loss"]
    third = len(curve) // 3
    return third <= curve.index(min(curve)) < len(curve) - third and not _keeps(run)


def _flattens(curve):
    """Up from the first epoch, but from the middle to the last third by less than that varies."""
    _, middle, last = _thirds(curve)
    spread = stdev(curve[-(len(curve) // 3) :])
    later = curve[len(curve) // 3 :]
    falls = sum(after < before for before, after in pairwise(later))
    return curve[0] < last <= middle + spread and falls >= 2


def _cpu_seconds(run):
    if run.device != "cpu":
        raise LookupError("what the processor did beside a GPU says nothing of a training")
    return run.seconds["cpu"]


FALL_THROUGHOUT = Quantity(
    "both losses fall throughout", lambda run: all(_falls(run.history[name]) for name in LOSSES)
)
RISE_THROUGHOUT = Quantity(
    "both accuracies rise throughout",
    lambda run: all(_falls([-value for value in run.history[name]]) for name in ACCURACIES),
)
SINK = Quantity(
    "both losses lower with each third",
    lambda run: all(a > b for name in LOSSES for a, b in pairwise(_thirds(run.history[name]))),
)
OVERFITS = Quantity("val_loss higher in the last third", lambda run: not _keeps(run))
KEEPS = Quantity("val_loss not higher in the last third", _keeps)
TURNS_HALFWAY = Quantity("val_loss lowest in the middle third, higher after it", _turns_halfway)
FLATTENS = Quantity(
    "both accuracies flat and wobbling",
    lambda run: all(_flattens(run.history[name]) for name in ACCURACIES),
)
CPU_SECONDS = Quantity("processor seconds", _cpu_seconds)


def _diagonal(run):
    return np.diag(run.confusion_matrix)


def best_classes(*names: str) -> Quantity:
    """These classes have the most test images right."""
    return _outermost("best", names, -1)


def worst_classes(*names: str) -> Quantity:
    """These classes have the fewest test images right."""
    return _outermost("worst", names, 1)


def _outermost(word, names, sign):
    def among(run):
        order = np.argsort(sign * _diagonal(run), kind="stable")[: len(names)]
        return {CLASS_NAMES[row] for row in order} == set(names)

    return Quantity(f"{word} classes", among)


def commonest_errors(true: str, *names: str) -> Quantity:
    """What a class is most often taken for, where it is not recognised."""

    def among(run):
        counts = np.array(run.confusion_matrix[CLASS_NAMES.index(true)])
        counts[CLASS_NAMES.index(true)] = -1
        order = np.argsort(-counts, kind="stable")[: len(names)]
        return {CLASS_NAMES[column] for column in order} == set(names)

    return Quantity(f"commonest errors of {true}", among)


ALL_CLASSES_LOWER = Quantity(
    "fewer right in all ten classes",
    lambda one, other: bool((_diagonal(one) < _diagonal(other)).all()),
)
