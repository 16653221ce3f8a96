"""A run's files, command and jobs, as the tests ask for them."""

from collections.abc import Sequence
from pathlib import Path

import keras

from keras_fmnist import backends
from keras_fmnist.records.run import checkpoint_path, run_command, run_path, weights_path
from keras_fmnist.specs import Spec
from keras_fmnist.study.jobs import Job, plan_jobs


def record_path(
    out: Path, spec: Spec, seed: int = 0, backend: str | None = None, device: str | None = None
) -> Path:
    """Where the record of a run lies; backend and device are this process's where not given."""
    backend = backend or keras.backend.backend()
    return run_path(out, spec.id, seed, backend, device or backends.find_device())


def weights_file(record: Path) -> Path:
    """The weights beside a record."""
    return weights_path(record)


def checkpoint_file(record: Path) -> Path:
    """What an interrupted run leaves beside the place of its record."""
    return checkpoint_path(record)


def command_of(spec: Spec, seed: int, device: str, **more) -> str:
    """What to type to repeat a run."""
    return run_command(spec, seed, device, **more)


def plan_on_cpu(specs: Sequence[Spec], seeds: Sequence[int], out: Path) -> list[Job]:
    """The jobs of a study of this process's backend on the CPU."""
    return plan_jobs(specs, seeds, out, keras.backend.backend(), "cpu")
