"""The places that Python keeps values in: read, compared and put back in one way."""

import collections
from collections.abc import Iterator
from typing import Any

from keras_fmnist.fast_fit.reach import Reach

ABSENT = object()


class Place:
    """One dict, list, cell or object, what it held, and how it gets that back.

    Args:
        holder: what holds the values.
        label: its own name, where it has one.
        ignored: names of values that are left alone.

    Attributes:
        before: `{name: value}`, what it held when this was made.
    """

    def __init__(self, holder: Any, label: str, ignored: frozenset = frozenset()) -> None:
        self.holder, self.label, self.ignored = holder, label, ignored
        self.before = self.read()

    def read(self) -> dict[Any, Any]:
        """What it holds now."""
        raise NotImplementedError

    def put(self, name: Any, value: Any) -> None:
        """Give one value back; `ABSENT` where there was none."""
        raise NotImplementedError

    def finish(self) -> None:
        """After the last `put`."""

    def describe(self, name: Any) -> str:
        """What to call the value of a name in a message."""
        return self.label

    def ignored_values(self) -> list[Any]:
        """What it holds under the ignored names."""
        return [self.holder[name] for name in self.ignored if name in self.holder]


class _Namespace(Place):
    def read(self):
        return {k: v for k, v in list(self.holder.items()) if k not in self.ignored}

    def put(self, name, value):
        if value is ABSENT:
            del self.holder[name]
        else:
            dict.__setitem__(self.holder, name, value)

    def describe(self, name):
        return str(name)


class _Items(Place):
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


class _Attributes(Place):
    def __init__(self, holder, names, label):
        self.names = names
        super().__init__(holder, label)

    def read(self):
        return {name: getattr(self.holder, name, ABSENT) for name in self.names}

    def put(self, name, value):
        # A closure's tuple and a slot that was empty can not be put back.
        if value is not ABSENT and name != "__closure__":
            setattr(self.holder, name, value)

    def describe(self, name):
        return name.removeprefix("__") if name.startswith("__") else name


class _Named(Place):
    def __init__(self, holder, names, label):
        self.names = names
        super().__init__(holder, label)

    def read(self):
        return {name: self.holder[name] for name in self.names if name in self.holder}

    put = _Namespace.put
    describe = _Namespace.describe


class _Cell(Place):
    def read(self):
        try:
            return {self.label: self.holder.cell_contents}
        except ValueError:
            return {}

    def put(self, name, value):
        self.holder.cell_contents = value


class _Class(Place):
    def read(self):
        return dict(vars(self.holder))

    def put(self, name, value):
        if value is ABSENT:
            delattr(self.holder, name)
        else:
            setattr(self.holder, name, value)

    describe = _Namespace.describe


def places_of(reach: Reach) -> Iterator[Place]:
    """All places that a walk has found, with what they hold now."""
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
