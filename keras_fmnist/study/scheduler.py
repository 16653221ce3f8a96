"""Runs jobs side by side, starts again those that were killed, and reports progress.

The engine decides where a job runs: `Local` on this machine, `Cluster` on the nodes of a Ray
cluster. When a job is started, when it is tried again and what is printed is the same for both.

On a CPU every run has one thread, because two single-threaded processes take about 1.6 times as
many steps as one with two threads. Finished runs are not run again, so a study that was stopped
continues where it was.
"""

import time
from collections.abc import Sequence

from tqdm import tqdm

from keras_fmnist.records.record import read_record
from keras_fmnist.study.jobs import ATTEMPTS, INTERRUPTED, POLL, Engine, Job


def run_jobs(jobs: Sequence[Job], engine: Engine) -> None:
    """Runs every job, `engine.places` at a time, and prints a line for each that ends.

    Args:
        jobs: what `plan_jobs` returned.
        engine: where they run.

    Raises:
        RuntimeError: a run failed, or was killed `ATTEMPTS` times; this does not stop the others.
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
        first = pool.failed[0].run.title
        raise RuntimeError(f"{len(pool.failed)} of {len(jobs)} runs failed, {first} first")


class _Pool:
    """The jobs of a study: waiting, running, failed and done."""

    def __init__(self, jobs, engine):
        self.total, self.engine = len(jobs), engine
        self.waiting, self.running, self.failed, self.done = list(jobs), {}, [], 0
        self.attempts = dict.fromkeys((job.files for job in jobs), 0)
        self.began = time.perf_counter()
        self.bar = tqdm(total=self.total, unit="run", disable=None)

    def start(self):
        """Starts jobs that are ready while the engine has free places."""
        lost = {job.files for job in self.failed}
        places = self.engine.places
        for job in list(self.waiting):
            if job.needs in lost:
                self.waiting.remove(job)
                self.failed.append(job)
                self.bar.write(f"{job.run.title}: not run, its autoencoder failed")
            elif len(self.running) < places and job.is_ready():
                self.waiting.remove(job)
                self.attempts[job.files] += 1
                self.running[self.engine.start(job)] = job

    def collect(self):
        """Handles the runs that have ended."""
        for handle, job in list(self.running.items()):
            ended = self.engine.ended(handle, job)
            if ended is None:
                continue
            status, last_line = ended
            del self.running[handle]
            if status == 0:
                self._succeed(job)
            elif (status < 0 or status == INTERRUPTED) and self.attempts[job.files] < ATTEMPTS:
                self.waiting.insert(0, job)
                reason = "interrupted" if status == INTERRUPTED else f"killed by signal {-status}"
                self.bar.write(f"{job.run.title}: {reason}, again")
            else:
                self.failed.append(job)
                self.bar.write(f"{job.run.title}: failed ({last_line})")

    def stop(self):
        """Ends runs that are still running."""
        self.engine.stop(list(self.running))
        self.bar.close()

    def _succeed(self, job):
        self.done += 1  # the bar does not count if it is hidden
        self.bar.update()
        job.files.log.unlink(missing_ok=True)
        record = read_record(job.files.record)
        left = (
            (self.total - self.done - len(self.failed))
            * (time.perf_counter() - self.began)
            / self.done
        )
        self.bar.write(
            f"{job.run.title}: {_format_val(record.metrics)} in {record.seconds['total']:.0f} s; "
            f"{self.done}/{self.total}, about {left / 60:.0f} min left"
        )


def _format_val(metrics):
    shown = ("val_loss", "val_accuracy")
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in shown if name in metrics)
