"""Ways to fill one gap of a report, held to what it says in words: how often each sentence holds.

`ranking` ranks readings by printed numbers. Where a report prints none for a gap, its words on
the curves and pictures that came of it are all there is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from keras_fmnist.claims.quantities import LOSSES, WOBBLE_FROM
from keras_fmnist.records.groups import is_declared, select_largest
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec


@dataclass(frozen=True)
class Statement:
    """A sentence of a report: what is read off runs with the same seed lies between two bounds.

    Attributes:
        where: the figure that it is said of.
        says: what is taken to be said, in one line.
        quantity: reads a number or a yes off records.
        about: which of an alternative's experiments the quantity takes, in its order, from 0 on.
        low: the least that it may be; 1 for a yes.
        high: the most.
    """

    where: str
    says: str
    quantity: Callable[..., float]
    about: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Alternatives:
    """Ways to fill a gap, and what the report says of the experiments that it concerns.

    Attributes:
        gap: what is left open, in a few words.
        ways: `{name: experiments}`, the same experiments in the same order for each.
        statements: what is said of them.
    """

    gap: str
    ways: Mapping[str, Sequence[Spec]]
    statements: Sequence[Statement]


def count_seeds(alternatives: Alternatives, records: Sequence[Record]) -> dict[str, list[tuple]]:
    """On how many seeds each statement holds, of those with which every way was run.

    Args:
        alternatives: an `Alternatives`.
        records: of any experiments; one with other settings, or of fewer images, does not count.

    Returns:
        `{way: [(seeds on which the statement holds, seeds that can tell)]}`, in the order of the
        statements.
    """
    runs = {
        way: [_by_seed(spec, records) for spec in specs] for way, specs in alternatives.ways.items()
    }
    found = {way: [] for way in runs}
    for statement in alternatives.statements:
        about = {way: [ours[place] for place in statement.about] for way, ours in runs.items()}
        begun = [by_seed for ours in about.values() if all(ours) for by_seed in ours]
        seeds = sorted(set.intersection(*map(set, begun))) if begun else []
        for way, ours in about.items():
            found[way].append(_holds(statement, ours, seeds if all(ours) else []))
    return found


def _by_seed(spec, records):
    declared = [record for record in records if is_declared(record, spec)]
    return {record.seed: record for record in select_largest(declared)} if declared else {}


def _holds(statement, runs, seeds):
    values = []
    for seed in seeds:
        try:
            values.append(statement.quantity(*(one[seed] for one in runs)))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            continue  # a run whose curves are too short, or that has no pictures, cannot tell
    return sum(statement.low <= value <= statement.high for value in values), len(values)


# --- what is read off runs for a statement; where it speaks of both losses, both must show it ---


def higher_on_average(since: int) -> Callable[[Record], bool]:
    """Whether both losses' mean over the epochs after `since` is above their value at `since`."""
    return lambda run: all(
        fmean(run.history[name][since:]) > run.history[name][since - 1] for name in LOSSES
    )


def falls_throughout(visible: float) -> Callable[[Record], bool]:
    """Whether both losses fall, with no step up above such a share of their curve's height."""
    return lambda run: all(_falls(run.history[name], visible) for name in LOSSES)


def _falls(curve, visible):
    steps = [after - before for before, after in pairwise(curve)]
    return curve[-1] < curve[0] and max(steps) <= visible * (max(curve) - min(curve))


def count_steps_either_way(run: Record) -> int:
    """Of the steps of both losses from epoch 5 on how many go up, or down where those are fewer."""
    steps = [
        [after - before for before, after in pairwise(run.history[name][WOBBLE_FROM - 1 :])]
        for name in LOSSES
    ]
    return min(sum(sign * step > 0 for step in curve) for curve in steps for sign in (1, -1))


def take_ratio(name: str) -> Callable[[Record, Record], float]:
    """A metric of the last epoch of one run as a share of another's."""
    return lambda one, other: one.metrics[name] / other.metrics[name]


def take_difference(read: Callable[[Record], float]) -> Callable[[Record, Record], float]:
    """What is read off one run minus what is read off another."""
    return lambda one, other: read(one) - read(other)


def find_gap_change(one: Record, other: Record) -> float:
    """By how much one's gap between the losses is wider than the other's, over the other's loss."""
    gaps = [run.metrics["val_loss"] - run.metrics["train_eval_loss"] for run in (one, other)]
    return (gaps[0] - gaps[1]) / other.metrics["val_loss"]
