"""A run that can be ended at a step and asked for again."""

import contextlib
import dataclasses

import keras
import pytest

from keras_fmnist.records.record import read_record
from keras_fmnist.records.run import RunFiles
from keras_fmnist.training import callbacks, checkpoint, train
from tests.helpers.benchmarks import load_benchmark
from tests.helpers.runs import make_run
from tests.helpers.train import train_spec

MAY_DIFFER = ("started", "seconds", "resumed_at")


class Killed(BaseException):
    """In the place of SIGKILL where a process of its own would cost too much: nothing heeds it."""


def _die(*_, **__):
    raise Killed


@contextlib.contextmanager
def replaced(owner, name, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, value)
        yield


@contextlib.contextmanager
def after(step, act):
    """Acts after so many steps, of all runs together."""
    taken = []

    class Watched(callbacks.Progress):
        def on_train_batch_end(self, batch, logs=None):
            taken.append(batch)
            if len(taken) == step:
                act()

    with replaced(train, "Progress", Watched):
        yield taken


class Run:
    """A run in a folder of its own, which can be ended at a step and asked for again."""

    def __init__(self, spec, out, dataset, **settings):
        self.spec, self.out, self.seed = spec, out, 0
        self.settings = {"dataset": dataset, "fast": False, **settings}

    def __call__(self, **changes):
        with keras.device("cpu"):  # a GPU adds in any order
            return train_spec(self.spec, self.seed, self.out, **self.settings | changes)

    @property
    def record(self):
        with keras.device("cpu"):
            return make_run(self.spec, self.seed).files(self.out).record

    @property
    def checkpoint(self):
        return RunFiles(self.record).checkpoint

    def killed(self, step, **changes):
        """One life of the run, which ends after so many steps."""
        with after(step, _die), contextlib.suppress(Killed):
            self(**changes)
            pytest.fail("it lived on")

    def outcome(self):
        """All that must be the same: the record but for what may differ, and the weights' file."""
        record = dataclasses.asdict(read_record(self.record))
        for name in MAY_DIFFER:
            del record[name]
        return record, RunFiles(self.record).weights.read_bytes()

    def names(self):
        return sorted(path.name.split(".", 1)[1] for path in self.record.parent.iterdir())


def make_harness(dataset, scratch):
    """What kills and resumes runs of `benchmarks/kill.py` in forks of this process."""
    kill = load_benchmark("kill")
    return kill.Harness(kill.Ours(dataset, fast=False), scratch)


def kill_at_shares(dataset, scratch, shares):
    """How many boundaries a run has, and what came of runs that were killed at shares of them."""
    harness = make_harness(dataset, scratch)
    planned = [[("boundary", int(share * harness.boundaries))] for share in shares]
    planned += [[("instant", 0.5), ("instant", 0.7)]]
    return harness.boundaries, [harness.scenario(kills) for kills in planned]


def kill_without_generator_states(dataset, scratch):
    """What comes of a kill within the first epoch if the generators are not set back."""
    harness = make_harness(dataset, scratch)
    with replaced(checkpoint, "set_generator_states", lambda *_: None):
        return harness.scenario([("boundary", 9)])
