"""PyTorch's files of weights, as people have them: a `state_dict`, alone or in a checkpoint.

A file comes from anybody. It is read by PyTorch's restricted reader, no function that it names is
called, and whatever in it is no tensor is not used.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_fmnist.files import read_bounded
from keras_fmnist.models.file_kinds import AGAIN, describe_mistake, is_safetensors
from keras_fmnist.models.weights import MOST_BYTES, Arrays, WeightsError, to_float32

if TYPE_CHECKING:
    import torch

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "weights")
DEEPEST = 4  # wrappers in wrappers
MOST_SHARED = 4  # times the file's length, of tensors that share their numbers


class _Unused:
    """Stands for what lies beside tensors in many a checkpoint; it takes anything and keeps none.

    PyTorch's restricted reader puts it in the place of the names below, whose own functions it
    would refuse: so none of them is called.
    """

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


_UNUSED = [
    *(
        f"numpy.{core}.multiarray.{name}"
        for core in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    ),
    *("numpy.dtype", "numpy.ndarray", "argparse.Namespace"),
    *("datetime.datetime", "datetime.timedelta", "datetime.date"),
    *(
        f"pathlib{where}.{name}"
        for where in ("", "._local")
        for name in ("Path", "PosixPath", "WindowsPath")
    ),
]


@dataclass(frozen=True)
class NativeFile:
    """What a PyTorch file holds.

    Attributes:
        arrays: by the file's own names and in its order, floating-point numbers as float32.
        notes: what was done to get them, in words.
    """

    arrays: Arrays
    notes: tuple[str, ...]


def load_native(path: Path | str) -> NativeFile:
    """Reads the tensors of a PyTorch file; code in it is refused, not run.

    The `state_dict` may lie in a checkpoint under one of `WRAPPERS`; or there are several, such as
    `encoder` and `decoder`, which then stand before the names of their tensors.

    Raises:
        WeightsError: the file is missing, of another kind, or would fill more memory than a few
            times its length; a tensor has no numbers of its own; or torch is too old to read the
            file safely.
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
    if mistake := describe_mistake(content):
        raise WeightsError(f"{path} {mistake}")
    if is_safetensors(content):
        raise WeightsError(f"{path} is a safetensors file: let its name end in .safetensors")
    try:
        _check_unpacked(content, path)
        inert = torch.serialization.safe_globals([(_Unused, name) for name in _UNUSED])
        # What is refused needs no second line.
        with inert, warnings.catch_warnings(action="ignore"):
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception as error:  # what its reader raises depends on where the damage is
        raise WeightsError(f"{path} {_explain(error)}") from None
    tensors, notes = _find_tensors(loaded, path)
    _check_numbers(tensors, len(content), path)
    arrays, rounded = to_float32({name: _to_array(tensor) for name, tensor in tensors.items()})
    kinds = {t.dtype: None for t in tensors.values() if _is_unknown_to_numpy(t)}
    rounded += [f"{str(kind)[6:]} made float32" for kind in kinds]  # torch.bfloat16
    return NativeFile(arrays, (*notes, *rounded))


def _check_unpacked(content, path):
    """Refuses a zip archive, as PyTorch's files are, that unpacks to more bytes than it has."""
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > len(content):
                raise WeightsError(f"{path} unpacks to more bytes than it has")


def _explain(error):
    """Why the restricted reader has refused a file, in words."""
    named = re.search(r"GLOBAL ([\w.]+) was not an allowed global", str(error))
    if not named:
        return "is no PyTorch file of tensors alone"
    return f"holds an object, {named[1]}, and not tensors, numbers and text alone: {AGAIN}"


def _find_tensors(loaded, path) -> "tuple[dict[str, torch.Tensor], list[str]]":
    """The tensors of a `state_dict`, wherever in the file it lies, and where that was."""
    notes = []
    for _ in range(DEEPEST):
        parts = _list_parts(loaded)
        wrapper = next((name for name in WRAPPERS if name in parts), None)
        if wrapper is None:
            break
        loaded = loaded[wrapper]
        notes.append(f"taken from {wrapper!r}")
    tensors = _pick_tensors(loaded)
    if not tensors and parts:
        notes += [f"taken from {name!r}" for name in parts]
        states = [_pick_tensors(loaded[part]) for part in parts]
        tensors = _join_parts(parts, states)
        if len(tensors) < sum(map(len, states)):
            raise WeightsError(
                f"{path} holds several nets, {' and '.join(parts)}: save one of them"
            )
    is_state_dict = isinstance(loaded, dict) and all(isinstance(name, str) for name in loaded)
    if not is_state_dict or (loaded and not tensors):
        raise WeightsError(f"{path} must hold a state_dict, tensors by their names: {AGAIN}")
    return tensors, notes


def _join_parts(parts, states):
    """The tensors of all parts, each with its part's name before its own; of one part, as it is.

    Where two parts are alike they are no parts, but a net and its copy: only one is given back.
    """
    if len(parts) == 1:
        return states[0]
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in states]
    if any(one in shapes[:k] for k, one in enumerate(shapes)):
        return states[0]
    return {
        f"{part}.{name}": tensor
        for part, state in zip(parts, states, strict=True)
        for name, tensor in state.items()
    }


def _list_parts(loaded):
    """The names of the entries that are no tensors, but hold some, as a checkpoint's do."""
    if not isinstance(loaded, dict):
        return []
    return [
        name
        for name, part in loaded.items()
        if isinstance(name, str)
        and isinstance(part, dict)
        and (_pick_tensors(part) or any(isinstance(part.get(w), dict) for w in WRAPPERS))
    ]


def _pick_tensors(state):
    import torch

    if not isinstance(state, dict):
        return {}
    return {
        name: value
        for name, value in state.items()
        if isinstance(name, str) and torch.is_tensor(value)
    }


def _check_numbers(tensors: "Mapping[str, torch.Tensor]", length, path):
    """Refuses tensors without numbers of their own, and too many that share theirs."""
    total = 0
    for name, tensor in tensors.items():
        if str(tensor.layout) != "torch.strided" or tensor.is_meta or tensor.is_quantized:
            kind = f"{tensor.dtype}, {tensor.layout}, on {tensor.device}".replace("torch.", "")
            raise WeightsError(f"{path}: {name} must be dense float32, not {kind}")
        size = tensor.numel() * tensor.element_size()
        if size > tensor.untyped_storage().nbytes():  # `expand`: all is one number
            raise WeightsError(f"{path}: {name} has more elements than the file holds")
        total += size
    if total > MOST_SHARED * length:
        raise WeightsError(f"{path}: its tensors share their numbers, and would fill {total} bytes")


def _to_array(tensor):
    """A tensor's numbers for numpy, which has no bfloat16."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    return (tensor.float() if _is_unknown_to_numpy(tensor) else tensor).numpy()


def _is_unknown_to_numpy(tensor):
    return tensor.is_floating_point() and str(tensor.dtype)[6:] not in (
        "float16",
        "float32",
        "float64",
    )
