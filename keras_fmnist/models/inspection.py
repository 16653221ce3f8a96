"""A net layer by layer: shapes, parameters, what no input reaches, what training mode changes.

A net is a chain of layers here, as all of ours are; its parts may be nets themselves.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from keras_fmnist.seeds import seed_dropout


@dataclass(frozen=True)
class Row:
    """A layer.

    Attributes:
        name: the path to it, such as `encoder.conv1`.
        shape: of its output, without the batch.
        parameters: how many it has, those that do not train included.
        bias_alone: positions of its output that none of its own inputs reaches, whatever the
            weights; None for what is no convolution.
        positions: of its output; None for what is no convolution.
        gap: mean absolute output in training mode over that in evaluation mode, of the same images
            through the same weights, layers before it included. Dropout by itself leaves it at 1,
            because it scales up what it keeps; what follows need not.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    bias_alone: int | None
    positions: int | None
    gap: float


def list_layers(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """`(name, layer)` in the order in which they run, inner ones as `encoder.conv1`."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from list_layers(layer, f"{prefix}{layer.name}.")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer


def measure_layers(
    model: keras.Model, images: np.ndarray, batch_size: int, seed: int = 0
) -> list[Row]:
    """A `Row` for every layer; the model stays as it is, batch norm's statistics included.

    Args:
        model: a chain of layers.
        images: `(n, …)` float32, as the model takes them; 1000 give the gap to about a percent.
        batch_size: images a batch in training, on which batch norm depends.
        seed: of the dropout.
    """
    seed_dropout(model, seed, 0)
    batches = [images[first : first + batch_size] for first in range(0, len(images), batch_size)]
    evaluated = _magnitudes(model, batches, training=False)
    with keras.StatelessScope():  # what batch norm learns in it is forgotten
        trained = _magnitudes(model, batches, training=True)
    rows = []
    for name, layer in list_layers(model):
        shape, (alone, positions) = tuple(layer.output.shape[1:]), count_bias_alone(layer)
        gap = divide_magnitudes(trained[name], evaluated[name])
        rows.append(Row(name, shape, layer.count_params(), alone, positions, gap))
    return rows


def _magnitudes(model, batches, training):
    """`{layer's name: mean absolute output}` over all images."""
    sums = dict.fromkeys((name for name, _ in list_layers(model)), 0.0)
    for x in batches:
        share = len(x) / sum(map(len, batches))
        for name, layer in list_layers(model):
            # To numpy at once, or torch would keep all of it for a gradient that nobody asks for.
            x = keras.ops.convert_to_numpy(layer(x, training=training))
            sums[name] += share * float(np.abs(x).mean(dtype=np.float64))
    return sums


def divide_magnitudes(one: float, other: float) -> float:
    """`one / other` of two that are not negative; from 0 to 0 is no growth."""
    return one / other if other else math.inf if one else 1.0


def count_bias_alone(layer: keras.layers.Layer) -> tuple[int, int] | tuple[None, None]:
    """Positions of a convolution's output that none of its inputs reaches, and all of them.

    With positive weights, no two alike, and a bias of 0, an input of zeros and one of ones give
    the same there and nowhere else.

    Returns:
        Both numbers, or None twice for a layer that is no convolution.
    """
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
        return None, None
    shape = tuple(layer.kernel.shape)
    values = [(layer.kernel, np.linspace(1, 2, math.prod(shape)).reshape(shape))]
    if layer.bias is not None:
        values.append((layer.bias, np.zeros(layer.bias.shape)))
    zeros = np.zeros(layer.input.shape[1:], np.float32)
    with keras.StatelessScope(values):  # in the place of the layer's own, in here alone
        outputs = keras.ops.convert_to_numpy(layer(np.stack([zeros, zeros + 1])))
    channels = 0 if layer.data_format == "channels_first" else -1
    reached = (outputs[0] != outputs[1]).any(axis=channels)
    return int((~reached).sum()), reached.size


def count_dead(model: keras.Model, images: np.ndarray) -> tuple[int, int]:
    """How many numbers of a model's output are 0 for every image, and how many there are."""
    alive = model.predict(images, batch_size=1000, verbose=0).any(axis=0)
    return int((~alive).sum()), alive.size
