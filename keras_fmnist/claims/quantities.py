"""What is read off a run for a claim: the metrics and curves; pictures and matrices stand beside.

A quantity takes one record, or records of several experiments with the same seed. Words that a
report uses of its figures get their meaning here, once. What a figure shows is a signed number, not
a yes or no: how far a loss rises, not whether it does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

from keras_fmnist.claims.texts import Text, Texts

WORDS = Texts(__package__)
WOBBLE_FROM = 5  # the epoch from which mansilla sees the curves wobble
LEVEL = 5  # epochs: where a noisy curve ends is the mean of so many
LOSSES = ("train_eval_loss", "val_loss")
ACCURACIES = ("train_eval_accuracy", "val_accuracy")


@dataclass(frozen=True)
class Quantity:
    """A number that is read off a run.

    Attributes:
        name: of the quantity, by which a rule is registered; words may change, names do not.
        label: it in words.
        of: reads it off records, one of each experiment in question.
        least: no value lies below.
        most: nor above.
        factor: it is itself a ratio, so its mean is taken of logarithms.
        compared: two of them are compared by their `ratio` (a loss) or `difference` (a share).
        percent: whether it is shown in percent.
        pair: of a quantity of two experiments, the key of the words that name both.
    """

    name: str
    label: Text
    of: Callable[..., float]
    least: float = -math.inf
    most: float = math.inf
    factor: bool = False
    compared: str = "ratio"
    percent: bool = False
    pair: str = ""

    def measure(self, *names: str) -> Text:
        """The quantity of experiments in words: `validation loss, base over latent_256`."""
        if self.pair:
            first, second = names
            return WORDS(self.pair, quantity=self.label, first=first, second=second)
        return WORDS("measure", names=" / ".join(names), quantity=self.label)


def name_metric(name: str) -> Text:
    """A metric by the name that records have for it, in words."""
    return WORDS(f"metric_{name}")


def define(
    key: str, of: Callable[..., float], words: dict | None = None, **options: object
) -> Quantity:
    """A quantity whose words have a key.

    Args:
        key: of its label.
        of: reads it off records.
        words: what its label names; a `metric` by the name that records have for it.
        options: see `Quantity`.
    """
    words = words or {}
    name = " ".join([key, *(str(value) for value in words.values())])
    if "metric" in words:
        words = words | {"metric": name_metric(words["metric"])}
    return Quantity(name, WORDS(key, **words), of, **options)


def _of_metric(key, of, words):
    if words["metric"].endswith("accuracy"):
        return define(key, of, words, least=0, most=1, compared="difference", percent=True)
    return define(key, of, words, least=0)


def final(name: str) -> Quantity:
    """A metric of the last epoch, as a table prints it."""
    return _of_metric("final", lambda run: run.metrics[name], {"metric": name})


def level(name: str) -> Quantity:
    """Where a curve ends: the mean of its last five epochs, which the noise of one moves less."""
    words = {"metric": name, "epochs": LEVEL}
    return _of_metric("level", lambda run: _level(run, name), words)


def _level(run, name):
    return fmean(run.history[name][-LEVEL:])


def at_epoch(name: str, epoch: int) -> Quantity:
    """A curve's value after so many epochs."""
    words = {"metric": name, "epoch": epoch}
    return _of_metric("at_epoch", lambda run: run.history[name][epoch - 1], words)


def running(name: str) -> Quantity:
    """`loss` or `accuracy` of the last epoch as it ran, with dropout on and weights moving."""
    return _of_metric("final", lambda run: run.history[name][-1], {"metric": name})


def compare(quantity: Quantity) -> Quantity:
    """The larger run's quantity against the smaller one's, seed by seed."""
    ratio = quantity.compared == "ratio"
    return Quantity(
        f"{quantity.compared} of {quantity.name}",
        quantity.label,
        lambda smaller, larger: (
            quantity.of(larger) / quantity.of(smaller)
            if ratio
            else quantity.of(larger) - quantity.of(smaller)
        ),
        factor=ratio,
        percent=quantity.percent and not ratio,
        pair="over" if ratio else "minus",
    )


# --- gaps between training and validation ---


def _gap(run):
    return _level(run, "val_loss") - _level(run, "train_eval_loss")


