"""What a trace takes for granted of the Python around it, held so that a change is noticed."""

import collections
import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np

from keras_fmnist.fast_fit import places
from keras_fmnist.fast_fit.reach import SCALARS, Reach

# Longer arrays are compared at the start of an epoch only, with the constants of the step.
_LONGEST_ARRAY = 4096


class Settings:
    """What the step's Python may read, as it was when the step was traced.

    Args:
        model: the model.
        variables: those that the step reads.
    """

    def __init__(self, model: keras.Model, variables: list[keras.Variable] = ()) -> None:
        reach = Reach(model, *variables)
        self.generators = reach.generators
        self._places = list(places.places_of(reach))
        self._tensors = reach.tensors
        self._arrays = [a for a in reach.arrays if a.size <= _LONGEST_ARRAY]
        self._groups = _groups(reach)
        self._versions = self._read_versions()
        self._contents = self._read_contents()
        self._look()

    def have_changed(self) -> bool:
        """Whether a place holds another object, or another plain value."""
        if self._versions != self._read_versions() or self._contents != self._read_contents():
            return True
        if self._looks_alike():
            return False
        if any(True for _ in self._changed()):
            return True
        self._look()
        return False

    def changes(self) -> list[str]:
        """The names of what holds another object, or another plain value."""
        return sorted({label for *_, label in self._changed()})

    def restore(self) -> list[str]:
        """Undo what changed; returns the names."""
        changed = list(self._changed())
        for place, name, value, _ in changed:
            place.put(name, value)
        if changed:
            for place in {id(place): place for place, *_ in changed}.values():
                place.finish()
        names = {label for *_, label in changed}
        for array, content, now in zip(
            self._arrays, self._contents, self._read_contents(), strict=True
        ):
            if content != now:
                names.add("an array")
                array[...] = np.frombuffer(content, array.dtype).reshape(array.shape)
        return sorted(names)

    def _values(self):
        return itertools.chain.from_iterable(read() for read in self._groups)

    def _looks_alike(self):
        """At every step, and therefore in C."""
        try:
            now = list(self._values())
            # A list compares by identity first. What may be equal without being the same, another
            # list or tensor, is asked for it once more.
            return now == self._glance and all(map(operator.is_, self._pick(now), self._picked))
        except (ValueError, AttributeError, RuntimeError, TypeError):  # gone, or not to be compared
            return False

    def _look(self):
        self._glance = list(self._values())
        ignored = {id(v) for place in self._places for v in place.ignored_values()}
        picked = [
            i
            for i, value in enumerate(self._glance)
            if _is_compared_by_content(value) and id(value) not in ignored
        ]
        # Of one place alone a getter would give no tuple.
        self._pick = operator.itemgetter(*(picked or [0]), 0)
        self._picked = self._pick(self._glance)

    def _read_versions(self):
        return [tensor._version for tensor in self._tensors]

    def _read_contents(self):
        return [array.tobytes() for array in self._arrays]

    def _changed(self) -> Iterator[tuple[places.Place, Any, Any, str]]:
        for place in self._places:
            now = place.read()
            for name in {**place.before, **now}:
                before, value = place.before.get(name, places.ABSENT), now.get(name, places.ABSENT)
                if before is not value and not _are_equal(before, value):
                    yield place, name, before, place.describe(name)


def _is_compared_by_content(value):
    return not isinstance(value, SCALARS) and type(value).__eq__ is not object.__eq__


def _are_equal(one, other):
    return isinstance(one, SCALARS) and type(one) is type(other) and one == other


def _groups(reach) -> list[Callable[[], Iterable]]:
    """Functions that read all places of a kind at once."""
    chain = itertools.chain.from_iterable
    namespaces = [held for held, *_ in reach.namespaces]
    items = [held for held, _ in reach.items]
    cells = [cell for cell, _ in reach.cells]
    classes = [vars(cls) for cls in reach.classes]
    by_names = collections.defaultdict(list)
    for holder, names, _ in reach.attributes:
        by_names[names].append(holder)
    groups = [
        lambda: chain(map(dict.values, namespaces)),
        lambda: chain(items),
        lambda: map(operator.attrgetter("cell_contents"), cells),
        lambda: chain(held.values() for held in classes),
        lambda: chain(map(held.get, names) for held, names, _ in reach.named),
    ]
    for names, holders in by_names.items():
        if len(names) == 1:
            groups.append(functools.partial(map, operator.attrgetter(*names), holders))
        else:
            groups.append(functools.partial(_read_several, operator.attrgetter(*names), holders))
    return groups


def _read_several(getter, holders):
    return itertools.chain.from_iterable(map(getter, holders))


def optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """The optimizer and, where it wraps one, the inner optimizer."""
    outer = getattr(model, "optimizer", None)
    return [o for o in (outer, getattr(outer, "inner_optimizer", None)) if o is not None]
