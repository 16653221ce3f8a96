"""The file of a checkpoint: what is not gone on with, and what a disk or a folder may do to it."""

import errno
import os
import resource
import shutil

import keras
import numpy as np
import pytest

from experiments.mansilla import BASE
from keras_fmnist import data
from keras_fmnist.models import weights
from keras_fmnist.records.record import read_record
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override
from keras_fmnist.training import checkpoint_file, train
from tests.helpers.killed_runs import Run


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
    with pytest.raises(SpecError, match="--resume continues it, --force starts again"):
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
    message = str(error.value)
    assert message.startswith(f"{copy.checkpoint} is of a run with {words}")
    assert message.count(";") == words.count(";")  # nothing else differs
    assert message.endswith(": remove it, or run mansilla/base with --force and without --resume")
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
