"""Random numbers that the Python of a step draws: a replay would repeat those of its trace."""

import random
import sys
import threading
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import torch

from keras_fmnist.fast_fit.reach import GENERATORS


class Draws:
    """The states of the generators of random numbers in Python, as they were before a trace.

    The generators of the modules `random` and `numpy.random` are everybody's: the workers of a data
    set may draw from them meanwhile.

    Args:
        generators: those that the model holds.
    """

    def __init__(self, generators: Iterable[Any] = ()) -> None:
        self._own = _states(generators)
        self._shared = _states([random.getstate.__self__, np.random.get_state.__self__])
        self._others = _positions_of_other_threads()

    def have_happened(self) -> bool:
        """Whether this thread has drawn, as far as can be told."""
        return _have_moved(self._own) or (_have_moved(self._shared) and self._is_alone())

    def may_have_happened(self) -> bool:
        """Whether something was drawn, by whichever thread."""
        return _have_moved(self._own) or _have_moved(self._shared)

    def restore(self) -> None:
        """Undo what this thread has drawn."""
        for generator, before in self._own + (self._shared if self._is_alone() else []):
            _SETTERS[_kind(generator)](generator, before)

    def _is_alone(self):
        """Whether every other thread still waits where it did."""
        return _positions_of_other_threads() == self._others


def _positions_of_other_threads():
    """By thread: the frame it is in, which a new call would not be, and the instruction there."""
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)
    return {thread: (frame, frame.f_lasti) for thread, frame in frames.items()}


def _states(generators):
    return [(generator, _state(generator)) for generator in generators]


def _have_moved(states):
    return any(not _are_the_same(_state(generator), before) for generator, before in states)


def _kind(generator):
    return next(kind for kind in GENERATORS if isinstance(generator, kind))


def _state(generator):
    return _GETTERS[_kind(generator)](generator)


def _set_bit_generator(generator, state):
    generator.bit_generator.state = state


_GETTERS = {
    random.Random: random.Random.getstate,
    np.random.RandomState: np.random.RandomState.get_state,
    np.random.Generator: lambda generator: generator.bit_generator.state,
    torch.Generator: torch.Generator.get_state,
}
_SETTERS = {
    random.Random: random.Random.setstate,
    np.random.RandomState: np.random.RandomState.set_state,
    np.random.Generator: _set_bit_generator,
    torch.Generator: torch.Generator.set_state,
}


def _are_the_same(one, other):
    pairs = zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
