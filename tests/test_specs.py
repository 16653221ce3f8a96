"""Specs: what they refuse, what overriding changes, and the command that repeats a run."""

import dataclasses
import json
import shlex

import pytest

from keras_fmnist.records.run import Run
from keras_fmnist.settings import SpecError, TransposedConv
from keras_fmnist.specs import (
    AutoencoderSpec,
    ClassifierSpec,
    differences,
    override,
    restored,
    setting_fields,
    settings,
    with_defaults,
)

BASE = AutoencoderSpec(report="house", name="base", summary="nothing changed")
HEAD = ClassifierSpec(report="house", name="head", summary="a head on it", autoencoder=BASE)


def test_the_defaults_are_mansillas_common_settings():
    assert settings(BASE) == {
        "epochs": 15,
        "batch_size": 100,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "momentum": 0.0,
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


def test_a_classifiers_settings_hold_its_autoencoders_by_name():
    values = settings(HEAD)
    assert values.pop("autoencoder") == {"name": "base", **settings(BASE)}
    assert values == {
        "epochs": 15,
        "batch_size": 100,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "momentum": 0.0,
        "pretrained": True,
        "frozen": False,
        "encoder_dropout": True,
        "hidden": 0,
        "relu_logits": True,
    }


@pytest.mark.parametrize("spec", [BASE, HEAD], ids=["autoencoder", "classifier"])
def test_settings_survive_json_unchanged(spec):
    assert json.loads(json.dumps(settings(spec), allow_nan=False)) == settings(spec)


@pytest.mark.parametrize("spec", [BASE, HEAD], ids=["autoencoder", "classifier"])
def test_every_setting_says_what_it_is(spec):
    fields = setting_fields(type(spec))
    assert len(fields) >= 8
    for field in fields:
        assert field.metadata["text"]
        assert not field.metadata["text"].endswith(".")
    no_settings = {"report", "name", "summary", "published", "changes", "printed", "autoencoder"}
    assert {f.name for f in dataclasses.fields(spec)} - {f.name for f in fields} <= no_settings


def test_a_spec_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BASE.epochs = 1


def test_override_changes_a_copy_and_remembers_what():
    changed = override(BASE, {"latent": 256, "dropout": 0})
    assert (changed.latent, changed.dropout, changed.epochs) == (256, 0.0, 15)
    assert changed.changes == {"latent": 256, "dropout": 0}
    assert override(changed, {"dropout": 0.5}).changes == {"latent": 256, "dropout": 0.5}
    assert (BASE.latent, BASE.changes) == (64, {})


def test_override_reaches_a_classifiers_autoencoder_by_prefix():
    changed = override(HEAD, {"epochs": 2, "autoencoder_epochs": 3, "autoencoder_latent": 8})
    assert (changed.epochs, changed.autoencoder.epochs, changed.autoencoder.latent) == (2, 3, 8)
    assert (HEAD.autoencoder.epochs, HEAD.autoencoder.latent) == (15, 64)


@pytest.mark.parametrize(
    ("spec", "changes", "words"),
    [
        (BASE, {"epohcs": 1}, "epohcs is not a setting of house/base; did you mean epochs?"),
        (BASE, {"name": "other"}, "name is not a setting of house/base; known are batch_size"),
        (BASE, {"published": {}}, "published is not a setting"),
        (BASE, {"frozen": True}, "frozen is not a setting of house/base"),
        (BASE, {"autoencoder_epochs": 1}, "autoencoder_epochs is not a setting of house/base"),
        (HEAD, {"latent": 8}, "latent is not a setting of house/head"),
        (HEAD, {"autoencoder_epohcs": 1}, "epohcs is not a setting of house/base; did you mean"),
        (HEAD, {"autoencoder": BASE}, "autoencoder is not a setting of house/head"),
        (HEAD, {"autoencoder_dropout": 1}, "dropout must be a number from 0.0 to 0.99, not 1"),
        (BASE, {"epochs": -1}, "epochs must be a whole number from 0 to 10000, not -1"),
        (BASE, {"kernels": 16}, "kernels must be "),
        (BASE, {"kernels": (16, 32, 64)}, "kernels must be two whole numbers, such as 16,32"),
        (BASE, {"kernels": ()}, "kernels must be two whole numbers, such as 16,32, not ()"),
        (BASE, {"momentum": 0.9}, "momentum belongs to sgd"),
        (BASE, {"deconv2": "k4s2o1"}, "turn 5 positions into 13 and 29, not 28"),
        (BASE, {"deconv1": "k4"}, "turn 5 positions into 8 and 18, not 28"),
        (BASE, {"deconv1": "k1p3", "deconv2": "k32s2"}, "turns 5 positions into -1: k4s2o1 would"),
    ],
)
def test_a_wrong_change_is_refused_with_what_would_be_right(spec, changes, words):
    with pytest.raises(SpecError) as error:
        override(spec, changes)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_momentum_goes_with_sgd():
    assert override(BASE, {"optimizer": "sgd", "momentum": 0.9}).momentum == 0.9


def test_the_deconvolutions_that_give_28_pixels_are_taken_and_named():
    for first, second in (("k4s2o1", "k3s2o1"), ("k4s2o1", "k4s2"), ("k5s2", "k4s2")):
        spec = override(BASE, {"deconv1": first, "deconv2": second})
        assert spec.deconv1 == TransposedConv.parse(first)
        assert (settings(spec)["deconv1"], settings(spec)["deconv2"]) == (first, second)


def test_the_encoders_map_has_five_positions_a_side():
    assert BASE.map_size == ((28 - 2) // 2 - 2) // 2 == 5


def test_an_id_is_report_and_name():
    assert HEAD.id == "house/head"


def test_differences_name_each_setting_with_both_values():
    ours, theirs = settings(override(HEAD, {"epochs": 1, "autoencoder_latent": 8})), settings(HEAD)
    assert differences(ours, theirs) == ["autoencoder_latent 8, not 64", "epochs 1, not 15"]
    assert differences(theirs, theirs) == []
    assert differences({"new": 1}, {}) == ["new 1, not None"]


def test_the_command_repeats_the_run_and_names_only_what_was_changed():
    run = Run(BASE, 0, "torch", "cpu")
    assert run.command() == "python -m experiments.house base --seed 0 --device cpu"
    changed = override(HEAD, {"frozen": True, "autoencoder_kernels": (8, 16)})
    assert shlex.split(Run(changed, 3, "torch", "gpu", examples=50).command()) == [
        *("python", "-m", "experiments.house", "head"),
        *("--frozen", "True", "--autoencoder_kernels", "8,16"),
        *("--seed", "3", "--device", "gpu", "--examples", "50"),
    ]
    assert (
        Run(BASE, 0, "torch", "gpu")
        .command(deterministic=True)
        .endswith("--seed 0 --device gpu --deterministic True")
    )


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (BASE, {"latent": 8, "kernels": (4, 6), "deconv2": "k4s2", "dropout": 0}),
        (HEAD, {"hidden": 3, "autoencoder_latent": 8, "autoencoder_deconv1": "k5s2p2d2"}),
    ],
    ids=["autoencoder", "classifier"],
)
def test_a_spec_is_restored_from_the_settings_of_its_record(spec, changes):
    ran = override(spec, changes)
    values = json.loads(json.dumps(settings(ran)))
    again = restored(spec, values)
    assert settings(again) == settings(ran) != settings(spec)
    assert (again.id, again.summary) == (spec.id, spec.summary)
    assert values == settings(ran)
    with pytest.raises(SpecError, match="latnet is not a setting"):
        restored(spec, values | {"latnet": 3})


