"""Every place of the Python around a step that a trace may have read: objects, lists, closures.

A walk from the model over what it holds: attributes, items, the cells, defaults and globals of the
functions, the attributes of classes. What belongs to a library is taken as it is: its functions and
classes do not change, its objects do.
"""

import collections
import functools
import random
import sys
import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import torch
from keras.src.ops.node import Node
from keras.src.utils.tracking import Tracker

SCALARS = (bool, int, float, complex, str, bytes, type(None))
GENERATORS = (random.Random, np.random.Generator, np.random.RandomState, torch.Generator)
# What fit, evaluate and a first call set; no step depends on it within its own trace.
_PASSING = {
    *("training", "_called", "history", "_eval_epoch_iterator"),
    *("stop_training", "stop_evaluating", "stop_predicting"),
    *("train_function", "test_function", "predict_function"),
    "_exclude_from_weight_decay_cache",  # of an optimizer
}
_LIBRARIES = {"keras", "torch", "numpy", "ml_dtypes", "optree", *sys.stdlib_module_names} - {
    "__main__"
}
_ATOMS = (*SCALARS, Node, Tracker, keras.KerasTensor, torch.dtype, torch.device, types.CodeType)
# A list or dict that is longer is data, and is left alone.
_LONGEST = 1000
_MOST_PLACES = 20_000

_FUNCTION_ATTRIBUTES = ("__code__", "__defaults__", "__kwdefaults__", "__closure__")


class Reach:
    """What can be reached from some objects, by the kind of place.

    Attributes:
        namespaces: (dict, label, ignored names): attributes of objects, and plain dicts.
        items: (list, deque or set, label).
        cells: (closure cell, label).
        attributes: (object, names, label): of functions, Keras variables and slots.
        named: (dict, names, label): the globals that a function names.
        classes: classes of the user.
        tensors: torch tensors that are no variable's.
        arrays: numpy arrays.
        generators: of random numbers.
    """

    def __init__(self, *roots: Any) -> None:
        self.namespaces, self.items, self.cells = [], [], []
        self.attributes, self.named, self.classes = [], [], []
        self.tensors, self.arrays, self.generators = [], [], []
        self._seen, self._waiting = set(), collections.deque((root, "it") for root in roots)
        while self._waiting and len(self._seen) < _MOST_PLACES:
            self._visit(*self._waiting.popleft())
        del self._waiting

    def _visit(self, value, label):
        if isinstance(value, _ATOMS) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        for kinds, visit in _VISITS:
            if isinstance(value, kinds):
                visit(self, value, label)
                return
        self._visit_object(value, label)

    def _add(self, values, label):
        self._waiting.extend((value, label) for value in values)

    def _visit_namespace(self, held, label):
        if len(held) <= _LONGEST:
            self.namespaces.append((held, label, frozenset()))
            # A copy: another thread may write it.
            self._waiting.extend((v, str(k)) for k, v in list(held.items()))

    def _visit_items(self, held, label):
        if len(held) <= _LONGEST:
            self.items.append((held, label))
            self._add(list(held), label)

    def _visit_tuple(self, held, label):
        if len(held) <= _LONGEST:
            self._add(held, label)

    def _visit_function(self, function, label):
        if _is_of_a_library(function):
            return
        self.attributes.append((function, _FUNCTION_ATTRIBUTES, label))
        names = [n for n in _named_by(function.__code__) if n in function.__globals__]
        if names:
            self.named.append((function.__globals__, names, label))
            self._waiting.extend((function.__globals__[n], n) for n in names)
        self._visit_members_of_modules(function, names)
        self._add([function.__defaults__, function.__kwdefaults__], label)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            self._waiting.append((cell, name))
        if vars(function):
            self._visit_namespace(vars(function), label)

    def _visit_members_of_modules(self, function, names):
        """What a function takes by name from modules of the user's own: `settings.weight`."""
        for module in (function.__globals__[n] for n in names):
            if isinstance(module, types.ModuleType) and not _is_library(module.__name__):
                members = [n for n in _named_by(function.__code__) if n in vars(module)]
                self.named.append((vars(module), members, module.__name__))
                self._waiting.extend((vars(module)[n], n) for n in members)

    def _visit_cell(self, cell, label):
        try:
            content = cell.cell_contents
        except ValueError:  # not filled yet
            return
        self.cells.append((cell, label))
        self._waiting.append((content, label))

    def _visit_partial(self, partial, label):
        self._add([partial.func, partial.args, partial.keywords], label)

    def _visit_method(self, method, label):
        self._add([method.__func__, method.__self__], label)

    def _visit_builtin(self, method, label):
        self._add([method.__self__], label)

    def _visit_variable(self, variable, label):
        self.namespaces.append((vars(variable), label, frozenset()))
        self._add([variable._regularizer, variable._constraint], label)

    def _visit_tensor(self, tensor, label):
        if not tensor.is_inference():  # these count no versions
            self.tensors.append(tensor)

    def _visit_array(self, array, label):
        self.arrays.append(array)

    def _visit_generator(self, generator, label):
        self.generators.append(generator)

    def _visit_class(self, cls, label):
        if not _is_of_a_library(cls):
            self.classes.append(cls)
            self._waiting.extend(
                (v, n)
                for n, v in list(vars(cls).items())
                if not isinstance(v, types.GetSetDescriptorType)
            )

    def _visit_property(self, member, label):
        self._add([member.fget], label)

    def _visit_wrapper(self, member, label):
        self._add([member.__func__], label)

    def _visit_object(self, value, label):
        self._add(type(value).__mro__, label)
        slots = [n for cls in type(value).__mro__ for n in _slots(cls) if hasattr(value, n)]
        if slots and not _is_of_a_library(type(value)):
            self.attributes.append((value, tuple(slots), label))
            self._waiting.extend((getattr(value, n), n) for n in slots)
        if not hasattr(value, "__dict__") or _is_opaque(type(value)):
            return
        held = vars(value)
        ignored = _PASSING | _bookkeeping() if isinstance(value, keras.layers.Layer) else _PASSING
        self.namespaces.append((held, label, ignored))
        self._waiting.extend((v, k) for k, v in list(held.items()) if k not in ignored)


