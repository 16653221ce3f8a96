"""Runs on synthetic images: what moves, what stands, what a record says and whether it is true."""

import dataclasses
import shutil

import keras
import numpy as np
import pytest
import torch

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist import backends
from keras_fmnist.data import sources
from keras_fmnist.data.batches import Batches
from keras_fmnist.models import networks, weights
from keras_fmnist.records.record import read_record
from keras_fmnist.seeds import permutation
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import settings
from keras_fmnist.training import callbacks, evaluation, train
from keras_fmnist.training.callbacks import DivergedError
from tests.helpers.folders import read_files
from tests.helpers.runs import make_run
from tests.helpers.train import load_weights, train_spec

LOSSES = ["loss", "train_eval_loss", "val_loss"]


ACCURACIES = ["accuracy", "train_eval_accuracy", "val_accuracy"]


@pytest.mark.portable
def test_a_frozen_encoder_does_not_move_and_the_head_does(chain):
    sha = chain.frozen.weights_sha256
    assert (
        sha["encoder_final"] == sha["encoder_initial"] == chain.base.weights_sha256["encoder_final"]
    )
    assert sha["final"] != sha["initial"]
    assert chain.frozen.parameters == {"total": 56_714, "trainable": 64 * 10 + 10}
    before = weights.select(load_weights(chain.out, chain.base), "encoder")
    after = weights.select(load_weights(chain.out, chain.frozen), "encoder")
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.portable
def test_without_freezing_every_tensor_of_the_encoder_moves(chain):
    sha = chain.full.weights_sha256
    assert sha["encoder_initial"] == chain.base.weights_sha256["encoder_final"]
    assert chain.full.parameters == {"total": 56_714, "trainable": 56_714}
    before = weights.select(load_weights(chain.out, chain.base), "encoder")
    after = weights.select(load_weights(chain.out, chain.full), "encoder")
    assert len(before) == 6
    for name in before:
        assert not np.array_equal(before[name], after[name]), name


def test_classifiers_reuse_the_autoencoder_and_leave_it_as_it_was(chain):
    # An autoencoder trained again would have been served twice as many batches.
    steps = {name: len(batches) for name, batches in chain.served.items()}
    assert len(set(steps.values())) == 1
    after = read_files(chain.out)
    assert {path: after[path] for path in chain.before} == chain.before
    stem = f"seed0-{keras.backend.backend()}-{backends.find_device()}"
    assert sorted(map(str, after)) == [
        f"mansilla/{name}/{stem}.{ending}"
        for name in ("base", "classifier_frozen", "classifier_full")
        for ending in ("json", "safetensors")
    ]


@pytest.mark.portable
def test_history_holds_one_number_an_epoch_for_each_curve_and_no_other(chain):
    assert sorted(chain.base.history) == LOSSES
    for record in (chain.full, chain.frozen):
        assert sorted(record.history) == sorted(LOSSES + ACCURACIES)
    for record in (chain.base, chain.full, chain.frozen):
        for curve in record.history.values():
            assert len(curve) == 2
            assert all(type(value) is float for value in curve)
        assert len(record.seconds["per_epoch"]) == 2
        assert sum(record.seconds["per_epoch"]) <= record.seconds["total"]
        last = {name: curve[-1] for name, curve in record.history.items()}
        beside = {"pca_loss", "mean_image_loss"}
        if record.is_classifier:
            beside = {"dead_logits", "probe_accuracy", "dead_latents"}
        assert record.metrics.keys() - last.keys() == beside
        assert last.items() <= record.metrics.items()


def test_a_record_says_what_was_run_on_what(chain, dataset, tiny):
    record = chain.frozen
    path = record.files(chain.out).record
    assert read_record(path) == record
    assert record.spec == settings(tiny(CLASSIFIER_FROZEN, relu_logits=False))
    assert (record.report, record.experiment, record.seed) == ("mansilla", "classifier_frozen", 0)
    assert (record.backend, record.device) == (keras.backend.backend(), backends.find_device())
    assert record.data_sha256 == dataset.sha256
    assert record.examples == 190
    assert record.versions["keras"] == keras.__version__
    assert record.resumed_at == []
    for words in ("classifier_frozen", "--epochs 2", "--autoencoder_epochs 2", "--seed 0"):
        assert words in record.command


@pytest.mark.portable
def test_epochs_are_served_in_the_order_that_follows_from_seed_and_epoch(chain):
    orders = [permutation(0, epoch, 190).tolist() for epoch in range(2)]
    expected = [part for order in orders for part in (order[:90], order[90:180], order[180:])]
    # Before its first epoch a backend may look at a batch.
    assert chain.served["base"][-6:] == expected
    # A run before this one in the same process, or another model, changes nothing.
    assert chain.served["classifier_frozen"][-6:] == expected