# Validation minus training loss.
GAP = define("gap", _gap, compared="difference")
GAP_CHANGE = define(
    "gap_change",
    lambda one, other: (_gap(other) - _gap(one)) / _level(one, "val_loss"),
    percent=True,
    pair="to",
)
ACCURACY_GAP = define(
    "accuracy_gap",
    lambda run: _level(run, "train_eval_accuracy") - _level(run, "val_accuracy"),
    percent=True,
)
# The training loss as it ran, with dropout on, over the validation loss.
RUNNING_RATIO = define(
    "running_ratio", lambda run: run.history["loss"][-1] / run.metrics["val_loss"]
)
OVER_MEAN_IMAGE = define(
    "over_mean_image", lambda run: run.metrics["val_loss"] / run.metrics["mean_image_loss"]
)
# A PCA with as many numbers an image as the code has.
OVER_PCA = define("over_pca", lambda run: run.metrics["val_loss"] / run.metrics["pca_loss"])


# --- the course of a curve ---


def _first_fall(curve):
    return curve[0] / curve[WOBBLE_FROM - 1]


def _rise(curve):
    return fmean(curve[WOBBLE_FROM:]) / curve[WOBBLE_FROM - 1]


def _steps_up(curve):
    return sum(after > before for before, after in pairwise(curve[WOBBLE_FROM - 1 :]))


def _largest_step_up(curve):
    """As a share of the curve's height; negative where every step goes down."""
    height = max(curve) - min(curve)
    return max(after - before for before, after in pairwise(curve)) / height


def _thirds(curve):
    """Means of the first, the middle and the last third of the epochs."""
    third = len(curve) // 3
    return fmean(curve[:third]), fmean(curve[third:-third]), fmean(curve[-third:])


def _least_fall(curve):
    """The smaller of the two ratios from third to third."""
    return min(before / after for before, after in pairwise(_thirds(curve)))


def _last_over_middle(curve):
    _, middle, last = _thirds(curve)
    return last / middle


def _settles(curve):
    """How much more the last third varies than it gains on the middle one."""
    _, middle, last = _thirds(curve)
    return stdev(curve[-(len(curve) // 3) :]) - (last - middle)


def _gain(curve):
    return _thirds(curve)[2] - curve[0]


def _steps_down_later(curve):
    later = curve[len(curve) // 3 :]
    return sum(after < before for before, after in pairwise(later))


def _worst_of(names, of, worst=min, upside_down=False):
    """Reads several curves and takes the one that speaks most against the claim."""
    sign = -1 if upside_down else 1
    return lambda run: worst(of([sign * value for value in run.history[name]]) for name in names)


# Standard deviation of the steps from epoch to epoch.
WOBBLE = define(
    "wobble",
    lambda run: stdev(b - a for a, b in pairwise(run.history["val_loss"][WOBBLE_FROM - 1 :])),
)
FIRST_FALL = define("first_fall", _worst_of(LOSSES, _first_fall), factor=True)
RISE = define("rise", _worst_of(LOSSES, _rise), factor=True)
STEPS_UP = define("steps_up", _worst_of(LOSSES, _steps_up), least=0)
LARGEST_STEP_UP = define("largest_step_up", _worst_of(LOSSES, _largest_step_up, max), percent=True)
LARGEST_STEP_DOWN = define(
    "largest_step_down",
    _worst_of(ACCURACIES, _largest_step_up, max, upside_down=True),
    percent=True,
)
LEAST_FALL = define("least_fall", _worst_of(LOSSES, _least_fall), factor=True)
LAST_OVER_MIDDLE = define(
    "last_over_middle",
    lambda run: _last_over_middle(run.history["val_loss"]),
    factor=True,
)
LOWEST_EPOCH = define(
    "lowest_epoch",
    lambda run: 1 + run.history["val_loss"].index(min(run.history["val_loss"])),
    least=1,
)
GAIN = define("gain", _worst_of(ACCURACIES, _gain), percent=True)
SETTLES = define("settles", _worst_of(ACCURACIES, _settles), percent=True)
STEPS_DOWN = define("steps_down", _worst_of(ACCURACIES, _steps_down_later), least=0)


def _first_epoch_at(run, other):
    """The first epoch with the other's final accuracy; one past the last where none has it."""
    reached = _level(other, "val_accuracy")
    curve = run.history["val_accuracy"]
    return next((k for k, value in enumerate(curve, 1) if value >= reached), len(curve) + 1)


FIRST_EPOCH_AT = define("first_epoch_at", _first_epoch_at, least=1, pair="against")


def _cpu_seconds(run):
    if run.device != "cpu":
        raise LookupError("what the processor did beside a GPU says nothing of a training")
    return run.seconds["cpu"]


CPU_SECONDS = define("cpu_seconds", _cpu_seconds, least=0)
