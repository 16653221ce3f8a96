"""A model's weights as named arrays, and as safetensors files that are checked when they are read.

A name is the path of layers to the variable, such as `encoder/conv1/kernel`. Arrays have Keras's
layout, which is the same on every backend; `to_native` and `from_native` turn them into PyTorch's
and back, exactly. A file may come from a stranger. Nothing in it runs: safetensors holds numbers
alone, and a PyTorch file is read by its restricted reader. Neither fills more memory than a few
times its own length.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy

from keras_fmnist.files import read_bounded, write_whole

if TYPE_CHECKING:
    import keras


Arrays = dict[str, np.ndarray]
_TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "I64": np.int64}
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


def to_float32(arrays: Arrays) -> tuple[Arrays, list[str]]:
    """Floating-point arrays of any precision as float32; whole numbers stay as they are.

    Returns:
        The arrays, and a line for each other precision that says by how much a value was changed.
    """
    found, rounded = {}, {}
    for name, array in arrays.items():
        found[name] = array
        if array.dtype.kind != "f" or array.dtype == np.float32:
            continue
        with np.errstate(all="ignore"):  # what becomes infinite is refused by `check`
            found[name] = array.astype(np.float32)
            apart = float(np.abs(found[name] - array).max(initial=0))
        kind = str(array.dtype)
        rounded[kind] = max(rounded.get(kind, 0.0), apart)
    return found, [
        f"{kind} rounded to float32, by {apart:.1g} at most" if apart else f"{kind} made float32"
        for kind, apart in rounded.items()
    ]


def digest(arrays: Arrays) -> str:
    """Sha256 over names, shapes and values; the order of the dict does not matter."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def select(arrays: Arrays, name: str) -> Arrays:
    """Returns the arrays of one layer, named as in that layer: `select(arrays, "encoder")`."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}


def save(path: Path | str, arrays: Arrays, metadata: dict[str, str] | None = None) -> None:
    """Writes a safetensors file, whole or not at all.

    Args:
        path: of the file.
        arrays: what `get_arrays` returned, for example.
        metadata: `{name: text}` to save beside them.

    Example:
        >>> save("base.safetensors", get_arrays(model))
    """
    # In rows, because safetensors writes memory as it is; ascontiguousarray makes scalars 1-d.
    in_rows = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_whole(path, safetensors.numpy.save(in_rows, metadata))


def load(path: Path | str, sha256: str | None = None, most: int = MOST_BYTES) -> Arrays:
    """Reads a safetensors file and checks it.

    Args:
        path: of the file.
        sha256: the `digest` that the arrays must have, such as the one in a record.
        most: bytes that the file may have.

    Raises:
        WeightsError: the file is missing, too large, damaged, or holds other weights.

    Example:
        >>> arrays = load(run.files("runs").weights, record.weights_sha256["final"])
        >>> set_arrays(networks.build(run.spec), arrays)
    """
    try:
        content = read_bounded(path, most)
    except FileNotFoundError:
        name = "/".join(Path(path).parts[-3:-1])
        raise WeightsError(f"{path} is missing: {name} with --force makes it again") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror})") from None
    try:
        arrays = _to_arrays(content)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path} is no whole safetensors file ({error})") from None
    if sha256 is not None and digest(arrays) != sha256:
        raise WeightsError(f"{path} does not hold the weights that its record names")
    return arrays


def _to_arrays(content):
    try:
        return safetensors.numpy.load(content)
    except KeyError:  # numpy has no bfloat16: the upper half of a float32
        parts = dict(safetensors.deserialize(content))
    wide = {
        name: (np.frombuffer(part["data"], np.uint16).astype(np.uint32) << 16).view(np.float32)
        for name, part in parts.items()
        if part["dtype"] == "BF16"
    }
    others = {
        name: np.frombuffer(part["data"], _TYPES[part["dtype"]])
        for name, part in parts.items()
        if name not in wide
    }
    return {name: (wide | others)[name].reshape(part["shape"]) for name, part in parts.items()}


def metadata(path: Path | str) -> dict[str, str]:
    """The text that was saved beside the arrays of a safetensors file: `{name: text}`."""
    with safetensors.safe_open(path, "numpy") as file:
        return file.metadata() or {}
