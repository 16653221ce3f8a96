"""Exact resume: a run that was killed and resumed ends as one that was not, to the last bit."""

import contextlib
import dataclasses
import errno
import importlib.util
import os
import resource
import shutil
import signal
import threading
from pathlib import Path

import keras
import numpy as np
import pytest

from experiments.manolucos import BATCHNORM
from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist import data, fast_fit, files
from keras_fmnist.models import weights
from keras_fmnist.records.record import read_record
from keras_fmnist.records.run import RunFiles
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override
from keras_fmnist.training import callbacks, checkpoint, checkpoint_file, evaluation, train
from tests.helpers.repository import ROOT
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


@pytest.fixture(scope="session")
def small():
    """110 training and 40 test images: in batches of 30 an epoch has four steps."""
    return data.make_synthetic(110, 40)


@pytest.fixture
def make(tmp_path, small):
    """`make(spec, name, …)`: a `Run` of two epochs of four steps."""

    def shrink(spec, name="run", changes=(), **settings):
        base = {"epochs": min(spec.epochs, 2), "batch_size": 30, **dict(changes)}
        return Run(override(spec, base), tmp_path / name, small, **settings)

    return shrink


@pytest.fixture(scope="session")
def whole(tmp_path_factory, small):
    """`base` as `make` makes it, run in one go."""
    spec = override(BASE, {"epochs": 2, "batch_size": 30})
    run = Run(spec, tmp_path_factory.mktemp("whole"), small)
    run()
    return run


SGD = {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1, "pretrained": False}


@pytest.mark.portable
def test_a_run_killed_within_an_epoch_and_after_the_last_goes_on_to_the_same_bytes(make):
    # A classifier has two metrics, and on every backend dropout draws from other generators.
    # Batches of one size: jax and tensorflow compile each for seconds.
    changes = {**SGD, "batch_size": 55, "epochs": 3}
    alone = make(CLASSIFIER_FULL, "alone", changes, checkpoint_every=1)
    alone()
    killed = make(CLASSIFIER_FULL, "killed", changes, checkpoint_every=1)
    killed.killed(4)
    with replaced(train, "write_dataclass", _die), pytest.raises(Killed):
        killed(resume=True)
    assert killed(resume=True).resumed_at == [1, 3]
    assert killed.outcome() == alone.outcome()
    assert killed.names() == ["json", "safetensors"]


def test_traced_steps_go_on_to_the_same_bytes_too(make):
    alone = make(BASE, "alone", {"batch_size": 55}, fast=True)
    alone()
    killed = make(BASE, "killed", {"batch_size": 55}, fast=True, checkpoint_every=1)
    killed.killed(4)
    assert killed(resume=True).resumed_at == [1]
    assert killed.outcome() == alone.outcome()


def test_a_run_killed_again_and_again_goes_on_to_the_same_bytes(make):
    # Batch norm has weights that no optimiser moves.
    changes = {"dropout": 0.2, "epochs": 3}
    alone = make(BATCHNORM, "alone", changes)
    alone()
    killed = make(BATCHNORM, "killed", changes, checkpoint_every=3)
    killed.killed(2)  # nothing is saved yet
    killed.killed(4, resume=True)  # saved after step 3, within the first epoch
    killed.killed(2, resume=True)  # saved at the end of the first epoch
    killed.killed(4, resume=True)  # saved after step 3 of the second
    record = killed(resume=True)
    assert record.resumed_at == [0, 1, 1]
    assert killed.outcome() == alone.outcome()


