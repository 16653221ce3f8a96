"""Batch norm by torch's own kernel, which reads a map three times where Keras's layer takes twenty.

Keras composes the layer of elementwise operations, forward and backward: on maps of megabytes a
quarter of a CPU step.
"""

import contextlib
import functools
from collections.abc import Iterator

import keras
import torch


@contextlib.contextmanager
def fused(model: keras.Model) -> Iterator[None]:
    """While it lasts, the batch norm layers of a model train by torch's kernel on CPU.

    Outputs, moving statistics and gradients are Keras's but for rounding. What the kernel does not
    do runs as Keras has it: evaluation and frozen layers, masks, renormalisation, an axis in the
    middle. A map that is channels last is read as it lies in memory.

    Args:
        model: a `keras.Model`.
    """
    mine = [
        layer
        for layer in model._flatten_layers()
        if type(layer) is keras.layers.BatchNormalization and not layer.renorm
    ]
    for layer in mine:
        # Not by assignment, which Keras would look into for variables to track.
        vars(layer)["call"] = functools.partial(_call, layer)
    try:
        yield
    finally:
        for layer in mine:
            del vars(layer)["call"]


def _call(layer, inputs, training=None, mask=None):
    """What stands for the `call` of one layer."""
    axis = layer.axis % inputs.ndim
    is_channels_last = inputs.ndim == 4 and axis == 3
    suits_kernel = (
        (training and layer.trainable and mask is None)
        and (axis == 1 or is_channels_last)
        and (inputs.dtype, inputs.device.type) == (torch.float32, "cpu")
        and layer.compute_dtype == layer.variable_dtype == "float32"
    )
    if not suits_kernel:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    scale = layer.gamma.value if layer.scale else None
    offset = layer.beta.value if layer.center else None
    maps = inputs.movedim(3, 1) if is_channels_last else inputs
    outputs, mean, inverse = torch.native_batch_norm(
        maps, scale, offset, None, None, True, 0.0, layer.epsilon
    )
    # Keras keeps the variance over n, torch by itself the one over n - 1.
    variance = inverse.detach().pow(-2) - layer.epsilon
    for moving, batch in (
        (layer.moving_mean, mean.detach()),
        (layer.moving_variance, variance),
    ):
        moving.assign(moving * layer.momentum + batch * (1.0 - layer.momentum))
    return outputs.movedim(1, 3) if is_channels_last else outputs
