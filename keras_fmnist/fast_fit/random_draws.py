"""Random numbers of Keras's layers, drawn by torch where a step is replayed.

Keras seeds a new generator on the host for every draw (`keras.random.SeedGenerator`), which a trace
can not write down. A layer without a seed of its own draws from torch's global generator instead; a
layer with a seed from one generator that starts from it. The distributions are Keras's own.
"""

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import torch
from keras.src.backend.torch import random as keras_random  # what it patches is not public
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes

from keras_fmnist.fast_fit.errors import UntraceableError

# Those that return what they draw. The methods of tensors that draw in place are not among them.
_DRAWING = {
    *(torch.rand, torch.randn, torch.randint, torch.randperm, torch.normal),
    *(torch.bernoulli, torch.multinomial, torch.poisson),
}
_active = threading.local()
# By Keras's generator: torch's, and the version of Keras's state that it was seeded from.
_generators = weakref.WeakKeyDictionary()


class _Draw(torch.nn.Module):
    """One draw of a step from a generator of its own."""

    def __init__(self, function, args, kwargs, generator):
        super().__init__()
        self.generator = generator
        self._call = (function, args, kwargs)

    def forward(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        function, args, kwargs = self._call
        rest = iter(tensors)
        args = [next(rest) if argument is None else argument for argument in args]
        return function(*args, **kwargs, generator=self.generator)


@torch.library.custom_op("keras_fmnist::draw", mutates_args=())
def _draw(index: int, tensors: list[torch.Tensor]) -> torch.Tensor:
    return _active.draws[index](tensors)


@_draw.register_fake
def _(index, tensors):
    function, args, kwargs = _active.draws[index]._call
    rest = iter(tensors)
    return function(*[next(rest) if a is None else a for a in args], **kwargs)


class _DrawsAsNodes(TorchFunctionMode):
    """Writes a draw from a generator of its own down as one operation."""

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        generator = kwargs.get("generator")
        if any(generator is fixed for fixed in _active.fixed):
            return _draw_once(func, args, kwargs)
        if not isinstance(generator, torch.Generator) or func not in _DRAWING:
            return func(*args, **kwargs)
        del kwargs["generator"]
        tensors = [a for a in args if isinstance(a, torch.Tensor)]
        template = [None if isinstance(a, torch.Tensor) else a for a in args]
        _active.draws.append(_Draw(func, template, kwargs, generator))
        return _draw(len(_active.draws) - 1, tensors)


def _draw_once(func, args, kwargs):
    if any(isinstance(a, torch.Tensor) for a in (*args, *kwargs.values())):
        raise UntraceableError("a draw with a fixed seed depends on what a step computes")
    with _disable_current_modes():
        return func(*args, **kwargs)


@contextlib.contextmanager
def drawn_by_torch(exact: bool) -> Iterator[None]:
    """While it lasts, what this thread draws through Keras comes from generators of torch.

    Args:
        exact: allow only draws that give the bits of stock Keras.
    """
    keras_own = keras_random.torch_seed_generator
    _active.draws, _active.fixed = [], []

    def torch_seed_generator(seed):
        if getattr(_active, "draws", None) is None:  # another thread
            return keras_own(seed)
        if isinstance(seed, int):
            return _fixed_generator(seed)
        if exact:
            raise UntraceableError("Keras seeds the generator of a layer anew at every step")
        return _generator_of(seed)

    keras_random.torch_seed_generator = torch_seed_generator
    try:
        with _DrawsAsNodes():
            yield
    finally:
        keras_random.torch_seed_generator = keras_own
        _active.draws = _active.fixed = None


def _fixed_generator(seed):
    """A generator for one draw, which gives the same numbers at every call."""
    generator = torch.Generator(keras_random.get_device()).manual_seed(seed & 0xFFFFFFFF)
    _active.fixed.append(generator)
    return generator


def _generator_of(seed):
    if seed is None or seed._initial_seed is None:
        return None  # torch's global one
    state = seed.state._value
    generator, version = _generators.get(seed, (None, None))
    if version != (id(state), state._version):
        generator = generator or torch.Generator(keras_random.get_device())
        with _disable_current_modes():
            generator.manual_seed(int(state.sum()) & 0xFFFFFFFF)
        _generators[seed] = generator, (id(state), state._version)
    return generator


def states_among(variables: list[keras.Variable]) -> list[torch.Tensor]:
    """The states that generators of layers were seeded from: where one is set, they are again."""
    states = {id(generator.state) for generator in list(_generators)}
    return [v._value for v in variables if id(v) in states]


def place_draws(module: torch.fx.GraphModule) -> None:
    """Put each draw from a generator of its own into a traced step; while `drawn_by_torch` lasts.

    Args:
        module: `torch.fx.GraphModule`, changed in place.
    """
    for node in module.graph.find_nodes(
        op="call_function", target=torch.ops.keras_fmnist.draw.default
    ):
        index, tensors = node.args
        name = f"_draw_{index}"
        module.add_submodule(name, _active.draws[index])
        with module.graph.inserting_before(node):
            placed = module.graph.call_module(name, (tensors,))
        placed.meta = dict(node.meta)
        node.replace_all_uses_with(placed)
        module.graph.erase_node(node)
