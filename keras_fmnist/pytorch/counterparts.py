"""Compares a Keras model with a native PyTorch module that is meant to be the same net.

The module gets the weights of the model. Then both see the same images: compared are the outputs of
layers with weights, the output of the whole, and the gradients of a loss.
"""

import copy

import keras
import numpy as np
import torch
from keras.src.models.functional import Functional

from keras_fmnist.models import matching, torch_weights, weights
from keras_fmnist.models.calls import follow_calls, list_layers
from keras_fmnist.pytorch.parity import (
    FORWARD,
    PROBE,
    Row,
    make_gradient_rows,
    make_row,
    record_outputs,
)


def compare_with_module(
    model: keras.Model,
    module: torch.nn.Module,
    images: np.ndarray,
    names: dict[str, str] | None = None,
) -> list[Row]:
    """Compares outputs and gradients; neither side is changed.

    Gradients are those of the mean square of the output, with every dropout at 0, because each side
    draws masks of its own.

    Args:
        model: a functional or sequential model of dense layers, convolutions and batch norm.
        module: its counterpart. Its `state_dict` must have a tensor for each weight of the model,
            by name or by order and shape.
        images: `(n, …)` float32 as the model takes them; the module gets `(n, channels, rows,
            columns)` where they are `(n, rows, columns, channels)`.
        names: `{name in the state_dict: layer.weight}` where order and shape do not tell.

    Returns:
        A row for each tensor that is compared, in the order of the module.

    Raises:
        MatchError: the weights do not fit; the message says which.
        ValueError: a side is of another kind, the model is subclassed or has several inputs or
            outputs, or has a layer whose weights PyTorch orders otherwise.
    """
    _check_sides(model, module)
    with torch.random.fork_rng(devices=[]):  # a copy draws fresh weights first
        ours, theirs = _remove_dropout(model), copy.deepcopy(module)
    images = np.asarray(images)
    if images.dtype == np.float64:
        images = images.astype(np.float32)
    native = torch_weights.to_native(_get_arrays(ours))
    native = {name: a for name, a in native.items() if not name.endswith(torch_weights.COUNTER)}
    shapes = {name: tuple(t.shape) for name, t in theirs.state_dict().items()}
    wanted = {name: array.shape for name, array in native.items()}
    matched = matching.match(shapes, wanted, names).names
    if missing := [name for name in native if name not in matched]:
        raise matching.MatchError(f"{missing[0]} has no tensor in the module")
    theirs.load_state_dict(
        {matched[name]: torch.from_numpy(array) for name, array in native.items()}, strict=False
    )
    x = torch.from_numpy(np.ascontiguousarray(_put_channels_first(images, theirs)))
    layers = {
        theirs.rpartition(".")[0]: ours.rpartition(".")[0] for ours, theirs in matched.items()
    }
    return [
        *_compare_outputs(ours, theirs, images, x, layers),
        *_compare_gradients(ours, theirs, images, x, matched),
    ]


def _check_sides(model, module):
    if not isinstance(model, keras.Model):
        raise ValueError(f"model must be a Keras model, not {type(model).__name__}")
    if not isinstance(module, torch.nn.Module) or isinstance(module, keras.layers.Layer):
        raise ValueError(f"module must be a torch.nn.Module, not {type(module).__name__}")
    if not isinstance(model, Functional | keras.Sequential):
        raise ValueError(f"{model.name} must be a functional or sequential model, to be copied")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{model.name} must have one input and one output")


def _get_arrays(model):
    try:
        arrays = weights.get_arrays(model)
        for name in arrays:
            torch_weights.native_name(name)
    except KeyError as error:
        raise ValueError(
            f"{error.args[0]} has no counterpart that is known: layers compared are dense, batch "
            "norm, layer norm and convolutions, but not depthwise ones"
        ) from None
    return arrays


def _remove_dropout(model):
    """A copy of a model with its weights, and a dropout of 0."""
    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    for _, layer in list_layers(copied):
        if "Dropout" in type(layer).__name__:
            layer.rate = 0.0
    return copied


def _put_channels_first(images, module):
    """Moves the channels of images to where the first convolution of a module looks for them."""
    convolutions = torch.nn.modules.conv._ConvNd
    first = next((part for part in module.modules() if isinstance(part, convolutions)), None)
    if first is None or images.ndim != first.weight.ndim:
        return images
    if images.shape[1] == first.in_channels != images.shape[-1]:
        return images
    return np.moveaxis(images, -1, 1)


def _compare_outputs(model, module, images, x, layers):
    """Rows for the layers with weights, in the module's order, and for the whole."""
    theirs, ours = record_outputs(module, x, layers), {}
    whole = theirs.pop("")
    with follow_calls(model, lambda call: ours.update({call.name: call})):
        output = keras.ops.convert_to_numpy(model(images, training=False))
    rows = []
    for name, found in theirs.items():
        call = ours[layers[name]]
        # What PyTorch leaves to the next module may be a part of the layer in Keras.
        function = getattr(call.layer, "activation", None)
        mine = _in_layout_of(found, call.output)
        if function is not None:
            found = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(found)))
        rows.append(_make_output_row(name, mine, found))
    return [*rows, _make_output_row("output", _in_layout_of(whole, output), whole)]


def _make_output_row(name, ours, theirs):
    return make_row(name, "output", ours, theirs, FORWARD * max(1.0, float(np.abs(theirs).max())))


def _in_layout_of(theirs, ours):
    if ours.shape != theirs.shape and ours.ndim > 2:
        ours = np.moveaxis(ours, -1, 1)
    if ours.shape != theirs.shape:
        raise ValueError(f"the model gives {ours.shape} where the module gives {theirs.shape}")
    return ours


def _compare_gradients(model, module, images, x, matched):
    module.train()
    for part in module.modules():
        if isinstance(part, torch.nn.modules.dropout._DropoutNd):
            part.p = 0.0
    module(x).square().mean().backward()
    theirs = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    before = torch_weights.to_native(weights.get_arrays(model))
    model.compile(keras.optimizers.SGD(PROBE), "mse")
    model.train_on_batch(images, np.zeros(model.compute_output_shape(images.shape), np.float32))
    after = torch_weights.to_native(weights.get_arrays(model))
    return make_gradient_rows(
        {
            name: ((before[ours].astype(np.float64) - after[ours]) / PROBE, theirs[name].numpy())
            for ours, name in matched.items()
            if name in theirs
        }
    )
