"""The state of Keras and torch around a step that its operations depend on."""

import operator

import keras
import torch
from keras.src.backend.torch.core import get_device  # not public

_backward_hooks = operator.attrgetter("_backward_hooks")
_gradient_hooks = operator.attrgetter("_post_accumulate_grad_hooks")


def describe() -> tuple:
    """What a trace takes for granted and a program may switch to and fro; below 2 µs."""
    return (
        keras.config.epsilon(),
        keras.config.floatx(),
        keras.config.image_data_format(),
        get_device(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_inference_mode_enabled(),
    )


def reason_for_stock(parameters: list[torch.Tensor]) -> str | None:
    """Why a step has to run as Keras has it while it is so; None where nothing is in the way.

    Args:
        parameters: the tensors of the variables.
    """
    if torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"):
        return "torch.autocast is on"
    if torch.is_anomaly_enabled():
        return "torch looks for anomalies in the backward pass, which a replay has not"
    if any(map(_backward_hooks, parameters)) or any(map(_gradient_hooks, parameters)):
        return "a parameter has a hook, which a replay would not call"
    return None
