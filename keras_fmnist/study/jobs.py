"""The runs of a study: which are missing, what each needs, and how one is started."""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_fmnist.records.record import find_record
from keras_fmnist.records.run import run_command, run_path, weights_path
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec

ATTEMPTS = 3  # a worker that was killed, for want of memory say, is started again and goes on
INTERRUPTED = 130  # exit status of a run that somebody else told to stop
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Job:
    """One run that is missing. `needs` is the path of the record that must be there before it."""

    spec: AutoencoderSpec | ClassifierSpec
    seed: int
    path: Path
    needs: Path | None = None

    @property
    def name(self) -> str:
        """`mansilla/base seed 0`."""
        return f"{self.spec.id} seed {self.seed}"

    def is_ready(self) -> bool:
        """Whether what it needs is there."""
        return self.needs is None or self.needs.exists()

    @property
    def log(self) -> Path:
        """What the run says goes here, until it has succeeded."""
        return self.path.with_suffix(".log")


def plan_jobs(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    seeds: Iterable[int],
    out: Path | str,
    backend: str,
    device: str,
    examples: int = TRAIN_IMAGES,
) -> list[Job]:
    """The runs that are missing under `out`, an autoencoder before its classifiers.

    Args:
        specs: experiments; the autoencoders of pretrained classifiers are added.
        seeds: such as `range(5)`.
        out: the folder of the records.
        backend: of Keras.
        device: cpu or gpu.
        examples: training images of each run.

    Raises:
        SpecError: a run that is there has other settings, or an autoencoder that is needed has a
            record and no weights.
    """
    jobs = {}

    def add(spec, seed, needs=None):
        path = run_path(out, spec.id, seed, backend, device)
        if path not in jobs:
            done = find_record(path, spec, examples)
            jobs[path] = None if done else Job(spec, seed, path, needs)
        return path

    for seed in seeds:
        for spec in specs:
            needs = None
            if isinstance(spec, ClassifierSpec) and spec.pretrained:
                needs = add(spec.autoencoder, seed)
            job = jobs[add(spec, seed, needs)]
            if job and needs and jobs[needs] is None and not weights_path(needs).exists():
                again = run_command(spec.autoencoder, seed, device)
                raise SpecError(
                    f"{job.name} needs {weights_path(needs)}, which is missing: "
                    f"{again} --force --out {out} makes it again"
                )
    return [job for job in jobs.values() if job is not None]


def command_words(job: Job, device: str) -> list[str]:
    """What stands between python and `--out`, to run a job, or go on with one that was killed."""
    return [*shlex.split(run_command(job.spec, job.seed, device))[1:], "--resume"]


def run_environment(device: str) -> dict[str, str]:
    """Variables of a run: its backend, and one thread on a CPU."""
    threads = {"OMP_NUM_THREADS": "1"} if device == "cpu" else {}
    return {"KERAS_BACKEND": os.environ["KERAS_BACKEND"], **threads}


def last_line(said: str) -> str:
    """The last line of what a run said."""
    return (said.strip().splitlines() or ["it said nothing"])[-1]