def shas(out, spec, seed, dataset):
    return train_spec(spec, seed, out, dataset=dataset).weights_sha256


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tmp_path, dataset, tiny):
    one, again, other = (
        shas(tmp_path / name, tiny(CLASSIFIER_FULL), seed, dataset)
        for name, seed in (("one", 3), ("again", 3), ("other", 4))
    )
    assert one == again
    for name in one:
        assert one[name] != other[name]


def test_what_else_draws_numbers_changes_nothing(tmp_path, dataset, tiny, monkeypatch):
    alone = shas(tmp_path / "alone", tiny(BASE), 0, dataset)

    class Greedy(callbacks.TrainingCurve):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            keras.random.normal((5,))
            torch.rand(5)
            np.random.default_rng(0).random()

    monkeypatch.setattr(train, "TrainingCurve", Greedy)
    torch.rand(3)
    keras.utils.set_random_seed(99)
    assert shas(tmp_path / "disturbed", tiny(BASE), 0, dataset) == alone


def test_dropout_differs_from_epoch_to_epoch(tmp_path, dataset, tiny, monkeypatch):
    varied = shas(tmp_path / "varied", tiny(BASE), 0, dataset)["final"]
    seed_dropout = callbacks.SeedEachEpoch.on_epoch_begin.__globals__["seed_dropout"]
    monkeypatch.setattr(
        "keras_fmnist.training.callbacks.seed_dropout",
        lambda model, seed, _: seed_dropout(model, seed, 0),
    )
    assert shas(tmp_path / "same", tiny(BASE), 0, dataset)["final"] != varied


def test_when_nothing_moves_the_running_loss_is_the_evaluated_one(tmp_path, dataset, tiny):
    still = {"dropout": 0, "optimizer": "sgd", "learning_rate": 1e-9}
    history = train_spec(tiny(BASE, **still), 0, tmp_path, dataset=dataset).history
    # 90, 90 and 10 images: a mean over batches would weigh the last one wrongly.
    assert history["loss"] == pytest.approx(history["train_eval_loss"], rel=1e-6)
    assert history["loss"][0] == pytest.approx(history["loss"][1], rel=1e-6)


def test_dropout_is_on_in_the_running_loss_and_off_in_the_evaluated_one(tmp_path, dataset, tiny):
    still = {"dropout": 0.5, "optimizer": "sgd", "learning_rate": 1e-9}
    history = train_spec(tiny(BASE, **still), 0, tmp_path, dataset=dataset).history
    assert history["train_eval_loss"][0] == pytest.approx(history["train_eval_loss"][1], rel=1e-6)
    assert abs(history["loss"][0] - history["train_eval_loss"][0]) > 1e-5
    assert abs(history["loss"][0] - history["loss"][1]) > 1e-7


@pytest.mark.parametrize("acts", [True, False])
def test_encoder_dropout_acts_in_a_fit_only_where_the_spec_says_so(tmp_path, dataset, tiny, acts):
    still = {"optimizer": "sgd", "learning_rate": 1e-9, "encoder_dropout": acts, "frozen": True}
    record = train_spec(tiny(CLASSIFIER_FULL, **still), 0, tmp_path, dataset=dataset)
    equal = record.history["loss"] == pytest.approx(record.history["train_eval_loss"], rel=1e-6)
    assert equal is not acts


def test_training_learns_the_shapes(tmp_path, dataset, tiny):
    spec = tiny(CLASSIFIER_FULL, epochs=8, batch_size=20, relu_logits=False)
    history = train_spec(spec, 0, tmp_path, dataset=dataset).history
    assert history["val_accuracy"][-1] > 0.8
    assert history["val_loss"][-1] < 0.5 * history["val_loss"][0]


def test_without_pretraining_the_encoder_starts_as_fresh_as_its_seed_makes_it(
    tmp_path, dataset, tiny
):
    spec = tiny(CLASSIFIER_FULL, pretrained=False)
    record = train_spec(spec, 3, tmp_path, dataset=dataset, fast=False)
    fresh = weights.get_arrays(networks.encoder(BASE, 3))
    assert record.weights_sha256["encoder_initial"] == weights.digest(fresh)
    assert {path.parts[1] for path in read_files(tmp_path)} == {"classifier_full"}


class Poisoned(Batches):
    """Images that hold no number from the third step of the second epoch on."""

    def shuffle(self, epoch):
        super().shuffle(epoch)
        self.epoch = epoch

    def __getitem__(self, index):
        images, targets = super().__getitem__(index)
        if self.seed is not None and (getattr(self, "epoch", 0), index) >= (1, 2):
            images = images * np.nan
        return images, targets


