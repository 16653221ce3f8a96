"""Many runs: what is missing is planned, then run side by side on an engine.

An engine holds the places where runs go: `Local` the processes of this machine, `ray_engine` the
nodes of a Ray cluster. What is ready, what is tried again and what is said is the same on both.

Two single-threaded processes move about 1.6 times as many steps as one with two threads, so on a
CPU every run has one thread; on a GPU runs go one after the other. What is there already is not run
again, so that a study that was stopped goes on where it was.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from keras_fmnist import results
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec, command

if TYPE_CHECKING:
    from keras_fmnist.ray_engine import Cluster

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


def plan(
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
        path = results.run_path(out, spec.id, seed, backend, device)
        if path not in jobs:
            done = results.find(path, spec, examples)
            jobs[path] = None if done else Job(spec, seed, path, needs)
        return path

    for seed in seeds:
        for spec in specs:
            needs = None
            if isinstance(spec, ClassifierSpec) and spec.pretrained:
                needs = add(spec.autoencoder, seed)
            job = jobs[add(spec, seed, needs)]
            if job and needs and jobs[needs] is None and not results.weights_path(needs).exists():
                again = command(spec.autoencoder, seed, device)
                raise SpecError(
                    f"{job.name} needs {results.weights_path(needs)}, which is missing: "
                    f"{again} --force --out {out} makes it again"
                )
    return [job for job in jobs.values() if job is not None]


def words(job: Job, device: str) -> list[str]:
    """What stands between python and `--out`, to run a job, or go on with one that was killed."""
    return [*shlex.split(command(job.spec, job.seed, device))[1:], "--resume"]


def environment(device: str) -> dict[str, str]:
    """Variables of a run: its backend, and one thread on a CPU."""
    threads = {"OMP_NUM_THREADS": "1"} if device == "cpu" else {}
    return {"KERAS_BACKEND": os.environ["KERAS_BACKEND"], **threads}


def last_line(said: str) -> str:
    """The last line of what a run said."""
    return (said.strip().splitlines() or ["it said nothing"])[-1]


class Local:
    """Processes on this machine, `places` at a time."""

    def __init__(self, out: Path | str, device: str, places: int) -> None:
        self.out, self.device, self.places = out, device, places

    def start(self, job: Job) -> subprocess.Popen:
        """Starts a run as a process, with what it says in a file beside its record."""
        job.log.parent.mkdir(parents=True, exist_ok=True)
        line = [sys.executable, *words(job, self.device), "--out", str(self.out)]
        with job.log.open("wb") as log:
            return subprocess.Popen(
                line, stdout=log, stderr=log, env=os.environ | environment(self.device)
            )

    def ended(self, process: subprocess.Popen, job: Job) -> tuple[int, str] | None:
        """Its exit status, negative for a signal, and its last line; None while it runs."""
        if process.poll() is None:
            return None
        try:
            said = job.log.read_text(errors="replace")
        except FileNotFoundError:  # another study, which had the same run, has removed it
            said = ""
        return process.returncode, last_line(said)

    def stop(self, processes: Sequence[subprocess.Popen]) -> None:
        """Ends what still runs; what a run had not finished is not there."""
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def run(jobs: Sequence[Job], engine: "Local | Cluster") -> None:
    """Runs every job, `engine.places` at a time; prints a line for each that ends.

    Raises:
        RuntimeError: a run failed, or was killed `ATTEMPTS` times; the others ran all the same.
    """
    pool = _Pool(jobs, engine)
    try:
        while pool.waiting or pool.running:
            pool.start()
            pool.collect()
            time.sleep(POLL)
    finally:
        pool.stop()
    if pool.failed:
        first = pool.failed[0].name
        raise RuntimeError(f"{len(pool.failed)} of {len(jobs)} runs failed, {first} first")


class _Pool:
    """Jobs that wait, runs that an engine has started, and what has become of the rest."""

    def __init__(self, jobs, engine):
        self.total, self.engine = len(jobs), engine
        self.waiting, self.running, self.failed, self.done = list(jobs), {}, [], 0
        self.attempts = dict.fromkeys((job.path for job in jobs), 0)
        self.began = time.perf_counter()
        self.bar = tqdm(total=self.total, unit="run", disable=None)

    def start(self):
        """Starts jobs that are ready, as many as there are free places."""
        lost = {job.path for job in self.failed}
        places = self.engine.places
        for job in list(self.waiting):
            if job.needs in lost:
                self.waiting.remove(job)
                self.failed.append(job)
                self.bar.write(f"{job.name}: not run, its autoencoder failed")
            elif len(self.running) < places and job.is_ready():
                self.waiting.remove(job)
                self.attempts[job.path] += 1
                self.running[self.engine.start(job)] = job

    def collect(self):
        """Takes note of the runs that have ended."""
        for handle, job in list(self.running.items()):
            ended = self.engine.ended(handle, job)
            if ended is None:
                continue
            status, said = ended
            del self.running[handle]
            if status == 0:
                self._succeed(job)
            elif (status < 0 or status == INTERRUPTED) and self.attempts[job.path] < ATTEMPTS:
                self.waiting.insert(0, job)
                how = "interrupted" if status == INTERRUPTED else f"killed by signal {-status}"
                self.bar.write(f"{job.name}: {how}, again")
            else:
                self.failed.append(job)
                self.bar.write(f"{job.name}: failed ({said})")

    def stop(self):
        """Ends what still runs."""
        self.engine.stop(list(self.running))
        self.bar.close()

    def _succeed(self, job):
        self.done += 1  # the bar does not count where it is not shown
        self.bar.update()
        job.log.unlink(missing_ok=True)
        record = results.read(job.path)
        left = (
            (self.total - self.done - len(self.failed))
            * (time.perf_counter() - self.began)
            / self.done
        )
        self.bar.write(
            f"{job.name}: {_outcome(record.metrics)} in {record.seconds['total']:.0f} s; "
            f"{self.done}/{self.total}, about {left / 60:.0f} min left"
        )


def _outcome(metrics):
    shown = ("val_loss", "val_accuracy")
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in shown if name in metrics)
