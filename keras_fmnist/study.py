"""Many runs: what is missing is planned, then run as processes side by side.

Two single-threaded processes move about 1.6 times as many steps as one with two threads, so on a
CPU every run has one thread; on a GPU runs go one after the other. What is there already is not run
again, so that a study that was stopped goes on where it was.
"""

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from keras_fmnist import results
from keras_fmnist.specs import ClassifierSpec, command

ATTEMPTS = 3  # a worker that was killed, for want of memory say, is started again
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Job:
    """One run that is missing. `needs` is the path of the record that must be there before it."""

    spec: object
    seed: int
    path: Path
    needs: Path | None = None

    @property
    def name(self):
        """`mansilla/base seed 0`."""
        return f"{self.spec.id} seed {self.seed}"

    def is_ready(self):
        """Whether what it needs is there."""
        return self.needs is None or self.needs.exists()

    @property
    def log(self):
        """What the run says goes here, until it has succeeded."""
        return self.path.with_suffix(".log")


def plan(specs, seeds, out, backend, device):
    """The runs that are missing under `out`, an autoencoder before its classifiers.

    Args:
        specs: experiments; the autoencoders of pretrained classifiers are added.
        seeds: such as `range(5)`.
        out: the folder of the records.
        backend: of Keras.
        device: cpu or gpu.

    Raises:
        SpecError: a run that is there has other settings.
    """
    jobs = {}
    for seed in seeds:
        for spec in specs:
            needs = None
            if isinstance(spec, ClassifierSpec) and spec.pretrained:
                needs = _add(jobs, spec.autoencoder, seed, out, backend, device)
            _add(jobs, spec, seed, out, backend, device, needs)
    return [job for job in jobs.values() if job is not None]


def _add(jobs, spec, seed, out, backend, device, needs=None):
    path = results.run_path(out, spec.id, seed, backend, device)
    if path not in jobs:
        done = results.find(path, spec)
        jobs[path] = None if done else Job(spec, seed, path, needs)
    return path


def run(jobs, out, device, workers):
    """Runs every job, `workers` at a time; prints a line for each that ends.

    Raises:
        RuntimeError: a run failed `ATTEMPTS` times; the others were run all the same.
    """
    waiting, running, failed = list(jobs), {}, []
    attempts = dict.fromkeys((job.path for job in jobs), 0)
    clock = time.perf_counter()
    bar = tqdm(total=len(jobs), unit="run", disable=None)
    try:
        while waiting or running:
            for job in [j for j in waiting if j.is_ready()][: workers - len(running)]:
                waiting.remove(job)
                attempts[job.path] += 1
                running[_start(job, out, device)] = job, time.perf_counter()
            for process in [p for p in running if p.poll() is not None]:
                job, started = running.pop(process)
                if process.returncode == 0:
                    bar.update()
                    _say(bar, job, time.perf_counter() - started, clock, len(jobs))
                elif process.returncode > 0 or attempts[job.path] == ATTEMPTS:
                    failed.append(job)
                    tail = job.log.read_text().strip().splitlines()[-1:]
                    bar.write(f"{job.name}: failed ({' '.join(tail)})")
                else:
                    bar.write(f"{job.name}: killed by signal {-process.returncode}, again")
                    waiting.insert(0, job)
            stuck = [job for job in waiting if job.needs in {f.path for f in failed}]
            for job in stuck:
                waiting.remove(job)
                failed.append(job)
                bar.write(f"{job.name}: not run, its autoencoder failed")
            time.sleep(POLL)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        bar.close()
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(jobs)} runs failed: {failed[0].name} first")


def _start(job, out, device):
    """Starts a run as a process of its own, with what it says in a file beside its record."""
    job.log.parent.mkdir(parents=True, exist_ok=True)
    words = shlex.split(command(job.spec, job.seed, device))[1:]
    environment = os.environ | ({"OMP_NUM_THREADS": "1"} if device == "cpu" else {})
    with job.log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, *words, "--out", str(out)], stdout=file, stderr=file, env=environment
        )


def _say(bar, job, seconds, clock, total):
    record = results.read(job.path)
    left = (total - bar.n) * (time.perf_counter() - clock) / bar.n
    shown = ", ".join(
        f"{name} {record.metrics[name]:.4f}"
        for name in ("val_loss", "val_accuracy")
        if name in record.metrics
    )
    bar.write(
        f"{job.name}: {shown} in {seconds:.0f} s; {bar.n}/{total}, about {left / 60:.0f} min left"
    )
    job.log.unlink()
