"""Exact resume: a run that was killed and resumed ends as one that was not, to the last bit."""

import concurrent.futures
import multiprocessing
import threading

import keras
import pytest

from experiments.manolucos import BATCHNORM
from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist import files
from keras_fmnist.records.record import read_record
from keras_fmnist.settings import SpecError
from keras_fmnist.training import callbacks, checkpoint, checkpoint_file, evaluation, train
from tests.helpers.killed_runs import (
    Killed,
    _die,
    after,
    kill_at_shares,
    kill_without_generator_states,
    replaced,
)

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
    changes = {"dropout": 0.2, "epochs": 3, "latent": 0}
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


def test_only_force_and_resume_together_continue_a_killed_run_with_force(make, whole):
    run = make(BASE)
    first = run()
    run.killed(6, force=True)
    saved = run.checkpoint.read_bytes()
    for words in ({}, {"resume": True}):
        with pytest.raises(SpecError, match="is of an interrupted run that was to replace"):
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


def test_a_finished_run_is_read_in_a_folder_that_cannot_be_written(whole, monkeypatch):
    monkeypatch.setattr(files, "lock", lambda *_: pytest.fail("took the lock"))
    assert whole() == read_record(whole.record)


# --- processes ---


def test_of_two_that_run_the_same_the_second_waits_and_takes_what_the_first_made(make, monkeypatch):
    run = make(BASE)
    waits, messages, found = threading.Event(), [], []

    def say(*words, **_):
        messages.extend(words)
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
    assert messages == ["mansilla/base seed 0: waiting for the process that is running it"]
    assert found == [first]
    assert run.names() == ["json", "safetensors"]


# --- SIGKILL ---


@pytest.fixture(scope="module")
def fresh_process():
    """One that has trained nothing: after a trace, torch with CUDA trains in no fork of it."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        yield lambda *arguments: pool.submit(*arguments).result()


def test_a_run_killed_by_the_system_goes_on_to_the_same_bytes(fresh_process, small, tmp_path):
    shares = (0.1, 0.4, 0.6, 0.9)  # the last writes are those of weights and record
    boundaries, told = fresh_process(kill_at_shares, small, tmp_path, shares)
    assert boundaries > 50
    assert sum(each["kills"] for each in told) >= 4
    for each in told:
        assert each["kills"] == each["resumed"] == each["identical"], each


def test_the_harness_sees_what_is_not_identical(fresh_process, small, tmp_path):
    told = fresh_process(kill_without_generator_states, small, tmp_path)
    assert (told["kills"], told["resumed"], told["identical"]) == (1, 1, 0)
