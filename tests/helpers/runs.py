"""Runs of this process, and the jobs of a study of them."""

from collections.abc import Sequence
from pathlib import Path

import keras

from keras_fmnist import backends
from keras_fmnist.records.run import Run
from keras_fmnist.specs import TRAIN_IMAGES, Spec
from keras_fmnist.study.jobs import Job, plan_jobs


def make_run(
    spec: Spec, seed: int = 0, device: str | None = None, examples: int = TRAIN_IMAGES
) -> Run:
    """A run on this process's backend, and on its device where none is given."""
    device = device or backends.find_device()
    return Run(spec, seed, keras.backend.backend(), device, examples)


def plan_on_cpu(specs: Sequence[Spec], seeds: Sequence[int], out: Path) -> list[Job]:
    """The jobs that are missing, on this process's backend and the CPU."""
    return plan_jobs([make_run(spec, seed, "cpu") for seed in seeds for spec in specs], out)
