"""The file of a checkpoint: safetensors with JSON in its metadata, written whole, or refused."""

import json
from pathlib import Path

import numpy as np

from keras_fmnist.models import weights
from keras_fmnist.records.run import RunFiles
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import Spec


def write(path: Path | str, arrays: weights.Arrays, state: dict) -> None:
    """Writes arrays, and a state that JSON can hold, with their digest, whole or not at all."""
    text = json.dumps(state)
    weights.save(path, arrays, {"state": text, "sha256": _digest(arrays, text)})


def read(path: Path | str) -> tuple[weights.Arrays, dict]:
    """Arrays and state as `write` was given them.

    Raises:
        SpecError: it is damaged.
    """
    try:
        arrays = weights.load(path, most=3 * weights.MOST_BYTES)  # Adam has two numbers a weight
        metadata = weights.metadata(path)
        if metadata["sha256"] != _digest(arrays, metadata["state"]):
            raise ValueError
        return arrays, json.loads(metadata["state"])
    except (KeyError, ValueError):
        raise unusable(path, "is damaged") from None


def _digest(arrays, text):
    return weights.digest(arrays | {"state": np.frombuffer(text.encode(), np.uint8)})


def refuse(files: RunFiles, spec: Spec, resume: bool) -> None:
    """Raises SpecError where a run has left a checkpoint that nobody asked to go on from."""
    path = files.checkpoint
    if not path.exists():
        return
    if files.record.exists():
        if _epoch(path) < spec.epochs:  # else it was killed with nothing left to do
            raise SpecError(
                f"{path} is left of a run that was to replace {files.record.name}: "
                "--force --resume goes on with it; or remove it"
            )
    elif not resume:
        raise SpecError(
            f"{path} is left of a run that was interrupted: "
            "--resume goes on with it, --force starts anew"
        )


def _epoch(path):
    try:
        return int(read(path)[1]["epoch"])
    except (KeyError, TypeError):
        raise unusable(path, "is damaged") from None


def unusable(path: Path | str, why: str) -> SpecError:
    """The error that a checkpoint cannot be gone on from, with what to do."""
    # A classifier's own --force does not start its autoencoder anew, and the file may be of that.
    name = "/".join(Path(path).parts[-3:-1])
    return SpecError(f"{path} {why}: remove it, or run {name} with --force and without --resume")
