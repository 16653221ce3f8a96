"""The experiments: their settings as the reports print them, and each of them takes a step."""

import pytest

from experiments import mansilla, transfer
from experiments.__main__ import REPORTS
from keras_fmnist import data, train
from keras_fmnist.specs import ClassifierSpec, override, settings

# mansilla, section II to V: what changes from experiment to experiment.
AUTOENCODERS = {
    "untrained": {"epochs": 0},
    "base": {},
    "dropout_01": {"dropout": 0.1},
    "latent_256": {"dropout": 0.1, "latent": 256},
    "sgd": {"dropout": 0.1, "latent": 256, "optimizer": "sgd"},
}
COMMON = {
    "epochs": 15,
    "batch_size": 100,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "momentum": 0.0,
}
NET = {
    "kernels": [16, 32],
    "latent": 64,
    "dropout": 0.2,
    "deconv1": "k4s2o1",
    "deconv2": "k3s2o1",
}
HEAD = {"pretrained": True, "encoder_dropout": True, "relu_logits": True}
SPECS = {spec.name: spec for spec in mansilla.SPECS}


def test_mansillas_experiments_are_there_in_the_reports_order():
    assert list(SPECS) == [*AUTOENCODERS, "classifier_full", "classifier_frozen"]
    assert len(mansilla.SPECS) == 7
    assert {spec.report for spec in mansilla.SPECS} == {"mansilla"}


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_mansillas_autoencoders_have_the_reports_settings(name):
    assert settings(SPECS[name]) == COMMON | NET | AUTOENCODERS[name]


@pytest.mark.parametrize("name", ["classifier_full", "classifier_frozen"])
def test_mansillas_classifiers_have_the_reports_settings(name):
    assert settings(SPECS[name]) == {
        **COMMON,
        **HEAD,
        "frozen": name == "classifier_frozen",
        "autoencoder": {"name": "base", **COMMON, **NET},
    }
    assert SPECS[name].autoencoder is SPECS["base"]


def test_the_published_shirts_are_those_of_figure_13():
    assert SPECS["classifier_full"].published == {
        "shirt_as_shirt": 713,
        "shirt_as_tshirt": 142,
        "shirt_as_pullover": 60,
    }
    for name in SPECS.keys() - {"classifier_full"}:
        assert SPECS[name].published == {}


# Pretrained or random × everything trained or the head: one of the four is each combination.
TRANSFER = {
    "pretrained_full": {},
    "pretrained_head": {"frozen": True},
    "random_full": {"pretrained": False},
    "random_head": {"pretrained": False, "frozen": True},
}


def test_transfer_crosses_pretraining_with_freezing_and_changes_nothing_else():
    assert [spec.name for spec in transfer.SPECS] == list(TRANSFER)
    full = settings(SPECS["classifier_full"])
    for spec in transfer.SPECS:
        assert spec.report == "transfer"
        assert settings(spec) == full | TRANSFER[spec.name]
        assert spec.autoencoder is SPECS["base"]


ALL = [spec for specs in REPORTS.values() for spec in specs]


def test_every_report_hands_its_experiments_to_the_console_script():
    assert REPORTS["mansilla"] is mansilla.SPECS
    for report, specs in REPORTS.items():
        assert {spec.report for spec in specs} == {report}
    assert len({spec.id for spec in ALL}) == len(ALL)


def test_every_experiment_says_what_it_is_and_none_is_called_all():
    for spec in ALL:
        assert spec.name.isidentifier()
        assert spec.name != "all"
        assert spec.summary
        assert not spec.summary.endswith(".")  # the help adds it
        assert spec.changes == {}
    assert len({spec.summary for spec in ALL}) == len(ALL)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("steps")


def steps():
    """All on torch; on the others those of mansilla, which hold every kind."""
    marks = {"mansilla": [pytest.mark.portable]}
    return [pytest.param(spec, id=spec.id, marks=marks.get(spec.report, [])) for spec in ALL]


@pytest.mark.parametrize("spec", steps())
def test_every_experiment_takes_a_step(out, spec):
    one = {"epochs": min(spec.epochs, 1)}
    if isinstance(spec, ClassifierSpec):
        one["autoencoder_epochs"] = 1
    record = train.run(override(spec, one), 0, out, dataset=data.synthetic(40, 40))
    sha = record.weights_sha256
    assert (sha["initial"] == sha["final"]) == (spec.epochs == 0)
    assert 0 < record.metrics["val_loss"] < 5
    assert ("val_accuracy" in record.metrics) == isinstance(spec, ClassifierSpec)
    assert {len(curve) for curve in record.history.values()} == ({1} if spec.epochs else set())
