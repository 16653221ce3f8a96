"""predict, export and latent at the command line: what they print and leave, what they refuse."""

import os

import numpy as np
import pytest
from PIL import Image

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.models import weights
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting import figures
from tests.helpers.folders import list_folder
from tests.helpers.nets import load_net
from tests.helpers.repository import ROOT

STUDY = ROOT / STUDY


@pytest.fixture
def photo(tmp_path):
    """A white square on black, as large as a photo."""
    pixels = np.zeros((200, 200), np.uint8)
    pixels[50:150, 50:150] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_predict_says_what_the_classifier_says_of_a_test_image_and_of_a_file(
    run_line, studied, dataset, photo
):
    status, out, err = run_line("predict 17 photo.png")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 2 * 12 + 1
    square = np.full((1, 28, 28, 1), 255, np.uint8)
    classifier = load_net(studied, CLASSIFIER_FULL)
    for k, image in enumerate((dataset.test_images[17:18], square)):
        (probabilities,) = classifier.probabilities(image)
        likeliest = np.argsort(-probabilities)
        expected = [f"{probabilities[c]:7.2%}  {CLASS_NAMES[c]}" for c in likeliest]
        assert [line[2:] for line in lines[12 * k + 1 : 12 * k + 11]] == expected
    assert lines[0] == f"test image 17: in truth {CLASS_NAMES[dataset.test_labels[17]]}"
    assert lines[12] == ("photo.png: 200×200 pixels, grey, cut to the object and fitted to 28×28")
    assert lines[-1] == (
        "prediction.png: classes by mansilla/classifier_full, the rest by mansilla/base"
    )
    with Image.open("prediction.png") as picture:
        picture.load()
        assert picture.width > 1500


def test_predict_draws_what_it_has_found(run_line, studied, dataset, photo, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "write_predictions", lambda *given: drawn.append(given))
    assert run_line("predict photo.png --picture here/p.png --out results")[0] == 0
    ((path, (one,)),) = drawn
    assert path == "here/p.png"
    square = np.full((1, 28, 28, 1), 255, np.uint8)
    autoencoder = load_net(studied, BASE)
    expected = autoencoder.decode(autoencoder.encode(square))[0, ..., 0]
    np.testing.assert_allclose(one.rebuilt, expected, atol=1e-6)
    np.testing.assert_array_equal(one.photo.pixels, square[0])


WRONG = {  # what needs a run or a picture that is there; the rest is in bad_values.py
    "predict photo.png text.txt": "text.txt is no picture in a format of",
    "predict photo.png --picture photo.png": "would replace a picture that is to be read",
    "predict 1 --experiment manolucos/classifier_baseline": "results holds no weights of "
    "manolucos/classifier_baseline, seed 0: train it with",
    "predict 1 --seed 7": "results holds no weights of mansilla/classifier_full, seed 7",
    "export mansilla/sgd --format keras": "results holds no weights of mansilla/sgd, seed 0",
    "export mansilla/base --format keras --seed 1": "results holds no weights of mansilla/base, "
    "seed 1",
    "export mansilla/base --format keras --target net.onnx": "target must end in .keras, as the "
    "format says, not 'net.onnx'",
    "latent mansilla/base mansilla/sgd": "results holds no weights of mansilla/sgd, seed 0",
    "latent --seed 5": "results holds no weights of an autoencoder, seed 5",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_request_is_one_line_and_writes_nothing(run_line, tmp_path, photo, studied, line):
    (tmp_path / "text.txt").write_text("no picture")
    before = list_folder(tmp_path) | list_folder(studied)
    status, out, err = run_line(line)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert WRONG[line] in err
    assert list_folder(tmp_path) | list_folder(studied) == before


def test_damaged_weights_fail_and_draw_nothing(run_line, tmp_path, own_results):
    (path,) = (own_results / "mansilla" / "base").glob("*.safetensors")
    arrays = weights.load(path)
    arrays["encoder/conv1/bias"] += 1
    weights.save(path, arrays)
    for line in ("predict 17", "latent mansilla/base", "export mansilla/base --format keras"):
        status, out, err = run_line(line)
        assert (status, out) == (1, "")
        assert err.endswith(f"{path.name} does not hold the weights that its record names\n")
    assert not {"prediction.png", "base.keras"} & set(os.listdir())


def test_what_is_predicted_without_a_name_is_in_the_published_study():
    """The default experiment and seed are there, and the net is what the record says."""
    for spec in (CLASSIFIER_FULL, CLASSIFIER_FULL.autoencoder):
        loaded = load_net(STUDY, spec)
        digest = weights.digest(weights.get_arrays(loaded.model))
        assert digest == loaded.record.weights_sha256["final"]
    assert CATALOGUE.classifier is CLASSIFIER_FULL


@pytest.mark.data
def test_the_published_classifier_knows_the_real_test_images_as_its_record_says():
    loaded = load_net(STUDY, CLASSIFIER_FULL)
    dataset = data.load()
    images, labels = dataset.test_images[:1000], dataset.test_labels[:1000]
    right = (loaded.logits(images).argmax(axis=1) == labels).mean()
    assert right == pytest.approx(loaded.record.metrics["val_accuracy"], abs=0.03)
