"""The study without Keras: the same run in native PyTorch leaves a record like any other."""

import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.models import weights
from keras_fmnist.pytorch import loops
from keras_fmnist.pytorch.parity import without_dropout
from keras_fmnist.pytorch.train import train_native
from keras_fmnist.records.record import read_record
from keras_fmnist.records.run import NATIVE, Run
from keras_fmnist.settings import SpecError
from keras_fmnist.training.callbacks import DivergedError
from keras_fmnist.training.train import train_run


def make_native_run(spec, seed=0):
    return Run(spec, seed, NATIVE, "cpu", 190)


@pytest.fixture
def train_both(tmp_path, dataset, tiny):
    """`train_both(spec, …)`: the records of Keras and of native PyTorch, and their weights."""

    def train(spec, **changes):
        spec = tiny(without_dropout(spec), **changes)
        runs = Run(spec, 0, "torch", "cpu", 190), make_native_run(spec)
        keras_record = train_run(runs[0], tmp_path, dataset=dataset)
        native_record = train_native(runs[1], tmp_path, dataset=dataset)
        arrays = [weights.load(run.files(tmp_path).weights) for run in runs]
        return keras_record, native_record, *arrays

    return train


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL, CLASSIFIER_FROZEN], ids=lambda s: s.name)
def test_without_dropout_both_sides_end_the_same(train_both, spec):
    ours, theirs, *arrays = train_both(spec)
    assert ours.history.keys() == theirs.history.keys()
    for name, curve in ours.history.items():
        np.testing.assert_allclose(theirs.history[name], curve, rtol=1e-3, atol=1e-6, err_msg=name)
    assert ours.metrics.keys() == theirs.metrics.keys()
    assert ours.weights_sha256["initial"] == theirs.weights_sha256["initial"] or spec.needs
    for name, array in arrays[0].items():
        np.testing.assert_allclose(arrays[1][name], array, atol=1e-4, err_msg=name)


def test_dropout_of_a_seed_is_the_same_each_time(tmp_path, dataset, tiny):
    run = make_native_run(tiny(BASE))
    first, again = (train_native(run, tmp_path / name, dataset=dataset) for name in "ab")
    assert first.weights_sha256 == again.weights_sha256
    other = train_native(make_native_run(tiny(BASE), seed=1), tmp_path / "c", dataset=dataset)
    assert other.weights_sha256["final"] != first.weights_sha256["final"]


def test_a_frozen_encoder_stays_and_comes_from_the_native_autoencoder(tmp_path, dataset, tiny):
    run = make_native_run(tiny(CLASSIFIER_FROZEN))
    record = train_native(run, tmp_path, dataset=dataset)
    encoder = read_record(run.needs.files(tmp_path).record).weights_sha256["encoder_final"]
    found = record.weights_sha256
    assert found["encoder_initial"] == found["encoder_final"] == encoder
    assert found["initial"] != found["final"]


def test_the_record_names_the_backend_and_the_command_that_repeats_it(tmp_path, dataset, tiny):
    run = make_native_run(tiny(BASE))
    record = train_native(run, tmp_path, dataset=dataset)
    assert run.files(tmp_path).record.name == "seed0-pytorch-cpu.json"
    assert read_record(run.files(tmp_path).record) == record
    assert record.backend == "pytorch"
    assert record.command.endswith("--backend pytorch")
    assert len(record.seconds["per_epoch"]) == 2


def test_a_run_that_is_there_is_read_unless_forced(tmp_path, dataset, tiny, monkeypatch):
    run = make_native_run(tiny(BASE))
    record = train_native(run, tmp_path, dataset=dataset)
    epochs, train_epoch = [], loops.train_epoch
    monkeypatch.setattr(loops, "train_epoch", lambda *args: epochs.append(1) or train_epoch(*args))
    assert train_native(run, tmp_path, dataset=dataset) == record
    assert not epochs
    assert train_native(run, tmp_path, force=True, dataset=dataset).started >= record.started
    assert len(epochs) == 2


def test_a_loss_that_is_no_number_stops_the_run_and_leaves_no_record(
    tmp_path, dataset, tiny, monkeypatch
):
    run, losses = make_native_run(tiny(BASE)), iter([0.1, float("nan")])
    monkeypatch.setattr(loops, "train_epoch", lambda *_: next(losses))
    with pytest.raises(DivergedError, match="became nan in epoch 2: a smaller learning_rate"):
        train_native(run, tmp_path, dataset=dataset)
    assert not run.files(tmp_path).record.exists()


def test_keras_does_not_train_a_native_run_nor_the_other_way_round(tmp_path, dataset, tiny):
    with pytest.raises(SpecError, match=r"pytorch\.train trains what is on pytorch"):
        train_run(make_native_run(tiny(BASE)), tmp_path, dataset=dataset)
    with pytest.raises(SpecError, match=r"pytorch\.train trains what is on pytorch"):
        train_native(Run(tiny(BASE), 0, "torch", "cpu", 190), tmp_path, dataset=dataset)
    assert not list(tmp_path.iterdir())
