"""A model's weights as named arrays, and as safetensors files that are checked when they are read.

A name is the path of layers to the variable, such as `encoder/conv1/kernel`. Arrays have Keras's
layout on every backend; `to_native` and `from_native` turn them into PyTorch's and back, exactly. A
file may come from a stranger. Nothing in it runs: safetensors holds numbers alone, a PyTorch file
is read by its restricted reader, and neither fills more memory than a few times its own length.
"""

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors
import safetensors.numpy

from keras_fmnist.files import read_bounded, write_whole

if TYPE_CHECKING:
    import keras

Arrays = dict[str, np.ndarray]

MOST_BYTES = 4 << 30  # the largest net that the settings allow has 3.5 GB


class WeightsError(ValueError):
    """Weights that do not fit; the message names the file or the tensor and what would fit."""


def variables(model: "keras.Model") -> "dict[str, keras.Variable]":
    """The model's variables by name, in the order of its layers."""
    found = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            inner = variables(layer)
            found.update({f"{layer.name}/{name}": inner[name] for name in inner})
        else:
            found.update({f"{layer.name}/{v.name}": v for v in layer.weights})
    return found


def get_arrays(model: "keras.Model") -> Arrays:
    """Copies of the model's weights: `{name: float32 array}`."""
    # A copy, because on torch the array may share its memory with the variable.
    return {name: np.array(variable.numpy()) for name, variable in variables(model).items()}


def set_arrays(model: "keras.Model", arrays: Arrays) -> None:
    """Puts arrays into the model.

    Raises:
        WeightsError: a name is missing or unknown, or a shape, a type or a value is wrong.
    """
    named = variables(model)
    check(arrays, {name: tuple(v.shape) for name, v in named.items()}, model.name)
    for name, variable in named.items():
        variable.assign(arrays[name])


def check(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]], source: Path | str) -> None:
    """Holds arrays to the names and shapes that are wanted, float32 and finite.

    Raises:
        WeightsError: the first difference, named.
    """
    if missing := sorted(shapes.keys() - arrays.keys()):
        raise WeightsError(f"{source}: {missing[0]} is missing")
    if unknown := sorted(arrays.keys() - shapes.keys()):
        raise WeightsError(f"{source}: {unknown[0]} belongs to no layer of this model")
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape:
            raise WeightsError(f"{source}: {name} must have the shape {shape}, not {array.shape}")
        if array.dtype != np.float32:
            raise WeightsError(f"{source}: {name} must be float32, not {array.dtype}")
        if not np.isfinite(array).all():
            raise WeightsError(f"{source}: {name} holds values that are not finite")


def digest(arrays: Arrays) -> str:
    """Sha256 over names, shapes and values; the order of the dict does not matter."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def part(arrays: Arrays, name: str) -> Arrays:
    """The arrays of one layer of a model, named as that layer names them: `part(a, "encoder")`."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}


def save(path: Path | str, arrays: Arrays, metadata: dict[str, str] | None = None) -> None:
    """Writes a safetensors file, whole or not at all; `metadata` is text by name."""
    in_rows = {k: np.ascontiguousarray(a) for k, a in arrays.items()}  # else memory as it lies
    write_whole(path, safetensors.numpy.save(in_rows, metadata))


def load(path: Path | str, sha256: str | None = None, most: int = MOST_BYTES) -> Arrays:
    """Reads a safetensors file, and checks its `digest` where that is known, as from its record.

    A file of more than `most` bytes is refused.

    Raises:
        WeightsError: the file is missing, damaged, or holds other weights.
    """
    try:
        content = read_bounded(path, most)
    except FileNotFoundError:
        name = "/".join(Path(path).parts[-3:-1])
        raise WeightsError(f"{path} is missing: {name} with --force makes it again") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror})") from None
    try:
        arrays = safetensors.numpy.load(content)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path} is no whole safetensors file ({error})") from None
    if sha256 is not None and digest(arrays) != sha256:
        raise WeightsError(f"{path} does not hold the weights that its record names")
    return arrays


def metadata(path: Path | str) -> dict[str, str]:
    """The text that was saved beside the arrays of a safetensors file: `{name: text}`."""
    with safetensors.safe_open(path, "numpy") as file:
        return file.metadata() or {}


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
