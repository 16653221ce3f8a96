"""What a trace takes for granted of the Python around it, held so that a change is noticed."""

import operator
import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

_SCALARS = (bool, int, float, str, type(None))
# What fit, evaluate and a first call set; no step depends on it within its own trace.
_PASSING = (
    *("training", "_called", "history", "_eval_epoch_iterator"),
    *("stop_training", "stop_evaluating", "stop_predicting"),
    *("train_function", "test_function", "predict_function"),
)


class Settings:
    """What the objects that a step is made of hold, as it was when the step was traced."""

    def __init__(self, model: keras.Model) -> None:
        self._held = []
        ignored = {*_PASSING, *_bookkeeping()}
        for owner in _owners(model):
            held = vars(owner)
            names = [name for name in held if name not in ignored]
            self._held.append((held, names, [held[name] for name in names]))

    def have_changed(self) -> bool:
        """Whether a place holds another object, or another plain value."""
        return any(True for _ in self._changed())

    def restore(self) -> list[str]:
        """Undo what changed; returns the names."""
        changed = list(self._changed())
        for held, name, value in changed:
            held[name] = value
        return sorted({name for _, name, _ in changed})

    def _changed(self) -> Iterator[tuple[dict, str, Any]]:
        for held, names, values in self._held:
            # At every step: in C, and by identity, which most of what has not changed keeps.
            if all(map(operator.is_, map(held.get, names), values)):
                continue
            for name, value in zip(names, values, strict=True):
                now = held.get(name)
                if now is not value and not _are_equal(now, value):
                    yield held, name, value


def _bookkeeping():
    """The lists, dicts and hooks of every layer, half of what it holds, which a call only fills."""
    bare = vars(keras.layers.Layer())
    plain = (*_SCALARS, keras.DTypePolicy)
    return [name for name, value in bare.items() if not isinstance(value, plain)]


def _are_equal(one, other):
    return isinstance(one, _SCALARS) and type(one) is type(other) and one == other


def _owners(model):
    """Layers, optimizer, schedule, losses, metrics, regularizers: what a step is made of."""
    owners = model._flatten_layers()
    if model.compiled:
        owners += [*optimizers(model), *model.metrics, *keras.tree.flatten(model.loss)]
        owners += [m for group in model.metrics for m in getattr(group, "metrics", [])]
        owners += [optimizer._learning_rate for optimizer in optimizers(model)]
    owners += [v.regularizer for v in model.variables if v.regularizer is not None]
    return [o for o in owners if hasattr(o, "__dict__") and not isinstance(o, keras.Variable)]


def optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """The optimizer and, where it wraps one, the inner optimizer."""
    outer = getattr(model, "optimizer", None)
    return [o for o in (outer, getattr(outer, "inner_optimizer", None)) if o is not None]


class PythonDraws:
    """The generators of `random` and `numpy.random`, as they were before a trace."""

    def __init__(self) -> None:
        self._python, self._numpy = random.getstate(), np.random.get_state()

    def restore(self) -> bool:
        """Undo what was drawn; returns whether something was."""
        before = self._python, _plain(self._numpy)
        now = random.getstate(), _plain(np.random.get_state())
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        return now != before


def _plain(state):
    name, keys, *rest = state
    return name, keys.tobytes(), rest
