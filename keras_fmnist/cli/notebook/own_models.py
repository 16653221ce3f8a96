"""Tools for any Keras model: measure it, and compare it with a native PyTorch module."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_fmnist.cli.commands.compare import format_rows
from keras_fmnist.cli.commands.inspect import format_layers
from keras_fmnist.models import diagnostics, inspection
from keras_fmnist.models.inspection import Inputs
from keras_fmnist.models.inspection import Row as LayerRow
from keras_fmnist.settings import SpecError, shorten

if TYPE_CHECKING:
    import torch

    from keras_fmnist.pytorch.parity import Row


@dataclass(frozen=True)
class Inspection:
    """What was found in a model; `print` shows it as a table.

    Attributes:
        rows: one for each layer.
        warnings: a sentence for each mistake.
    """

    rows: list[LayerRow]
    warnings: list[str]

    def __repr__(self) -> str:
        warnings = [f"warning: {warning}" for warning in self.warnings] or ["no warnings"]
        return "\n".join([format_layers(self.rows), *warnings])


def inspect(
    model: keras.Model,
    images: Inputs,
    loss: str | Callable | None = None,
    *,
    batch_size: int = 100,
    seed: int = 0,
) -> Inspection:
    """Measures any Keras model layer by layer, and warns of mistakes; the model stays as it is.

    It warns of dropout under a maximum, of positions of a convolution that no input reaches, of a
    ReLU or softmax on logits before a cross entropy, and of units that are 0 for every image.

    Args:
        model: sequential, functional or subclassed.
        images: what the model takes, `(n, …)`, or a list or dict of such; some hundred are enough.
        loss: that it is trained on, as `compile` takes it; that of `compile` where None.
        batch_size: images a batch in training.
        seed: of the dropout.

    Raises:
        SpecError: the model, the images or the loss are none.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((28, 28, 1)),
        ...     keras.layers.Conv2D(4, 3, name="conv"),
        ...     keras.layers.Dropout(0.5, name="dropout"),
        ...     keras.layers.GlobalMaxPooling2D(name="pool"),
        ...     keras.layers.Dense(10, "relu", name="logits"),
        ... ])
        >>> images = np.random.default_rng(0).uniform(size=(200, 28, 28, 1))
        >>> found = keras_fmnist.inspect(model, images, "sparse_categorical_crossentropy")
        >>> [warning.split(":")[0] for warning in found.warnings][:2]
        ['pool', 'logits']
        >>> found.rows[0].shape
        (26, 26, 4)
    """
    if not isinstance(model, keras.Model):
        raise SpecError(f"model must be a Keras model, not {shorten(model)}")
    if not len(keras.tree.flatten(images)[0]):
        raise SpecError("images are none: some hundred are needed to measure a model")
    loss = getattr(model, "loss", None) if loss is None else loss
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError:
            raise SpecError(f"{loss} is no loss of Keras") from None
    rows = inspection.measure_layers(model, images, batch_size, seed)
    single = loss if callable(loss) else None  # each output of several would have its own
    warnings = diagnostics.diagnose_net(model, single, rows) + diagnostics.diagnose_units(rows)
    return Inspection(rows, warnings)


@dataclass(frozen=True)
class Comparison:
    """How far two nets are apart; `print` shows it as a table.

    Attributes:
        rows: one for each tensor: its name and kind, the largest and the mean difference, and the
            tolerance.
    """

    rows: "list[Row]"

    @property
    def passed(self) -> bool:
        """Whether every difference is finite and within its tolerance."""
        return all(row.passed for row in self.rows)

    def __repr__(self) -> str:
        return format_rows(self.rows)


def compare(
    model: keras.Model,
    module: "torch.nn.Module",
    images: np.ndarray,
    names: dict[str, str] | None = None,
) -> Comparison:
    """Compares a Keras model with a PyTorch module that is meant to be the same net.

    The module gets the model's weights, in a copy. Compared are the outputs of the layers with
    weights, of the whole, and the gradients, which shows where two nets part that look alike:
    another padding, another ε of batch norm, a map flattened in another order.

    Args:
        model: sequential or functional, of dense layers, convolutions and batch norm.
        module: with a tensor in its `state_dict` for each weight of the model.
        images: `(n, …)` float32 as the model takes them; the module gets channels first.
        names: `{name in the state_dict: layer.weight}` where order and shape do not tell.

    Raises:
        MatchError: the weights do not fit; the message says which.
        ValueError: the model cannot be copied, or has a layer that is not compared.

    Example:
        >>> import keras, numpy as np, torch
        >>> model = keras.Sequential([
        ...     keras.Input((28, 28, 1)),
        ...     keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Dropout(0.5),
        ...     keras.layers.GlobalMaxPooling2D(),
        ...     keras.layers.Dense(10),
        ... ])
        >>> native = torch.nn.Sequential(
        ...     torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Dropout(0.5),
        ...     torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 10))
        >>> images = np.random.default_rng(0).uniform(size=(10, 28, 28, 1)).astype("float32")
        >>> keras_fmnist.compare(model, native, images).passed
        True
    """
    from keras_fmnist.pytorch.counterparts import compare_with_module

    return Comparison(compare_with_module(model, module, images, names))