def test_where_nothing_is_dropped_the_place_of_dropout_makes_no_difference():
    places = {"dropout_at": "both", "dropout_kind": "channel"}
    dropping = override(BASE, places)
    assert settings(dropping) != settings(BASE)
    plain = {"dropout": 0.0}
    assert settings(override(dropping, plain)) == settings(override(BASE, plain))
    assert settings(override(BASE, plain | places)) == settings(override(BASE, plain))


@pytest.mark.parametrize(
    ("pixels", "output", "activation"),
    [
        ("unit", "auto", "sigmoid"),
        ("signed", "auto", "tanh"),
        ("unit", "tanh", "tanh"),
        ("signed", "sigmoid", "sigmoid"),
        ("unit", "linear", "linear"),
        ("signed", "linear", "linear"),
    ],
)
def test_the_output_is_the_one_asked_for_or_the_one_that_fits_the_pixels(
    pixels, output, activation
):
    spec = override(BASE, {"pixels": pixels, "output": output})
    assert spec.output_activation == activation
    assert settings(spec)["output"] == output


@pytest.mark.parametrize(("pixels", "output"), [("unit", "sigmoid"), ("signed", "tanh")])
def test_the_output_that_fits_the_pixels_is_one_net_under_either_name(pixels, output):
    named = override(BASE, {"pixels": pixels, "output": output})
    assert settings(named) == settings(override(BASE, {"pixels": pixels}))


@pytest.mark.parametrize("spec", [BASE, HEAD], ids=["autoencoder", "classifier"])
def test_a_record_from_before_output_and_between_were_settings_reads_as_what_it_was(spec):
    older = settings(spec)
    net = older.get("autoencoder", older)
    del net["output"], net["between"]
    if spec is HEAD:
        older["autoencoder"]["name"] = "base"
    assert with_defaults(older) == settings(spec)
