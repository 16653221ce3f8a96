"""Training and trained nets from Python."""

import dataclasses

import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.cli.notebook import nets
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference import trained
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import settings


@pytest.fixture
def trains(tmp_path, monkeypatch, dataset):
    """`trains(…)`: the API's `train` on few images, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "load", lambda: dataset)
    return lambda *words, **given: nets.train(*words, **{"examples": 90, "epochs": 1} | given)


def test_an_experiment_is_trained_once_and_then_read(trains, tmp_path):
    record = trains("mansilla/base", seed=3)
    assert (record.id, record.seed, record.examples) == ("mansilla/base", 3, 90)
    assert record.spec == settings(BASE) | {"epochs": 1}
    files = sorted(path.name for path in (tmp_path / "runs/mansilla/base").iterdir())
    assert files == ["seed3-torch-cpu.json", "seed3-torch-cpu.safetensors"]
    assert trains(BASE, seed=3).started == record.started
    assert trains(BASE, seed=3, force=True).started > record.started


def test_other_settings_need_a_name_or_a_folder_of_their_own(trains):
    record = trains("mansilla/base")
    with pytest.raises(SpecError, match="holds a run with latent 64, not 32"):
        trains("mansilla/base", latent=32)
    other = trains("mansilla/base", name="code_of_32", latent=32)
    assert (other.id, other.spec["latent"]) == ("mansilla/code_of_32", 32)
    assert nets.load_net(other, out="runs").encode(data.load().test_images).shape == (100, 32)
    assert nets.load_net("mansilla/code_of_32", out="runs").record == other
    assert nets.load_net(record, out="runs").spec.latent == 64


def test_a_classifiers_autoencoder_is_trained_for_as_many_epochs(trains):
    record = trains("mansilla/classifier_full", autoencoder_latent=8, batch_size=30)
    assert record.spec["autoencoder"]["latent"] == 8
    assert record.spec["autoencoder"]["epochs"] == 1
    net = nets.load_net(CLASSIFIER_FULL, out="runs")
    assert net.record == record
    assert net.spec.autoencoder.latent == 8


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"experiment": "mansilla/bse"}, "no experiment; did you mean mansilla/base"),
        ({"experiment": 3}, "3 is no experiment"),
        ({"latnet": 3}, "latnet is not a setting of mansilla/base; did you mean latent"),
        ({"latent": -1}, "latent must be"),
        ({"name": "../x"}, "name must be a word"),
        ({"name": ""}, "name must be a word"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"examples": 0}, "examples must be a whole number"),
        ({"epochs": -1}, "epochs must be"),
        ({"out": 7}, "out must name a folder"),
        ({"force": 1}, "force takes no value"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=words):
        nets.train(**{"experiment": "mansilla/base"} | given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"experiment": "mansilla/classifier_ful"}, "did you mean mansilla/classifier_full"),
        ({"experiment": "mansilla/base", "seed": 9}, "holds no weights of mansilla/base, seed 9"),
        ({"experiment": None}, "None is no experiment"),
        ({"experiment": "mansilla/base", "seed": -1}, "seed must be"),
        ({"experiment": "mansilla/base", "out": "nowhere"}, "out nowhere does not exist"),
    ],
)
def test_a_net_that_is_not_there_is_told(studied, given, words):
    with pytest.raises(SpecError, match=words):
        nets.load_net(**{"out": str(studied)} | given)


def test_a_net_computes_what_its_run_has_learned(studied, dataset):
    net = nets.load_net("mansilla/classifier_full", out=str(studied))
    plain = trained.load(studied, net.record, CLASSIFIER_FULL)
    images = dataset.test_images
    np.testing.assert_array_equal(net.logits(images), plain.logits(images))
    right = (net.predict(images) == dataset.test_labels).mean()
    assert right == pytest.approx(net.record.metrics["val_accuracy"])
    base = nets.load_net("mansilla/base", out=str(studied))
    rebuilt = base.predict(images)
    np.testing.assert_array_equal(rebuilt, base.decode(base.encode(images)))
    loss = ((rebuilt - images / 255) ** 2).mean()
    assert loss == pytest.approx(base.record.metrics["val_loss"], rel=1e-4)


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 28, 28, 1)), np.zeros((2, 28, 28), np.uint8), np.zeros((2, 1, 28, 28), np.uint8)],
)
def test_images_of_another_form_are_refused(studied, images):
    net = nets.load_net("mansilla/base", out=str(studied))
    with pytest.raises(ValueError, match=r"images must be \(n, 28, 28, 1\) uint8"):
        net.predict(images)


def test_a_net_is_drawn_with_what_it_makes_of_images(studied, dataset, monkeypatch):
    monkeypatch.setattr(data, "load", lambda: dataset)
    images = dataset.test_images[:3]
    classifier = nets.load_net("mansilla/classifier_full", out=str(studied))
    shown = [axes.get_xlabel() for axes in classifier.plot(images).axes]
    sure = classifier.probabilities(images).max(axis=1)
    classes = [CLASS_NAMES[label] for label in classifier.predict(images)]
    assert shown == [f"{name}\n{share:.0%}" for name, share in zip(classes, sure, strict=True)]
    base = nets.load_net("mansilla/base", out=str(studied))
    drawn = [axes.get_images()[0].get_array() for axes in base.plot(images).axes]
    np.testing.assert_array_equal(drawn[:3], images[..., 0])
    np.testing.assert_allclose(drawn[3:], 255 * base.predict(images)[..., 0])
    assert len(base.plot().axes) == 20  # a garment of each class


def test_nets_are_frozen(studied):
    net = nets.load_net("mansilla/base", out=str(studied))
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.spec = None