_VISITS = (
    (keras.Variable, Reach._visit_variable),
    (torch.Tensor, Reach._visit_tensor),
    (np.ndarray, Reach._visit_array),
    (GENERATORS, Reach._visit_generator),
    (dict, Reach._visit_namespace),
    ((list, collections.deque, set), Reach._visit_items),
    ((tuple, frozenset), Reach._visit_tuple),
    (types.FunctionType, Reach._visit_function),
    (types.CellType, Reach._visit_cell),
    (functools.partial, Reach._visit_partial),
    (types.MethodType, Reach._visit_method),
    (types.BuiltinMethodType, Reach._visit_builtin),
    (type, Reach._visit_class),
    (property, Reach._visit_property),
    ((staticmethod, classmethod), Reach._visit_wrapper),
    (types.ModuleType, lambda *_: None),
)


@functools.cache
def _bookkeeping():
    """The lists, dicts and hooks of every layer, half of what it holds, which a call only fills."""
    bare = vars(keras.layers.Layer())
    plain = (*SCALARS, keras.DTypePolicy)
    return {name for name, value in bare.items() if not isinstance(value, plain)}


def _named_by(code) -> Iterator[str]:
    """Names that a function and the functions inside it look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named_by(constant)


def _slots(cls):
    slots = vars(cls).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else slots
    return [n for n in names if n not in ("__dict__", "__weakref__") and not n.startswith("__")]


@functools.cache
def _is_library(module):
    return module.split(".")[0] in _LIBRARIES or f"{module}.".startswith(f"{__package__}.")


def _is_of_a_library(thing):
    return _is_library(getattr(thing, "__module__", None) or "builtins")


def _is_opaque(cls):
    """Whether the objects of a class hold nothing that a step reads: locks, torch's own."""
    is_keras_own = (cls.__module__ or "").split(".")[0] == "keras"
    return _is_of_a_library(cls) and not is_keras_own and cls is not types.SimpleNamespace
