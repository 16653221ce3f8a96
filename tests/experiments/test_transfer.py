"""Pretrained or random × everything trained or the head: which encoder each arm really had.

A published work of this course loaded trained weights into its "untrained" arms.
"""

from types import SimpleNamespace

import pytest

from experiments import transfer
from experiments.mansilla import BASE
from keras_fmnist.models import networks, weights
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import RunFiles
from tests.helpers.train import train_spec

PRETRAINED = ("classifier_full", "classifier_frozen")
RANDOM = ("random_full", "random_head")
FROZEN = ("classifier_frozen", "random_head")
SPECS = {spec.name: spec for spec in transfer.ARMS}


def test_the_four_arms_are_the_four_combinations():
    assert {name: (spec.pretrained, spec.frozen) for name, spec in SPECS.items()} == {
        "classifier_full": (True, False),
        "classifier_frozen": (True, True),
        "random_full": (False, False),
        "random_head": (False, True),
    }
    for spec in SPECS.values():
        assert spec.autoencoder is BASE
        assert (spec.epochs, spec.optimizer, spec.learning_rate) == (15, "adam", 1e-3)
        assert spec.encoder_dropout


@pytest.fixture(scope="module")
def runs(tmp_path_factory, dataset, tiny):
    """Each arm's record, the autoencoder's, and the experiments that were trained for it.

    Tracing the steps of six nets would take longer than to run these few.
    """
    random, pretrained = tmp_path_factory.mktemp("random"), tmp_path_factory.mktemp("pretrained")

    def run(name, out):
        spec = tiny(SPECS[name], epochs=1, autoencoder_epochs=1, relu_logits=False)
        return train_spec(spec, 0, out, dataset=dataset, fast=False)

    arms = {name: run(name, random) for name in RANDOM}
    arms |= {name: run(name, pretrained) for name in PRETRAINED}
    return SimpleNamespace(
        arms=arms,
        sha={name: record.weights_sha256 for name, record in arms.items()},
        autoencoder=next(r for r in read_records(pretrained) if r.id == BASE.id),
        trained={out: {r.id for r in read_records(out)} for out in (random, pretrained)},
        random=random,
        pretrained=pretrained,
    )


@pytest.mark.portable
def test_pretrained_arms_start_from_the_encoder_that_the_autoencoder_ended_with(runs):
    final = runs.autoencoder.weights_sha256["encoder_final"]
    assert final != runs.autoencoder.weights_sha256["encoder_initial"]
    for name in PRETRAINED:
        assert runs.sha[name]["encoder_initial"] == final


@pytest.mark.portable
def test_random_arms_start_from_a_fresh_encoder_and_from_no_other(runs):
    fresh = weights.get_arrays(networks.build(SPECS["random_full"], seed=0).get_layer("encoder"))
    for name in RANDOM:
        assert runs.sha[name]["encoder_initial"] == weights.digest(fresh)
        assert runs.sha[name]["encoder_initial"] != runs.sha["classifier_full"]["encoder_initial"]
        assert SPECS[name].pretrained is runs.arms[name].spec["pretrained"] is False


@pytest.mark.portable
def test_the_encoder_stays_where_only_the_head_is_trained_and_moves_elsewhere(runs):
    for name, sha in runs.sha.items():
        stays = name in FROZEN
        assert (sha["encoder_final"] == sha["encoder_initial"]) == stays, name
        assert sha["final"] != sha["initial"]
        assert runs.arms[name].parameters == {
            "total": 56_714,
            "trainable": 650 if stays else 56_714,
        }


def test_random_arms_train_no_autoencoder_and_pretrained_arms_share_one(runs):
    assert runs.trained[runs.random] == {"transfer/random_full", "transfer/random_head"}
    assert runs.trained[runs.pretrained] == {
        *("mansilla/base", "mansilla/classifier_full", "mansilla/classifier_frozen"),
    }


def test_all_arms_start_with_the_same_head(tmp_path, dataset, tiny):
    heads = []
    for name in SPECS:
        spec = tiny(SPECS[name], epochs=0, autoencoder_epochs=0)
        record = train_spec(spec, 3, tmp_path, dataset=dataset, fast=False)
        path = record.files(tmp_path).record
        arrays = weights.load(RunFiles(path).weights)
        heads.append(weights.digest(weights.select(arrays, "logits")))
    assert len(set(heads)) == 1


def test_a_frozen_encoder_that_moves_is_an_error_and_leaves_no_record(
    tmp_path, dataset, tiny, monkeypatch
):
    build = networks.build

    def thaw(spec, seed=0):
        model = build(spec, seed)
        model.get_layer("encoder").trainable = True
        return model

    monkeypatch.setattr(networks, "build", thaw)
    with pytest.raises(RuntimeError, match="transfer/random_head: the frozen encoder has changed"):
        train_spec(tiny(SPECS["random_head"]), 0, tmp_path, dataset=dataset, fast=False)
    assert not list(tmp_path.rglob("*.json"))
    assert train_spec(tiny(SPECS["random_full"]), 0, tmp_path, dataset=dataset, fast=False)