@pytest.mark.parametrize(
    ("place", "complete"),
    [
        ((callbacks.TrainingCurve, "on_epoch_end"), None),
        ((checkpoint.weights, "save"), None),
        ((train.networks, "build"), None),
        ((evaluation, "reconstruct"), 2),
        ((files, "remove"), 2),
        ((train, "write_dataclass"), 2),
    ],
    ids=["evaluating", "saving", "building", "measuring", "removing", "recording"],
)
def test_a_run_killed_between_steps_goes_on_to_the_same_bytes(make, whole, place, complete):
    killed = make(BASE)
    with replaced(*place, _die), pytest.raises(Killed):
        killed()
    assert killed.checkpoint.exists() == (complete is not None)
    record = killed(resume=True)
    assert record.resumed_at == ([] if complete is None else [complete])
    assert killed.outcome() == whole.outcome()
    assert killed.names() == ["json", "safetensors"]


def test_an_autoencoder_that_was_killed_for_its_classifier_goes_on_with_it(make):
    shape = {"autoencoder_epochs": 2, "autoencoder_batch_size": 30}
    alone = make(CLASSIFIER_FROZEN, "alone", shape)
    alone()
    killed = make(CLASSIFIER_FROZEN, "killed", shape)
    killed.killed(6)  # the autoencoder's second epoch
    assert not killed.checkpoint.exists()
    killed.killed(4 + 6, resume=True)
    assert killed.checkpoint.exists()
    assert killed(resume=True).resumed_at == [1]
    assert killed.outcome() == alone.outcome()
    autoencoder = make(killed.spec.autoencoder, "killed", {"epochs": 2})
    assert read_record(autoencoder.record).resumed_at == [1]


def test_a_forced_run_that_was_killed_is_gone_on_with_by_force_and_resume_alone(make, whole):
    run = make(BASE)
    first = run()
    run.killed(6, force=True)
    saved = run.checkpoint.read_bytes()
    for words in ({}, {"resume": True}):
        with pytest.raises(SpecError, match="is left of a run that was to replace"):
            run(**words)
        assert run.checkpoint.read_bytes() == saved
    assert read_record(run.record) == first
    assert run(force=True, resume=True).resumed_at == [1]
    assert run.outcome() == whole.outcome()
    assert run.names() == ["json", "safetensors"]


def test_an_untrained_run_needs_no_checkpoint(make):
    run = make(UNTRAINED)
    assert run(resume=True).resumed_at == []
    assert run.names() == ["json", "safetensors"]


def test_history_and_seconds_are_those_of_the_whole_run(make, whole):
    run = make(BASE)
    run.killed(6)
    saved = checkpoint_file.read(run.checkpoint)[1]
    assert (saved["epoch"], saved["step"]) == (1, 0)
    record = run(resume=True)
    alone = read_record(whole.record)
    assert record.history == alone.history
    assert [len(curve) for curve in record.history.values()] == [2, 2, 2]
    assert record.started == saved["seconds"]["started"]
    assert record.seconds["per_epoch"][:1] == saved["seconds"]["per_epoch"]
    assert len(record.seconds["per_epoch"]) == 2
    assert record.seconds["total"] > saved["seconds"]["total"]


# --- what is not gone on with ---


@pytest.fixture(scope="session")
def left(tmp_path_factory, small):
    """A run that was killed in its second epoch; not to be changed."""
    spec = override(BASE, {"epochs": 2, "batch_size": 30})
    run = Run(spec, tmp_path_factory.mktemp("left"), small)
    run.killed(6)
    return run


@pytest.fixture
def copy(left, tmp_path):
    """A copy of `left`."""
    shutil.copytree(left.out, tmp_path / "copy")
    return Run(left.spec, tmp_path / "copy", left.settings["dataset"])


def test_a_run_that_was_interrupted_is_neither_resumed_nor_lost_without_a_word(copy, whole):
    saved = copy.checkpoint.read_bytes()
    with pytest.raises(SpecError, match="--resume goes on with it, --force starts anew"):
        copy()
    assert copy.checkpoint.read_bytes() == saved
    record = copy(force=True)
    assert record.resumed_at == []
    assert copy.outcome() == whole.outcome()
    assert copy.names() == ["json", "safetensors"]


def with_settings(**changes):
    def change(copy, patch):
        copy.spec = override(copy.spec, changes)

    return change


