"""Follows a model while it runs: which layers are called, on whose outputs, with what result."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from unittest import mock

import keras
import numpy as np


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        name: path to the layer, such as `encoder.conv1`.
        layer: the layer.
        input_shape: shape of its first input, without the batch.
        output: its first output.
        before: names of the layers from which its inputs come.
    """

    name: str
    layer: keras.layers.Layer
    input_shape: tuple[int, ...]
    output: np.ndarray
    before: tuple[str, ...]


def list_layers(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yields `(name, layer)` in the order of the model; inner ones as `encoder.conv1`."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from list_layers(layer, f"{prefix}{layer.name}.")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer


def walk_back(name: str, before: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Yields a layer and those before it, each once, the nearest first.

    Args:
        name: of the layer to begin with.
        before: gives the names of the layers whose outputs one takes, as in `Call.before`.
    """
    seen, ahead = {name}, [name]
    while ahead:
        name = ahead.pop(0)
        yield name
        new = [other for other in dict.fromkeys(before(name)) if other not in seen]
        seen.update(new)
        ahead += new


@contextlib.contextmanager
def follow_calls(model: keras.Model, see: Callable[[Call], None]) -> Iterator[None]:
    """A context in which `see` is told of every call of a layer of the model, in order.

    Any model will do: sequential, functional, subclassed, and nets within nets. Layers that a layer
    of somebody's own keeps to itself are a part of that layer. What a subclassed model computes
    between its layers, with `keras.ops` or a `+`, is not seen: there the layers before are unknown.
    """
    names = {id(layer): name for name, layer in list_layers(model)}
    makers = {}  # of a tensor, by its id
    alive = []  # a tensor that is freed would leave its id to another
    call_operation = keras.Operation.__call__

    def call(operation, *args, **kwargs):
        outputs = call_operation(operation, *args, **kwargs)
        inputs, made = (_find_tensors(values) for values in ((args, kwargs), outputs))
        before = tuple(dict.fromkeys(name for x in inputs for name in makers.get(id(x), ())))
        name = names.get(id(operation))
        alive.extend(made)
        for x in made:
            if name is not None:
                makers[id(x)] = (name,)
            else:  # an operation hands on; a net gives what the last layer in it made
                makers.setdefault(id(x), before)
        if name is not None and inputs and made:
            output = keras.ops.convert_to_numpy(made[0])
            see(Call(name, operation, tuple(inputs[0].shape[1:]), output, before))
        return outputs

    with mock.patch.object(keras.Operation, "__call__", call):
        yield


def _find_tensors(values):
    return [x for x in keras.tree.flatten(values) if hasattr(x, "shape") and len(x.shape)]
