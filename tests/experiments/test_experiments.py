"""The experiments: their settings as the reports print them, and each of them takes a step."""

import pytest

from experiments import manolucos, mansilla, transfer
from experiments.__main__ import REPORTS
from keras_fmnist import data
from keras_fmnist.models import networks
from keras_fmnist.specs import ClassifierSpec, override, settings
from tests.helpers.train import train_spec

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
    "dropout_at": "before_pooling",
    "dropout_kind": "element",
    "deconv1": "k4s2o1",
    "deconv2": "k3s2o1",
    "batchnorm": False,
    "last_pooling": "max",
    "pixels": "unit",
    "output": "auto",
    "between": "relu_dropout",
    "code_relu": True,
}
HEAD = {"pretrained": True, "encoder_dropout": True, "hidden": 0, "relu_logits": True}
SPECS = {spec.name: spec for spec in mansilla.SPECS}


def test_mansillas_experiments_are_there_in_the_reports_order_before_any_of_our_own():
    assert list(SPECS)[:7] == [*AUTOENCODERS, "classifier_full", "classifier_frozen"]
    assert len(SPECS) == len(mansilla.SPECS)
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


# manolucos, tables 1 to 3: each experiment has the changes of those before it.
MANOLUCOS = {
    "baseline": {
        "epochs": 30,
        "latent": 784,
        "deconv1": "k5s2p2d2",
        "deconv2": "k6s2p1",
        "pixels": "signed",
        "output": "linear",
    },
    "no_dropout": {"dropout": 0.0},
    "batchnorm": {"batchnorm": True},
    "avg_pooling": {"last_pooling": "average"},
    "wide": {"kernels": [64, 96]},
}
MANOLUCOS_PUBLISHED = {  # table 3, training and validation loss
    "baseline": (0.0858, 0.0726),
    "no_dropout": (0.0300, 0.0312),
    "batchnorm": (0.0270, 0.0283),
    "avg_pooling": (0.0229, 0.0231),
    "wide": (0.0159, 0.0175),
}


def test_manolucoss_autoencoders_add_up_as_in_table_3():
    specs = {spec.name: spec for spec in manolucos.SPECS}
    expected = COMMON | NET
    for name, changes in MANOLUCOS.items():
        expected = expected | changes
        assert settings(specs[name]) == expected
        assert tuple(specs[name].published.values()) == MANOLUCOS_PUBLISHED[name]
    for name in ("baseline", "wide"):
        repaired = settings(specs[f"{name}_repaired"])
        assert repaired == settings(specs[name]) | {"deconv1": "k5s2"}


def test_manolucoss_classifiers_stand_on_wide():
    baseline, adam, sgd = (s for s in manolucos.SPECS if isinstance(s, ClassifierSpec))
    for spec in (baseline, adam, sgd):
        assert spec.autoencoder.name == "wide"
        assert (spec.epochs, spec.relu_logits, spec.frozen) == (30, False, False)
    assert (baseline.hidden, adam.optimizer, sgd.optimizer) == (0, "adam", "sgd")
    assert adam.hidden == sgd.hidden > 0


@pytest.mark.portable
def test_manolucoss_nets_have_the_parameters_of_their_tables():
    specs = {spec.name: spec for spec in manolucos.SPECS}
    # conv 1→16 k3, conv 16→32 k3, deconv 32→16 k5, deconv 16→1 k6, each with its biases
    printed = (16 * 9 + 16) + (32 * 16 * 9 + 32) + (32 * 16 * 25 + 16) + (16 * 36 + 1)
    assert printed == 18_193
    # and a pair of linear layers, from the map of 32 · 5 · 5 to 784 numbers and back
    pair = (800 * 784 + 784) + (784 * 800 + 800)
    assert networks.build(specs["baseline"]).count_params() == printed + pair == 1_274_177
    assert networks.build(specs["baseline_repaired"]).count_params() == printed + pair
    # with batch norm's four numbers a kernel, 96 · 5 · 5 features to 784, and those to 10 classes
    convolutions = (64 * 9 + 64) + 4 * 64 + (96 * 64 * 9 + 96) + 4 * 96
    encoder = convolutions + 2400 * 784 + 784
    assert networks.encoder(specs["wide"]).count_params() == encoder == 1_939_056
    head = 784 * 10 + 10
    assert networks.build(specs["classifier_baseline"]).count_params() == encoder + head


# Pretrained or random × everything trained or the head: one of the four is each combination.
TRANSFER = {
    "classifier_full": {},
    "classifier_frozen": {"frozen": True},
    "random_full": {"pretrained": False},
    "random_head": {"pretrained": False, "frozen": True},
}


def test_transfer_crosses_pretraining_with_freezing_and_changes_nothing_else():
    assert [spec.name for spec in transfer.ARMS] == list(TRANSFER)
    full = settings(SPECS["classifier_full"])
    for spec in transfer.ARMS:
        assert spec.pretrained == (spec.report == "mansilla")
        assert settings(spec) == full | TRANSFER[spec.name]
        assert spec.autoencoder is SPECS["base"]
    for spec in transfer.SPECS:
        assert spec.published == {}


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
    """All on torch; on the others those of the two reports, which hold every kind."""
    marks = {"transfer": []}
    portable = [pytest.mark.portable]
    return [pytest.param(spec, id=spec.id, marks=marks.get(spec.report, portable)) for spec in ALL]


@pytest.mark.parametrize("spec", steps())
def test_every_experiment_takes_a_step(out, spec):
    one = {"epochs": min(spec.epochs, 1)}
    if isinstance(spec, ClassifierSpec):
        one["autoencoder_epochs"] = 1
    record = train_spec(override(spec, one), 0, out, dataset=data.make_synthetic(40, 40))
    sha = record.weights_sha256
    assert (sha["initial"] == sha["final"]) == (spec.epochs == 0)
    assert 0 < record.metrics["val_loss"] < 5
    assert ("val_accuracy" in record.metrics) == isinstance(spec, ClassifierSpec)
    assert {len(curve) for curve in record.history.values()} == ({1} if spec.epochs else set())
