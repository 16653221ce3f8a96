"""Writes and reads the file of a checkpoint: safetensors with JSON in the metadata."""

import json
from pathlib import Path

import numpy as np

from keras_fmnist.models import weights
from keras_fmnist.records.run import RunFiles
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import Spec


def write(path: Path | str, arrays: weights.Arrays, state: dict) -> None:
    """Writes arrays, a state for JSON, and their digest, whole or not at all."""
    text = json.dumps(state)
    weights.save(path, arrays, {"state": text, "sha256": _digest(arrays, text)})


def read(path: Path | str) -> tuple[weights.Arrays, dict]:
    """Reads arrays and state, and checks their digest.

    Raises:
        SpecError: the file is damaged.
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
    """Raises SpecError if an interrupted run left a checkpoint and `resume` is not set.

    Args:
        files: of the run.
        spec: of the run.
        resume: whether the user asked to resume.
    """
    path = files.checkpoint
    if not path.exists():
        return
    if files.record.exists():
        if _epoch(path) < spec.epochs:  # else it was killed after the last epoch
            raise SpecError(
                f"{path} is of an interrupted run that was to replace {files.record.name}: "
                "continue it with --force --resume, or remove the file"
            )
    elif not resume:
        raise SpecError(
            f"{path} is of an interrupted run: --resume continues it, --force starts again"
        )


def _epoch(path):
    try:
        return int(read(path)[1]["epoch"])
    except (KeyError, TypeError):
        raise unusable(path, "is damaged") from None


def unusable(path: Path | str, why: str) -> SpecError:
    """Returns the error for a checkpoint that cannot be resumed, with what to do about it."""
    # Names the run of the file: --force of a classifier does not retrain its autoencoder.
    name = "/".join(Path(path).parts[-3:-1])
    return SpecError(f"{path} {why}: remove it, or run {name} with --force and without --resume")
