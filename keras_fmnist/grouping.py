"""Which records belong together: those that stand for an experiment, and their mean."""

import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence

from keras_fmnist.results import Record
from keras_fmnist.specs import TRAIN_IMAGES, Spec, settings


def is_declared(record: Record, spec: Spec) -> bool:
    """Whether a record is of an experiment as it is declared, over every training image."""
    found = (record.id, record.spec, record.examples)
    return found == (spec.id, settings(spec), TRAIN_IMAGES)


def by_experiment(records: Iterable[Record]) -> dict[str, list[Record]]:
    """`{experiment's id: its records}`, in the order in which they come."""
    found = {}
    for record in records:
        found.setdefault(record.id, []).append(record)
    return found


def alike(records: Iterable[Record]) -> list[list[Record]]:
    """Records that differ in nothing but the seed: what may be averaged."""
    groups = {}
    for record in records:
        spec = json.dumps(record.spec, sort_keys=True)
        epochs = len(next(iter(record.history.values()), []))  # fewer where training was stopped
        key = (record.id, record.backend, record.device, record.examples, spec, epochs)
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def leading(records: Iterable[Record]) -> list[Record]:
    """Of one experiment's records those that stand for it: the group with most seeds."""
    return max(
        alike(records), key=lambda g: (len(g), g[0].backend == "torch", g[0].device == "gpu")
    )


def of_seed(
    records: Sequence[Record], seed: int, usable: Callable[[Record], bool] = lambda record: True
) -> Record | None:
    """Of one experiment's records a usable run with a seed; of several, one of those that stand."""
    runs = [record for record in records if record.seed == seed and usable(record)]
    if not runs:
        return None
    standing = [record for record in leading(records) if record in runs]
    return (standing or leading(runs))[0]


def mean_interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and half the width of its 95 % confidence interval (Student's t), None for one value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    # scipy.stats takes half a second more to import; one seed needs neither.
    from scipy.special import stdtrit

    spread = statistics.stdev(values) / math.sqrt(len(values))
    return mean, float(stdtrit(len(values) - 1, 0.975)) * spread
