"""Weights as PyTorch has them: names and layout of a `state_dict`, and the file of one."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_fmnist.files import write_whole
from keras_fmnist.models.weights import Arrays, WeightsError

_NATIVE = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
COUNTER = "num_batches_tracked"  # PyTorch's batch norm counts its steps; Keras does not


def native_name(name: str) -> str:
    """`encoder.conv1.weight`, as PyTorch calls what Keras calls `encoder/conv1/kernel`."""
    *layers, variable = name.split("/")
    return ".".join([*layers, _NATIVE[variable]])


def native_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that PyTorch gives a variable which has this shape in Keras."""
    if len(shape) < 2:
        return shape
    *window, one, other = shape
    return other, one, *window


def to_native(arrays: Arrays) -> Arrays:
    """Keras arrays as those of a PyTorch `state_dict`: `encoder.conv1.weight`, PyTorch's layout."""
    native = {}
    for name, array in arrays.items():
        if array.ndim > 1:  # (rows, columns, a, b) to (b, a, rows, columns), (a, b) to (b, a)
            array = np.moveaxis(array, (-1, -2), (0, 1))
        native[native_name(name)] = np.ascontiguousarray(array)
        if name.endswith("/gamma"):
            layer = native_name(name).rpartition(".")[0]
            native[f"{layer}.{COUNTER}"] = np.array(0, np.int64)
    return native


def from_native(native: Arrays, names: Iterable[str]) -> Arrays:
    """The arrays of a PyTorch `state_dict` under Keras's names and in Keras's layout.

    Args:
        native: `{name: array}`.
        names: the Keras names that are wanted, such as the keys of `variables(model)`.

    Raises:
        WeightsError: a tensor is missing, or one is there that none of the names asks for.
    """
    wanted = {name: native_name(name) for name in names}
    if missing := sorted(set(wanted.values()) - native.keys()):
        raise WeightsError(f"{missing[0]} is missing")
    unknown = sorted(native.keys() - set(wanted.values()))
    if unknown := [name for name in unknown if not name.endswith(f".{COUNTER}")]:
        raise WeightsError(f"{unknown[0]} belongs to no layer of this model")
    arrays = {}
    for name, theirs in wanted.items():
        array = native[theirs]
        if array.ndim > 1:
            array = np.moveaxis(array, (0, 1), (-1, -2))
        arrays[name] = np.asarray(array, order="C")  # ascontiguousarray makes a number a list
    return arrays


def save_native(path: Path | str, native: Arrays) -> None:
    """Writes a PyTorch `state_dict` file, whole or not at all."""
    import torch

    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in native.items()}, buffer)
    write_whole(path, buffer.getvalue())
