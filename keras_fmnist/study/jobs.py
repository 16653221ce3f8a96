"""The runs of a study: which are missing, what each needs, and how one is started."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from keras_fmnist.records.record import find_record
from keras_fmnist.records.run import Run, RunFiles
from keras_fmnist.settings import SpecError

ATTEMPTS = 3  # a worker that was killed, for want of memory say, is started again and goes on
INTERRUPTED = 130  # exit status of a run that somebody else told to stop
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Job:
    """One run that is missing, its files, and those of the run that must be there before it."""

    run: Run
    files: RunFiles
    needs: RunFiles | None = None

    def is_ready(self) -> bool:
        """Whether what it needs is there."""
        return self.needs is None or self.needs.record.exists()


class Engine(Protocol):
    """Where the runs of a study go: processes of this machine, or nodes of a cluster."""

    @property
    def places(self) -> int:
        """How many runs it takes at a time."""

    def start(self, job: Job) -> Any:
        """Starts a run; returns what the engine knows it by."""

    def ended(self, handle: Any, job: Job) -> tuple[int, str] | None:
        """Exit status, negative for a signal, and last line of a run; None while it runs."""

    def stop(self, handles: Sequence[Any]) -> None:
        """Ends what still runs."""


def plan_jobs(runs: Iterable[Run], out: Path | str) -> list[Job]:
    """The runs that are missing under `out`, an autoencoder before its classifiers.

    Args:
        runs: the autoencoders that they need are added.
        out: the folder of the records.

    Raises:
        SpecError: a run that is there has other settings, or an autoencoder that is needed has a
            record and no weights.
    """
    jobs = {}

    def add(run, needs=None):
        files = run.files(out)
        if files not in jobs:
            jobs[files] = None if find_record(run, out) else Job(run, files, needs)
        return files

    for run in runs:
        needs = add(run.needs) if run.needs else None
        job = jobs[add(run, needs)]
        if job and needs and jobs[needs] is None and not needs.weights.exists():
            raise SpecError(
                f"{run.title} needs {needs.weights}, which is missing: "
                f"{run.needs.command()} --force --out {out} makes it again"
            )
    return [job for job in jobs.values() if job is not None]


def split_command(run: Run) -> list[str]:
    """The words between python and `--out` that run a job, or go on with one that was killed."""
    return [*shlex.split(run.command())[1:], "--resume"]


def set_environment(run: Run) -> dict[str, str]:
    """Variables of a run's process: its backend, and one thread on a CPU."""
    threads = {"OMP_NUM_THREADS": "1"} if run.device == "cpu" else {}
    return {"KERAS_BACKEND": run.backend, **threads}


def find_last_line(output: str) -> str:
    """The last line of what a run printed."""
    return (output.strip().splitlines() or ["it said nothing"])[-1]