def with_arguments(**changes):
    def change(copy, patch):
        copy.settings.update(changes)

    return change


def with_keras_3_0_0(copy, patch):
    versions = {**train.provenance.versions(), "keras": "3.0.0"}
    patch.setattr(train.provenance, "versions", lambda: versions)


def with_tensorflow_3_0_0(copy, patch):
    versions = {**train.provenance.versions(), "tensorflow-cpu": "3.0.0"}
    patch.setattr(train.provenance, "versions", lambda: versions)


def with_seven_threads(copy, patch):
    patch.setenv("OMP_NUM_THREADS", "7")


def with_another_start(copy, patch):
    build = train.networks.build
    patch.setattr(train.networks, "build", lambda spec, seed: build(spec, seed + 1))


DIFFERENCES = [
    (with_settings(epochs=3), "epochs 2, not 3"),
    (with_settings(dropout=0.1, batch_size=55), "batch_size 30, not 55; dropout 0.2, not 0.1"),
    (with_arguments(examples=60), "examples 110, not 60"),
    (with_arguments(dataset=data.make_synthetic(110, 40, seed=1)), "data "),
    (with_arguments(fast=True), "fast False, not True"),
    (with_arguments(deterministic=True), "deterministic False, not True"),
    (with_keras_3_0_0, f"version_keras {keras.__version__}, not 3.0.0"),
    (with_seven_threads, f"OMP_NUM_THREADS {os.environ['OMP_NUM_THREADS']}, not 7"),
    (with_another_start, "start "),
]


@pytest.mark.parametrize(("change", "words"), DIFFERENCES, ids=[words for _, words in DIFFERENCES])
def test_a_checkpoint_of_another_run_is_refused_with_the_difference(
    copy, monkeypatch, change, words
):
    change(copy, monkeypatch)
    before = copy.checkpoint.read_bytes()
    with pytest.raises(SpecError) as error:
        copy(resume=True)
    said = str(error.value)
    assert said.startswith(f"{copy.checkpoint} is of a run with {words}")
    assert said.count(";") == words.count(";")  # nothing else differs
    assert said.endswith(": remove it, or run mansilla/base with --force and without --resume")
    assert copy.checkpoint.read_bytes() == before
    assert copy.names() == ["checkpoint"]


def test_a_checkpoint_that_was_moved_to_another_seed_is_refused(copy):
    content = copy.checkpoint.read_bytes()
    copy.seed = 1
    copy.checkpoint.write_bytes(content)
    with pytest.raises(SpecError, match="seed 0, not 1"):
        copy(resume=True)


def test_what_cannot_change_a_bit_does_not_keep_a_run_from_going_on(copy, monkeypatch):
    with_tensorflow_3_0_0(copy, monkeypatch)
    assert copy(resume=True).resumed_at == [1]


def without(arrays, name):
    return {other: array for other, array in arrays.items() if other != name}


MADE_UP = {  # by somebody who knows how the digest is made
    "no weight": lambda arrays, state: (without(arrays, "weights/encoder/conv1/bias"), state),
    "no momentum": lambda arrays, state: (without(arrays, "optimizer/3"), state),
    "a weight too large": lambda arrays, state: (
        arrays | {"weights/encoder/conv1/bias": np.zeros(99, np.float32)},
        state,
    ),
    "a momentum too large": lambda arrays, state: (
        arrays | {"optimizer/3": np.zeros(99, np.float32)},
        state,
    ),
    "no history": lambda arrays, state: (arrays, without(state, "history")),
    "no seconds": lambda arrays, state: (arrays, state | {"seconds": None}),
}