def test_a_loss_that_is_no_number_names_its_step_and_leaves_no_record(
    tmp_path, dataset, tiny, monkeypatch
):
    monkeypatch.setattr(evaluation, "Batches", Poisoned)
    with pytest.raises(DivergedError, match="at step 3 of epoch 2: a smaller learning_rate"):
        train_spec(tiny(BASE, epochs=3), 0, tmp_path, dataset=dataset)
    assert read_files(tmp_path) == {}


def test_a_finished_run_is_read_and_not_repeated(chain, dataset, tiny, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", None)
    assert train_spec(tiny(BASE), 0, chain.out, dataset=dataset) == chain.base


def test_a_record_of_other_settings_is_never_taken_for_this_run(chain, dataset, tiny):
    before = read_files(chain.out)
    with pytest.raises(SpecError) as error:
        train_spec(tiny(BASE, epochs=3, latent=8), 0, chain.out, dataset=dataset)
    message = str(error.value)
    assert "epochs 2, not 3; latent 64, not 8" in message
    assert "seed0-" in message
    assert "--force" in message
    with pytest.raises(SpecError, match="examples 190, not 50"):
        train_spec(tiny(BASE), 0, chain.out, examples=50, dataset=dataset)
    # No record of this name is there, but one of its autoencoder is.
    other = dataclasses.replace(tiny(CLASSIFIER_FULL, autoencoder_epochs=1), name="other")
    with pytest.raises(SpecError, match=r"mansilla/base.* epochs 2, not 1"):
        train_spec(other, 0, chain.out, dataset=dataset)
    assert read_files(chain.out) == before


def test_force_trains_again_and_replaces_only_what_was_asked_for(chain, dataset, tiny, tmp_path):
    shutil.copytree(chain.out, tmp_path / "out")
    before = read_files(tmp_path / "out")
    spec = tiny(CLASSIFIER_FULL, learning_rate=0.01)
    record = train_spec(spec, 0, tmp_path / "out", force=True, dataset=dataset, fast=False)
    assert record.spec["learning_rate"] == 0.01
    changed = {
        str(path)
        for path, content in read_files(tmp_path / "out").items()
        if content != before[path]
    }
    assert {path.rpartition("/")[0] for path in changed} == {"mansilla/classifier_full"}
    assert len(changed) == 2


@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_damaged_or_missing_autoencoder_weights_are_never_trained_on(
    chain, dataset, tiny, tmp_path, damage
):
    shutil.copytree(chain.out / "mansilla" / "base", tmp_path / "mansilla" / "base")
    (path,) = tmp_path.rglob("*.safetensors")
    if damage == "flip":
        content = path.read_bytes()
        path.write_bytes(content[:-4] + bytes([content[-4] ^ 1]) + content[-3:])
    else:
        path.unlink()
    with pytest.raises(weights.WeightsError) as error:
        train_spec(tiny(CLASSIFIER_FULL), 0, tmp_path, dataset=dataset, fast=False)
    assert path.name in str(error.value)
    assert not (tmp_path / "mansilla" / "classifier_full").exists()


def test_a_quick_look_trains_on_the_first_images_and_says_so(tmp_path, dataset, tiny):
    spec = tiny(CLASSIFIER_FULL)
    look = train_spec(spec, 0, tmp_path / "look", examples=50, dataset=dataset, fast=False)
    assert look.examples == 50
    assert "--examples 50" in look.command
    base = read_record(make_run(BASE).files(tmp_path / "look").record)
    assert base.examples == 50
    first = dataclasses.replace(
        dataset,
        train_images=dataset.train_images[:50],
        train_labels=dataset.train_labels[:50],
    )
    whole = train_spec(spec, 0, tmp_path / "whole", dataset=first, fast=False)
    assert look.weights_sha256 == whole.weights_sha256
    assert look.metrics == whole.metrics
    assert sum(map(sum, look.confusion_matrix)) == 100  # every test image, all the same


@pytest.mark.parametrize("examples", [0, -1, 191])
def test_more_examples_than_there_are_or_none_are_refused(tmp_path, dataset, tiny, examples):
    with pytest.raises(SpecError, match=f"from 1 to 190, not {examples}"):
        train_spec(tiny(BASE), 0, tmp_path, examples=examples, dataset=dataset)
    assert read_files(tmp_path) == {}


@pytest.mark.data
def test_a_quick_look_at_the_real_data_is_scored_on_all_its_test_images(tmp_path, tiny):
    spec = tiny(CLASSIFIER_FULL, epochs=1, autoencoder_epochs=0)
    record = train_spec(spec, 0, tmp_path, examples=300)
    assert record.data_sha256 == sources.SHA256
    assert np.sum(record.confusion_matrix, axis=1).tolist() == [1000] * 10
    assert record.examples == 300
