"""Measures a net layer by layer: shapes, parameters, positions without input, dead units.

The net must be a chain of layers, as all nets here are; a layer may be a net itself.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from keras_fmnist.seeds import seed_dropout


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
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    bias_alone: int | None
    positions: int | None
    gap: float


def list_layers(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Yields `(name, layer)` in the order in which they run; inner ones as `encoder.conv1`."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from list_layers(layer, f"{prefix}{layer.name}.")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer


def measure_layers(
    model: keras.Model, images: np.ndarray, batch_size: int, seed: int = 0
) -> list[Row]:
    """Measures every layer; does not change the model, nor the statistics of batch norm.

    Args:
        model: a chain of layers.
        images: `(n, …)` float32 in the shape of the model's input; 1000 give the gap to about 1 %.
        batch_size: images a batch in training, which matters to batch norm.
        seed: of the dropout.

    Returns:
        A `Row` for each layer, in order.
    """
    seed_dropout(model, seed, 0)
    batches = [images[first : first + batch_size] for first in range(0, len(images), batch_size)]
    evaluated = _magnitudes(model, batches, training=False)
    with keras.StatelessScope():  # so that batch norm does not keep what it learns
        trained = _magnitudes(model, batches, training=True)
    rows = []
    for name, layer in list_layers(model):
        shape, (alone, positions) = tuple(layer.output.shape[1:]), count_bias_alone(layer)
        gap = divide_magnitudes(trained[name], evaluated[name])
        rows.append(Row(name, shape, layer.count_params(), alone, positions, gap))
    return rows


def _magnitudes(model, batches, training):
    """Returns `{name of a layer: mean absolute output}` over all images."""
    sums = dict.fromkeys((name for name, _ in list_layers(model)), 0.0)
    for x in batches:
        share = len(x) / sum(map(len, batches))
        for name, layer in list_layers(model):
            # To numpy at once, because torch would keep every output for a gradient.
            x = keras.ops.convert_to_numpy(layer(x, training=training))
            sums[name] += share * float(np.abs(x).mean(dtype=np.float64))
    return sums


def divide_magnitudes(one: float, other: float) -> float:
    """Returns `one / other` of two numbers that are not negative; 0 / 0 is 1, no growth."""
    return one / other if other else math.inf if one else 1.0


def count_bias_alone(layer: keras.layers.Layer) -> tuple[int, int] | tuple[None, None]:
    """Counts the positions of a convolution's output that no input reaches.

    With positive, different weights and a bias of 0, an input of zeros and one of ones give the
    same output at those positions and nowhere else.

    Returns:
        That number and the number of all positions; None twice if it is not a convolution.
    """
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
        return None, None
    shape = tuple(layer.kernel.shape)
    values = [(layer.kernel, np.linspace(1, 2, math.prod(shape)).reshape(shape))]
    if layer.bias is not None:
        values.append((layer.bias, np.zeros(layer.bias.shape)))
    zeros = np.zeros(layer.input.shape[1:], np.float32)
    with keras.StatelessScope(values):  # in place of its weights, only in here
        outputs = keras.ops.convert_to_numpy(layer(np.stack([zeros, zeros + 1])))
    channels = 0 if layer.data_format == "channels_first" else -1
    reached = (outputs[0] != outputs[1]).any(axis=channels)
    return int((~reached).sum()), reached.size


def count_dead(model: keras.Model, images: np.ndarray) -> tuple[int, int]:
    """Counts the outputs of a model that are 0 for every image, and all its outputs."""
    alive = model.predict(images, batch_size=1000, verbose=0).any(axis=0)
    return int((~alive).sum()), alive.size
