"""Plans a study: which runs are missing, what each needs first, and how one is started."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from keras_fmnist.records.record import find_record
from keras_fmnist.records.run import Run, RunFiles
from keras_fmnist.settings import SpecError

ATTEMPTS = 3  # a run that was killed, for lack of memory for example, is started again and resumes
INTERRUPTED = 130  # exit status of a run that was told to stop
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Job:
    """A run that is missing, its files, and the files of the run that it needs first."""

    run: Run
    files: RunFiles
    needs: RunFiles | None = None

    def is_ready(self) -> bool:
        """Whether the run that it needs has finished."""
        return self.needs is None or self.needs.record.exists()


class Engine(Protocol):
    """Starts runs and watches them, on this machine or on a cluster."""

    @property
    def places(self) -> int:
        """How many runs it takes at the same time."""

    def start(self, job: Job) -> Any:
        """Starts a run and returns a handle for the other methods."""

    def ended(self, handle: Any, job: Job) -> tuple[int, str] | None:
        """Returns the exit status (negative: a signal) and last line of a run; None if it runs."""

    def stop(self, handles: Sequence[Any]) -> None:
        """Ends runs that are still running."""


def plan_jobs(runs: Iterable[Run], out: Path | str) -> list[Job]:
    """Lists the runs that are missing under `out`, an autoencoder before its classifiers.

    Args:
        runs: the runs of the study; the autoencoders that they need are added.
        out: the folder of the records.

    Raises:
        SpecError: `out` has one of the runs with other settings, or has the record but not the
            weights of an autoencoder that is needed.
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
    """Returns the arguments of python, without `--out`, that start or resume a run."""
    return [*shlex.split(run.command())[1:], "--resume"]


def set_environment(run: Run) -> dict[str, str]:
    """Returns environment variables for a run: its backend, and one thread on a CPU."""
    threads = {"OMP_NUM_THREADS": "1"} if run.device == "cpu" else {}
    return {"KERAS_BACKEND": run.keras_backend, **threads}


def find_last_line(output: str) -> str:
    """Returns the last line that a run printed."""
    return (output.strip().splitlines() or ["it printed nothing"])[-1]
