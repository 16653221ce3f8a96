"""Many runs: what is missing is planned, then run side by side on an engine.

An engine holds the places where runs go: `Local` the processes of this machine, `Cluster` the
nodes of a Ray cluster. What is ready, what is tried again and what is said is the same on both.

Two single-threaded processes move about 1.6 times as many steps as one with two threads, so on a
CPU every run has one thread; on a GPU runs go one after the other. What is there already is not run
again, so that a study that was stopped goes on where it was.
"""

import time
from collections.abc import Sequence

from tqdm import tqdm

from keras_fmnist.records.record import read_record
from keras_fmnist.study.jobs import ATTEMPTS, INTERRUPTED, POLL, Engine, Job


def run_jobs(jobs: Sequence[Job], engine: Engine) -> None:
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
        first = pool.failed[0].run.title
        raise RuntimeError(f"{len(pool.failed)} of {len(jobs)} runs failed, {first} first")


class _Pool:
    """Jobs that wait, runs that an engine has started, and what has become of the rest."""

    def __init__(self, jobs, engine):
        self.total, self.engine = len(jobs), engine
        self.waiting, self.running, self.failed, self.done = list(jobs), {}, [], 0
        self.attempts = dict.fromkeys((job.files for job in jobs), 0)
        self.began = time.perf_counter()
        self.bar = tqdm(total=self.total, unit="run", disable=None)

    def start(self):
        """Starts jobs that are ready, as many as there are free places."""
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
        """Takes note of the runs that have ended."""
        for handle, job in list(self.running.items()):
            ended = self.engine.ended(handle, job)
            if ended is None:
                continue
            status, said = ended
            del self.running[handle]
            if status == 0:
                self._succeed(job)
            elif (status < 0 or status == INTERRUPTED) and self.attempts[job.files] < ATTEMPTS:
                self.waiting.insert(0, job)
                how = "interrupted" if status == INTERRUPTED else f"killed by signal {-status}"
                self.bar.write(f"{job.run.title}: {how}, again")
            else:
                self.failed.append(job)
                self.bar.write(f"{job.run.title}: failed ({said})")

    def stop(self):
        """Ends what still runs."""
        self.engine.stop(list(self.running))
        self.bar.close()

    def _succeed(self, job):
        self.done += 1  # the bar does not count where it is not shown
        self.bar.update()
        job.files.log.unlink(missing_ok=True)
        record = read_record(job.files.record)
        left = (
            (self.total - self.done - len(self.failed))
            * (time.perf_counter() - self.began)
            / self.done
        )
        self.bar.write(
            f"{job.run.title}: {_outcome(record.metrics)} in {record.seconds['total']:.0f} s; "
            f"{self.done}/{self.total}, about {left / 60:.0f} min left"
        )


def _outcome(metrics):
    shown = ("val_loss", "val_accuracy")
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in shown if name in metrics)
