"""Which records belong together: those that stand for an experiment, and their mean."""

import json
from collections.abc import Callable, Iterable, Sequence

from keras_fmnist.records.record import Record
from keras_fmnist.specs import TRAIN_IMAGES, Spec, settings


def is_declared(record: Record, spec: Spec) -> bool:
    """Whether a record is of an experiment as it is declared, over every training image."""
    found = (record.id, record.spec, record.examples)
    return found == (spec.id, settings(spec), TRAIN_IMAGES)


def group_by_experiment(records: Iterable[Record]) -> dict[str, list[Record]]:
    """`{experiment's id: its records}`, in the order in which they come."""
    found = {}
    for record in records:
        found.setdefault(record.id, []).append(record)
    return found


def group_alike(records: Iterable[Record]) -> list[list[Record]]:
    """Records that differ in nothing but the seed: what may be averaged."""
    groups = {}
    for record in records:
        spec = json.dumps(record.spec, sort_keys=True)
        epochs = len(next(iter(record.history.values()), []))  # fewer where training was stopped
        key = (record.id, record.backend, record.device, record.examples, spec, epochs)
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def select_largest(records: Iterable[Record]) -> list[Record]:
    """Of one experiment's records those that stand for it: the group with most seeds."""
    return max(
        group_alike(records), key=lambda g: (len(g), g[0].backend == "torch", g[0].device == "gpu")
    )


def find_seed(
    records: Sequence[Record], seed: int, usable: Callable[[Record], bool] = lambda record: True
) -> Record | None:
    """Of one experiment's records a usable run with a seed; of several, one of those that stand."""
    runs = [record for record in records if record.seed == seed and usable(record)]
    if not runs:
        return None
    standing = [record for record in select_largest(records) if record in runs]
    return (standing or select_largest(runs))[0]