@pytest.mark.parametrize("damage", ["a bit", "the end", "all", "no metadata", *MADE_UP])
def test_a_damaged_checkpoint_is_refused(copy, damage):
    content = copy.checkpoint.read_bytes()
    arrays, state = checkpoint_file.read(copy.checkpoint)
    if damage in MADE_UP:
        checkpoint_file.write(copy.checkpoint, *MADE_UP[damage](arrays, state))
    elif damage == "no metadata":
        weights.save(copy.checkpoint, arrays)
    else:
        spoilt = {
            "a bit": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
            "the end": content[:-100],
            "all": b"",
        }
        copy.checkpoint.write_bytes(spoilt[damage])
    with pytest.raises(
        SpecError, match="checkpoint is damaged: remove it, or run mansilla/base with"
    ):
        copy(resume=True)
    assert copy.names() == ["checkpoint"]


def test_a_finished_run_is_not_run_again_and_its_checkpoint_goes(copy, whole, monkeypatch):
    for path in whole.record.parent.iterdir():
        shutil.copy(path, copy.record.parent)
    assert copy.names() == ["checkpoint", "json", "safetensors"]
    arrays, state = checkpoint_file.read(copy.checkpoint)
    checkpoint_file.write(copy.checkpoint, arrays, state | {"epoch": copy.spec.epochs})
    monkeypatch.setattr(keras.Model, "fit", None)
    for _ in range(2):
        assert copy(resume=True) == read_record(whole.record)
        assert copy.names() == ["json", "safetensors"]


def test_a_forced_run_replaces_a_record_only_with_its_own_weights(make, whole):
    run = make(BASE, changes={"latent": 8})
    run()
    old = run.outcome()
    run.spec = whole.spec
    run.killed(6, force=True)
    assert run.outcome() == old  # the old one stays until the new one is trained
    with replaced(train, "write_dataclass", _die), pytest.raises(Killed):
        run(force=True, resume=True)
    assert not run.record.exists()
    assert run(resume=True).resumed_at == [1, 2]
    assert run.outcome() == whole.outcome()


# --- disks and folders ---


def test_a_full_disk_leaves_the_checkpoint_of_before(make, whole, monkeypatch):
    run = make(BASE)
    fsync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) == 3:  # the second checkpoint: each takes one for the file, one for the name
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        run(checkpoint_every=2)
    assert error.value.filename == str(run.checkpoint)
    assert run.names() == ["checkpoint"]
    monkeypatch.setattr(os, "fsync", fsync)
    saved = checkpoint_file.read(run.checkpoint)[1]
    assert (saved["epoch"], saved["step"]) == (0, 2)
    run(resume=True)
    assert run.outcome() == whole.outcome()


@pytest.fixture
def largest_file():
    """`largest_file(size)`: the kernel cuts files off at so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_the_kernel_cuts_off_leaves_nothing(make, largest_file):
    run = make(BASE)
    largest_file(100_000)
    with pytest.raises(OSError, match="File too large"):
        run()
    assert run.names() == []


def test_a_finished_run_is_read_in_a_folder_that_cannot_be_written(whole, monkeypatch):
    monkeypatch.setattr(files, "lock", lambda *_: pytest.fail("took the lock"))
    assert whole() == read_record(whole.record)


# --- processes ---


def test_of_two_that_run_the_same_the_second_waits_and_takes_what_the_first_made(make, monkeypatch):
    run = make(BASE)
    waits, said, found = threading.Event(), [], []

    def say(*words, **_):
        said.extend(words)
        waits.set()

    monkeypatch.setattr(train, "print", say, raising=False)
    second = threading.Thread(target=lambda: found.append(run()))

    def overtake():
        monkeypatch.setattr(keras.Model, "fit", None)  # the second could not train
        second.start()
        assert waits.wait(30)

    with after(1, overtake):
        first = run()
    second.join(30)
    assert said == ["mansilla/base seed 0: waiting for the process that is running it"]
    assert found == [first]
    assert run.names() == ["json", "safetensors"]


# --- the command ---


@pytest.fixture
def run_base(run_command, monkeypatch, small):
    """`run_base(…)`: exit status and the lines of stderr of mansilla's base, on `small`."""
    monkeypatch.setattr(data, "load", lambda: small)
    monkeypatch.setattr(fast_fit, "accelerate", lambda model: model)  # tracing takes seconds

    def call(*words):
        line = "base --epochs 2 --batch_size 30 --examples 110 --device cpu"
        with keras.device("cpu"):
            status, _, err = run_command(*line.split(), *words, report="mansilla")
        return status, err.splitlines()

    return call


