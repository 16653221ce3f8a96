"""predict, export and latent at the command line: what they print and leave, what they refuse."""

import importlib.util
import itertools
import os
import shlex
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.cli.arguments import TRACKERS
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference import trained
from keras_fmnist.models import weights
from keras_fmnist.records.latent_space import read_latent_space
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting import figures
from tests.helpers.folders import list_folder
from tests.helpers.repository import ROOT

STUDY = ROOT / STUDY


@pytest.fixture
def run_line(tmp_path, monkeypatch, run_command, studied):
    """`run_line(line)`: `run_command`, with the runs of `studied` as results."""
    monkeypatch.setenv("KERAS_FMNIST_CACHE", str(tmp_path / "cache"))
    (tmp_path / "results").symlink_to(studied)
    return lambda line: run_command(*shlex.split(line))


@pytest.fixture
def photo(tmp_path):
    """A white square on black, as large as a photo."""
    pixels = np.zeros((200, 200), np.uint8)
    pixels[50:150, 50:150] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def own_results(tmp_path, studied, run_line):
    """A copy of `studied` in the place of the link to it."""
    (tmp_path / "results").unlink()
    return shutil.copytree(studied, tmp_path / "results")


def net(studied, spec):
    return trained.load(studied, trained.find(studied, spec.id), spec)


def test_predict_says_what_the_classifier_says_of_a_test_image_and_of_a_file(
    run_line, studied, dataset, photo
):
    status, out, err = run_line("predict 17 photo.png")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 2 * 12 + 1
    square = np.full((1, 28, 28, 1), 255, np.uint8)
    classifier = net(studied, CLASSIFIER_FULL)
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
    autoencoder = net(studied, BASE)
    expected = autoencoder.decode(autoencoder.encode(square))[0, ..., 0]
    np.testing.assert_allclose(one.rebuilt, expected, atol=1e-6)
    np.testing.assert_array_equal(one.photo.pixels, square[0])


WRONG = {  # what needs a run or a picture that is there; the rest is in bad_command_lines.py
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


@pytest.mark.parametrize(
    ("line", "missing", "extra"),
    [
        ("export mansilla/base --format onnx", "onnx", "onnx"),
        ("export mansilla/base --target net.onnx", "onnxruntime", "onnx"),
        ("mansilla base --track mlflow", "mlflow", "mlflow"),
        ("mansilla base --track mlflow", "alembic", "mlflow"),
        ("mansilla all --track tensorboard", "tensorboard", "tensorboard"),
    ],
)
def test_what_is_not_installed_is_one_line_with_the_extra_that_has_it(
    run_line, tmp_path, monkeypatch, line, missing, extra
):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    wanted = {"onnx", "onnxruntime", *itertools.chain(*TRACKERS.values())}
    real = importlib.util.find_spec

    def find_spec(name):
        return (None if name == missing else name) if name in wanted else real(name)

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    before = list_folder(tmp_path)
    said = f"{missing} is not installed: pip install 'keras-fmnist[{extra}]'"
    assert run_line(line) == (2, "", f"keras-fmnist: {said}\n")
    assert list_folder(tmp_path) == before


def test_export_takes_its_format_from_the_target_and_its_target_from_the_format(run_line, studied):
    digest = trained.find(studied, BASE.id).weights_sha256["final"]
    for words, target in {
        "--format safetensors": "base.safetensors",
        "--target here/net.safetensors": "here/net.safetensors",
        "--format safetensors --target net.safetensors": "net.safetensors",
    }.items():
        status, out, err = run_line(f"export mansilla/base {words}")
        assert (status, err) == (0, "")
        assert out.startswith(f"{target}: ")
        weights.load(target, digest)


def test_export_writes_a_keras_model_that_computes_what_the_run_has_trained(
    run_line, studied, dataset
):
    assert run_line("export mansilla/classifier_full --format keras")[0] == 0
    model = keras.models.load_model("classifier_full.keras")
    images = dataset.test_images[:9]
    found = model.predict(images.astype(np.float32) / 255, verbose=0)
    np.testing.assert_allclose(found, net(studied, CLASSIFIER_FULL).logits(images), atol=1e-6)
    assert found.std() > 1e-3


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=lambda spec: spec.name)
def test_export_writes_the_weights_of_the_run(run_line, studied, spec):
    status, out, err = run_line(f"export {spec.id} --target net.safetensors")
    record = trained.find(studied, spec.id)
    arrays = weights.load("net.safetensors", record.weights_sha256["final"])
    assert (status, err) == (0, "")
    assert out == (
        f"net.safetensors: {len(arrays)} tensors of {spec.id}, seed 0; "
        "images are (n, 28, 28, 1) float32 from 0 to 1\n"
    )


def test_latent_maps_every_autoencoder_that_has_weights(run_line, tmp_path, own_results):
    status, out, err = run_line("latent")
    assert (status, err) == (0, "")
    stem = "results/mansilla/base/base"
    assert out.split() == [f"{stem}_latent.json", f"{stem}_latent.png", f"{stem}_line.png"]
    space = read_latent_space(tmp_path / f"{stem}_latent.json")
    record = trained.find("results", BASE.id)
    assert space.weights_sha256 == record.weights_sha256["final"]
    assert {f"base_{name}.{end}" for name in ("latent", "line") for end in ("png", "svg")} <= {
        path.name for path in (tmp_path / stem).parent.iterdir()
    }


def test_what_is_predicted_without_a_name_is_in_the_published_study():
    """The default experiment and seed are there, and the net is what the record says."""
    for spec in (CLASSIFIER_FULL, CLASSIFIER_FULL.autoencoder):
        loaded = net(STUDY, spec)
        digest = weights.digest(weights.get_arrays(loaded.model))
        assert digest == loaded.record.weights_sha256["final"]
    assert CATALOGUE.classifier is CLASSIFIER_FULL


@pytest.mark.data
def test_the_published_classifier_knows_the_real_test_images_as_its_record_says():
    loaded = net(STUDY, CLASSIFIER_FULL)
    dataset = data.load()
    images, labels = dataset.test_images[:1000], dataset.test_labels[:1000]
    right = (loaded.logits(images).argmax(axis=1) == labels).mean()
    assert right == pytest.approx(loaded.record.metrics["val_accuracy"], abs=0.03)
