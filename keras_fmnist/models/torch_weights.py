"""Weights as PyTorch has them: names and layout of a `state_dict`, and `.pt` files."""

import io
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_fmnist.files import read_bounded, write_whole
from keras_fmnist.models.weights import MOST_BYTES, Arrays, WeightsError

_NATIVE = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_COUNTER = "num_batches_tracked"  # PyTorch's batch norm counts its steps; Keras does not


def to_native(arrays: Arrays) -> Arrays:
    """Keras arrays as those of a PyTorch `state_dict`: `encoder.conv1.weight`, PyTorch's layout."""
    native = {}
    for name, array in arrays.items():
        *layers, variable = name.split("/")
        if array.ndim == 4:
            array = array.transpose(3, 2, 0, 1)  # (rows, columns, a, b) to (b, a, rows, columns)
        elif array.ndim == 2:
            array = array.T  # (inputs, outputs) to (outputs, inputs)
        native[".".join([*layers, _NATIVE[variable]])] = np.ascontiguousarray(array)
        if variable == "gamma":
            native[".".join([*layers, _COUNTER])] = np.array(0, np.int64)
    return native


def from_native(native: Arrays, names: Iterable[str]) -> Arrays:
    """The arrays of a PyTorch `state_dict` under Keras's names and in Keras's layout.

    Args:
        native: `{name: array}`.
        names: the Keras names that are wanted, such as the keys of `variables(model)`.

    Raises:
        WeightsError: a tensor is missing, or one is there that none of the names asks for.
    """
    wanted = {}
    for name in names:
        *layers, variable = name.split("/")
        wanted[name] = ".".join([*layers, _NATIVE[variable]])
    if missing := sorted(set(wanted.values()) - native.keys()):
        raise WeightsError(f"{missing[0]} is missing")
    unknown = sorted(native.keys() - set(wanted.values()))
    if unknown := [name for name in unknown if not name.endswith(f".{_COUNTER}")]:
        raise WeightsError(f"{unknown[0]} belongs to no layer of this model")
    arrays = {}
    for name, native_name in wanted.items():
        array = native[native_name]
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            array = array.T
        arrays[name] = np.asarray(array, order="C")  # ascontiguousarray makes a number a list
    return arrays


def save_native(path: Path | str, native: Arrays) -> None:
    """Writes a PyTorch `state_dict` file, whole or not at all."""
    import torch

    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in native.items()}, buffer)
    write_whole(path, buffer.getvalue())


def load_native(path: Path | str) -> Arrays:
    """Reads a PyTorch `state_dict` file as arrays; code in it is refused, not run.

    Raises:
        WeightsError: the file is missing, no `state_dict`, holds more than tensors, or would fill
            more memory than its length; or torch is too old to read it safely.
    """
    import torch

    if torch.__version__ < (2, 10):
        raise WeightsError(
            f"{path} needs torch 2.10: before it such a file could corrupt memory (CVE-2026-24747)"
        )
    try:
        content = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror})") from None
    try:
        _check_unpacked(content, path)
        with warnings.catch_warnings(action="ignore"):  # what is refused needs no second line
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception:  # what its reader raises depends on where in the pickle the damage is
        raise WeightsError(f"{path} is no PyTorch file of tensors alone") from None
    if not isinstance(loaded, dict) or not all(
        isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in loaded.items()
    ):
        raise WeightsError(f"{path} must hold a state_dict: names and tensors, nothing else")
    arrays = {}
    for name, tensor in loaded.items():
        try:
            arrays[name] = tensor.detach().resolve_conj().resolve_neg().numpy()
        except (TypeError, RuntimeError):  # numpy has no bfloat16, no sparse and no empty tensors
            kind = f"{tensor.dtype}, {tensor.layout}, on {tensor.device}".replace("torch.", "")
            raise WeightsError(f"{path}: {name} must be dense float32, not {kind}") from None
        if arrays[name].nbytes > tensor.untyped_storage().nbytes():  # `expand`: all is one number
            raise WeightsError(f"{path}: {name} has more elements than the file holds")
    return arrays


def _check_unpacked(content, path):
    """Refuses a zip archive, as PyTorch's files are, that unpacks to more bytes than it has."""
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > len(content):
                raise WeightsError(f"{path} unpacks to more bytes than it has")
