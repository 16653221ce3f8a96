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


def select(arrays: Arrays, name: str) -> Arrays:
    """The arrays of one layer of a model, named as that layer names them: `part(a, "encoder")`."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}


def save(path: Path | str, arrays: Arrays, metadata: dict[str, str] | None = None) -> None:
    """Writes a safetensors file, whole or not at all; `metadata` is text by name."""
    # safetensors writes the memory of an array as it lies: a transposed one would come back wrong.
    in_rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
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