@pytest.fixture
def typed(tmp_path, small):
    """What `run_base` runs."""
    return Run(override(BASE, {"epochs": 2, "batch_size": 30}), tmp_path / "runs", small)


@pytest.mark.parametrize(
    ("number", "step", "saved"),
    [
        (signal.SIGINT, 6, (1, 2)),
        (signal.SIGTERM, 6, (1, 2)),
        (signal.SIGTERM, 4, (1, 0)),
        (signal.SIGTERM, 8, (2, 0)),
    ],
    ids=["ctrl-c", "sigterm", "last step", "last step of all"],
)
def test_a_signal_stops_a_run_where_it_can_be_saved_and_130_says_how_to_go_on(
    run_base, typed, whole, number, step, saved
):
    with after(step, lambda: os.kill(os.getpid(), number)) as taken:
        status, said = run_base()
    assert status == 130
    assert said == ["mansilla: interrupted: the same command with --resume goes on"]
    assert len(taken) == step
    state = checkpoint_file.read(typed.checkpoint)[1]
    assert (state["epoch"], state["step"]) == saved
    status, said = run_base()
    assert status == 2
    assert said == [
        "mansilla: runs/mansilla/base/seed0-torch-cpu.checkpoint is left of a run that was "
        "interrupted: --resume goes on with it, --force starts anew"
    ]
    with after(8 - step + 1, lambda: pytest.fail("a step was taken again")):
        assert run_base("--resume") == (0, [])
    assert read_record(typed.record).resumed_at == [saved[0]]
    assert typed.outcome() == whole.outcome()


def test_a_full_disk_is_one_line_and_exit_status_1(run_base, typed, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with replaced(os, "fsync", full):
        status, said = run_base()
    assert status == 1
    assert said == [
        "mansilla: runs/mansilla/base/seed0-torch-cpu.checkpoint cannot be written "
        "(No space left on device); once it can, the same command with --resume goes on"
    ]
    assert typed.names() == []
    assert run_base("--resume") == (0, [])


def test_a_read_only_folder_is_one_line_and_exit_status_1(run_base, typed, monkeypatch):
    def refuse(path, *_, **__):  # root, who runs many a test, is refused nothing
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with replaced(Path, "open", refuse):
        status, (said,) = run_base()
    assert status == 1
    assert "seed0-torch-cpu.lock cannot be written (Read-only file system)" in said
    assert typed.names() == []


# --- SIGKILL ---


@pytest.fixture
def kill():
    """benchmarks/kill.py as a module."""
    spec = importlib.util.spec_from_file_location("kill", ROOT / "benchmarks" / "kill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_killed_by_the_system_goes_on_to_the_same_bytes(kill, small, tmp_path):
    harness = kill.Harness(kill.Ours(small, fast=False), tmp_path)
    assert harness.boundaries > 50
    shares = (0.1, 0.4, 0.6, 0.9)  # the last writes are those of weights and record
    planned = [[("boundary", int(share * harness.boundaries))] for share in shares]
    planned += [[("instant", 0.5), ("instant", 0.7)]]
    told = [harness.scenario(kills) for kills in planned]
    assert sum(each["kills"] for each in told) >= 4
    for each in told:
        assert each["kills"] == each["resumed"] == each["identical"], each


def test_the_harness_sees_what_is_not_identical(kill, small, tmp_path, monkeypatch):
    harness = kill.Harness(kill.Ours(small, fast=False), tmp_path)
    monkeypatch.setattr(checkpoint, "set_generator_states", lambda *_: None)
    told = harness.scenario([("boundary", 9)])  # within the first epoch a checkpoint is whole
    assert (told["kills"], told["resumed"], told["identical"]) == (1, 1, 0)
