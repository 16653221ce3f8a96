"""Groups records: those of one experiment, and among them those that may be averaged."""

import json
from collections.abc import Callable, Iterable, Sequence

from keras_fmnist.records.record import Record
from keras_fmnist.records.run import NATIVE
from keras_fmnist.specs import TRAIN_IMAGES, Spec, settings


def is_declared(record: Record, spec: Spec) -> bool:
    """Whether a record has the declared settings of an experiment and all training images."""
    found = (record.id, record.spec, record.examples)
    return found == (spec.id, settings(spec), TRAIN_IMAGES)


def group_by_experiment(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Returns `{id of an experiment: its records}`, in the order in which they come."""
    found = {}
    for record in records:
        found.setdefault(record.id, []).append(record)
    return found


def group_alike(records: Iterable[Record]) -> list[list[Record]]:
    """Groups records that differ in the seed alone and so may be averaged."""
    groups = {}
    for record in records:
        spec = json.dumps(record.spec, sort_keys=True)
        epochs = len(next(iter(record.history.values()), []))  # fewer where training was stopped
        key = (record.id, record.backend, record.device, record.examples, spec, epochs)
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def select_largest(records: Iterable[Record]) -> list[Record]:
    """Returns the records that the tables show for one experiment: the group with most seeds.

    Of groups with as many seeds, torch comes first, then the GPU. Runs without Keras are shown
    only where there are no others.

    Args:
        records: of one experiment, at least one.
    """
    return max(
        group_alike(records),
        key=lambda g: (
            g[0].backend != NATIVE,
            len(g),
            g[0].backend == "torch",
            g[0].device == "gpu",
        ),
    )


def select_groups(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Returns `{id of an experiment: the records that the tables show for it}`."""
    found = group_by_experiment(records)
    return {name: select_largest(group) for name, group in found.items()}


def find_seed(
    records: Sequence[Record], seed: int, usable: Callable[[Record], bool] = lambda record: True
) -> Record | None:
    """Finds the record of a seed among those of one experiment.

    If there are several, such as one for each backend, it returns the one that is in the group
    which the tables show (`select_largest`).

    Args:
        records: of one experiment.
        seed: the seed to find.
        usable: tells which records may be returned.

    Returns:
        A record, or None if no usable one has this seed.
    """
    runs = [record for record in records if record.seed == seed and usable(record)]
    if not runs:
        return None
    shown = [record for record in select_largest(records) if record in runs]
    return (shown or select_largest(runs))[0]
