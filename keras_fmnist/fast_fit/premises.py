"""What a trace takes for granted of the Python around it, held so that a change is noticed."""

import collections
import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

from keras_fmnist.fast_fit.reach import SCALARS, Reach

_ABSENT = object()
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
        self._places = list(_places(reach))
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

    def restore(self) -> list[str]:
        """Undo what changed; returns the names."""
        changed = list(self._changed())
        for place, name, value, _ in changed:
            place.put(name, value)
        if changed:
            for place in {id(place): place for place, *_ in changed}.values():
                place.finish()
        return sorted({label for *_, label in changed})

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
        places = [
            i
            for i, value in enumerate(self._glance)
            if _is_compared_by_content(value) and id(value) not in ignored
        ]
        # Of one place alone a getter would give no tuple.
        self._pick = operator.itemgetter(*(places or [0]), 0)
        self._picked = self._pick(self._glance)

    def _read_versions(self):
        return [tensor._version for tensor in self._tensors]

    def _read_contents(self):
        return [array.tobytes() for array in self._arrays]

    def _changed(self) -> Iterator[tuple["_Place", Any, Any, str]]:
        for place in self._places:
            now = place.read()
            for name in {**place.before, **now}:
                before, value = place.before.get(name, _ABSENT), now.get(name, _ABSENT)
                if before is not value and not _are_equal(before, value):
                    yield place, name, before, place.describe(name)


def _is_compared_by_content(value):
    return not isinstance(value, SCALARS) and type(value).__eq__ is not object.__eq__


def _are_equal(one, other):
    return isinstance(one, SCALARS) and type(one) is type(other) and one == other


class _Place:
    """One dict, list, cell or object, what it held, and how it gets that back."""

    def __init__(self, holder, label, ignored=frozenset()):
        self.holder, self.label, self.ignored = holder, label, ignored
        self.before = self.read()

    def describe(self, name):
        return self.label

    def ignored_values(self):
        return [self.holder[name] for name in self.ignored if name in self.holder]

    def finish(self):
        """After the last `put`."""


class _Namespace(_Place):
    def read(self):
        return {k: v for k, v in list(self.holder.items()) if k not in self.ignored}

    def put(self, name, value):
        if value is _ABSENT:
            del self.holder[name]
        else:
            dict.__setitem__(self.holder, name, value)

    def describe(self, name):
        return str(name)


class _Items(_Place):
    def read(self):
        return dict(enumerate(list(self.holder)))

    def put(self, name, value):
        pass

    def finish(self):
        # Not by the holder's own methods: Keras's lists look into what is put in.
        values = self.before.values()
        kind = next(k for k in (list, set, collections.deque) if isinstance(self.holder, k))
        kind.clear(self.holder)
        (set.update if kind is set else kind.extend)(self.holder, values)


class _Attributes(_Place):
    def __init__(self, holder, names, label):
        self.names = names
        super().__init__(holder, label)

    def read(self):
        return {name: getattr(self.holder, name, _ABSENT) for name in self.names}

    def put(self, name, value):
        # A closure's tuple and a slot that was empty can not be put back.
        if value is not _ABSENT and name != "__closure__":
            setattr(self.holder, name, value)

    def describe(self, name):
        return name.removeprefix("__") if name.startswith("__") else name


class _Named(_Place):
    def __init__(self, holder, names, label):
        self.names = names
        super().__init__(holder, label)

    def read(self):
        return {name: self.holder[name] for name in self.names if name in self.holder}

    put = _Namespace.put
    describe = _Namespace.describe


class _Cell(_Place):
    def read(self):
        try:
            return {self.label: self.holder.cell_contents}
        except ValueError:
            return {}

    def put(self, name, value):
        self.holder.cell_contents = value


class _Class(_Place):
    def read(self):
        return dict(vars(self.holder))

    def put(self, name, value):
        if value is _ABSENT:
            delattr(self.holder, name)
        else:
            setattr(self.holder, name, value)

    describe = _Namespace.describe


def _places(reach):
    for held, label, ignored in reach.namespaces:
        yield _Namespace(held, label, ignored)
    for held, label in reach.items:
        yield _Items(held, label)
    for holder, names, label in reach.attributes:
        yield _Attributes(holder, names, label)
    for held, names, label in reach.named:
        yield _Named(held, names, label)
    for cell, label in reach.cells:
        yield _Cell(cell, label)
    for cls in reach.classes:
        yield _Class(cls, cls.__name__)


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
