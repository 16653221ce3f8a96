"""Measures any Keras net layer by layer: shapes, parameters, unreached positions, dead units."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from keras_fmnist.models.calls import Call, follow_calls, walk_back
from keras_fmnist.seeds import generator_states, seed_dropout, set_generator_states

RELUS = ("relu", "relu6")


@dataclass(frozen=True)
class Row:
    """What was measured of a layer.

    Attributes:
        name: path to the layer, such as `encoder.conv1`.
        shape: shape of its output, without the batch.
        parameters: number of parameters, trainable or not.
        bias_alone: positions of its output that no input reaches, whatever the weights; None if
            the layer is not a convolution.
        positions: positions of its output; None if the layer is not a convolution.
        gap: mean absolute output in training mode over that in evaluation mode, for the same
            images and weights, all layers before it included. Dropout alone does not change it,
            because it scales up the values that it keeps; layers after it may.
        dead: units behind a ReLU that are 0 for every image in evaluation mode, a channel of a map
            where it is 0 everywhere; None if there is no ReLU.
        units: units or channels; None if there is no ReLU.
        before: names of the layers whose outputs it takes.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    bias_alone: int | None
    positions: int | None
    gap: float
    dead: int | None = None
    units: int | None = None
    before: tuple[str, ...] = ()


Inputs = np.ndarray | list[np.ndarray] | dict[str, np.ndarray]


def measure_layers(model: keras.Model, images: Inputs, batch_size: int, seed: int = 0) -> list[Row]:
    """Measures every layer; the model, its statistics and its generators stay as they are.

    Args:
        model: any Keras model.
        images: `(n, …)` in the shape of the model's input, or a list or dict of such for several
            inputs; 1000 give the gap to about 1 %.
        batch_size: images a batch in training, which matters to batch norm.
        seed: of the dropout.

    Returns:
        A `Row` for each layer that is called, in the order of the calls.
    """
    evaluated = _measure_outputs(model, images, batch_size, training=False)
    states = generator_states(model)
    seed_dropout(model, seed, 0)
    with keras.StatelessScope():  # so that batch norm does not keep what it learns
        trained = _measure_outputs(model, images, batch_size, training=True)
    set_generator_states(model, states)
    return [_make_row(name, evaluated, trained) for name in evaluated]


class _Outputs:
    """What one layer gave over all batches."""

    def __init__(self, call: Call):
        self.layer, self.before = call.layer, call.before
        self.input_shape, self.shape = call.input_shape, call.output.shape[1:]
        self.sum = 0.0
        self.alive = np.zeros(self.shape, bool)

    def add(self, output: np.ndarray, share: float) -> None:
        self.sum += share * float(np.abs(output, dtype=np.float64).mean())
        if output.shape[1:] == self.shape:  # a shared layer may be called on other shapes, too
            self.alive |= (output != 0).any(axis=0)


def _measure_outputs(model, images, batch_size, training) -> Mapping[str, _Outputs]:
    """Returns what each layer gave, by its name, over all images."""
    found, count = {}, len(keras.tree.flatten(images)[0])
    for first in range(0, count, batch_size):
        batch = keras.tree.map_structure(lambda x, i=first: x[i : i + batch_size], images)
        share = len(keras.tree.flatten(batch)[0]) / count

        def see(call: Call, share: float = share) -> None:
            found.setdefault(call.name, _Outputs(call)).add(call.output, share)

        with follow_calls(model, see):
            model(batch, training=training)
    return found


def _make_row(name, evaluated, trained):
    outputs = evaluated[name]
    alone, positions = count_bias_alone(outputs.layer, outputs.input_shape)
    dead = units = None
    if find_activation(outputs.layer) in RELUS:
        axis = _find_unit_axis(name, evaluated) % outputs.alive.ndim
        others = tuple(k for k in range(outputs.alive.ndim) if k != axis)
        alive = outputs.alive.any(axis=others)
        dead, units = int((~alive).sum()), alive.size
    return Row(
        name,
        outputs.shape,
        outputs.layer.count_params(),
        alone,
        positions,
        divide_magnitudes(trained[name].sum, outputs.sum),
        dead,
        units,
        outputs.before,
    )


def _find_unit_axis(name, outputs):
    """The axis of the channels, by the nearest layer that says where they are."""
    for nearest in walk_back(name, lambda other: outputs[other].before):
        if (layout := getattr(outputs[nearest].layer, "data_format", None)) is not None:
            return 0 if layout == "channels_first" else -1
    return -1


def find_activation(layer: keras.layers.Layer) -> str:
    """Returns the name of a layer's function: `relu`, `linear`; its own where it is one."""
    function = getattr(layer, "activation", layer)  # ReLU and Softmax are layers, too
    return getattr(function, "__name__", type(function).__name__).lower()


def divide_magnitudes(one: float, other: float) -> float:
    """Returns `one / other` of two numbers that are not negative; 0 / 0 is 1, no growth."""
    return one / other if other else math.inf if one else 1.0


def count_bias_alone(
    layer: keras.layers.Layer, input_shape: tuple[int, ...]
) -> tuple[int, int] | tuple[None, None]:
    """Counts the positions of a convolution's output that no input reaches.

    With positive, different weights and a bias of 0, an input of zeros and one of ones give the
    same output at those positions and nowhere else.

    Args:
        layer: any layer.
        input_shape: without the batch.

    Returns:
        That number and the number of all positions; None twice if it is not a convolution.
    """
    if not (hasattr(layer, "kernel") and hasattr(layer, "data_format")):
        return None, None
    shape = tuple(layer.kernel.shape)
    values = [(layer.kernel, np.linspace(1, 2, math.prod(shape)).reshape(shape))]
    if layer.bias is not None:
        values.append((layer.bias, np.zeros(layer.bias.shape)))
    zeros = np.zeros(input_shape, np.float32)
    with keras.StatelessScope(values):  # in place of its weights, only in here
        outputs = keras.ops.convert_to_numpy(layer(np.stack([zeros, zeros + 1])))
    channels = 0 if layer.data_format == "channels_first" else -1
    reached = (outputs[0] != outputs[1]).any(axis=channels)
    return int((~reached).sum()), reached.size


def count_dead(model: keras.Model, images: np.ndarray) -> tuple[int, int]:
    """Counts the outputs of a model that are 0 for every image, and all its outputs."""
    alive = model.predict(images, batch_size=1000, verbose=0).any(axis=0)
    return int((~alive).sum()), alive.size
