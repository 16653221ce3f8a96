"""Ways to fill one gap of a report, held to what it says in words: how often each sentence holds.

`ranking` ranks readings by printed numbers. Where a report prints none for a gap, its words on
the curves and pictures that came of it are all there is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keras_fmnist.claims.quantities import Quantity
from keras_fmnist.records.groups import is_declared, select_largest
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec


@dataclass(frozen=True)
class Statement:
    """A sentence of a report: what is read off runs with the same seed lies between two bounds.

    Attributes:
        where: the figure that it is said of.
        says: what is taken to be said, in one line.
        quantity: a number or a yes.
        about: which of an alternative's experiments the quantity takes, in its order, from 0 on.
        low: the least that it may be; 1 for a yes.
        high: the most.
    """

    where: str
    says: str
    quantity: Quantity
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
    """On how many seeds each statement holds.

    Args:
        alternatives: an `Alternatives`.
        records: of any experiments; one with other settings, or of fewer images, does not count.

    Returns:
        `{way: [(seeds on which the statement holds, seeds that can tell)]}`, in the order of the
        statements.
    """
    found = {}
    for way, specs in alternatives.ways.items():
        runs = [_by_seed(spec, records) for spec in specs]
        found[way] = [
            _holds(statement, [runs[place] for place in statement.about])
            for statement in alternatives.statements
        ]
    return found


def _by_seed(spec, records):
    declared = [record for record in records if is_declared(record, spec)]
    return {record.seed: record for record in select_largest(declared)} if declared else {}


def _holds(statement, runs):
    seeds = set.intersection(*map(set, runs))
    values = [statement.quantity.of(*(one[seed] for one in runs)) for seed in sorted(seeds)]
    return sum(statement.low <= value <= statement.high for value in values), len(values)
