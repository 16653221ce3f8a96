"""What the live page needs of the data set: measured, left as a file, checked when it is read."""

import dataclasses

import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.inference import live_data, trained
from keras_fmnist.inference.latent import measure_latent_space
from keras_fmnist.inference.live_data import (
    find_live_data,
    locate_live_data,
    measure_live_data,
    write_live_data,
)
from keras_fmnist.models import weights
from keras_fmnist.records.json_files import RecordError

SPECS = (CLASSIFIER_FULL, BASE)


@pytest.fixture(scope="module", autouse=True)
def _few_components():
    """190 training images span no more than 189 components."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_data, "COMPONENTS", 20)
        yield


@pytest.fixture(scope="module")
def nets(studied):
    return [trained.load(studied, trained.find(studied, spec.id), spec) for spec in SPECS]


@pytest.fixture(scope="module")
def measured(nets, dataset):
    return measure_live_data(nets, dataset)


@pytest.fixture
def left(tmp_path, measured):
    """A folder with the file."""
    write_live_data(tmp_path, measured)
    return tmp_path


def records(nets):
    return [net.record for net in nets]


def test_what_was_measured_is_found_again(left, measured, nets):
    found = find_live_data(left, SPECS, records(nets))
    assert found.arrays.keys() == measured.arrays.keys()
    for name, array in measured.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype
    assert [net.record for net in found.nets.values()] == records(nets)
    # The classifier of this study has no ReLU on its logits, unlike what is declared.
    assert not found.nets[CLASSIFIER_FULL.id].spec.relu_logits


def test_the_images_are_the_first_of_each_class_in_turn(measured, dataset):
    rows, labels = measured.arrays["rows"], measured.arrays["labels"]
    assert labels.tolist() == list(range(10)) * 10
    for label in range(10):
        expected = np.flatnonzero(dataset.test_labels == label)[:10]
        np.testing.assert_array_equal(rows[labels == label], expected)
    np.testing.assert_array_equal(measured.arrays["images"], dataset.test_images[rows, ..., 0])


def test_the_components_rebuild_as_well_as_any_plane_can(measured, dataset):
    images = dataset.train_images.reshape(len(dataset.train_images), -1) / 255
    mean, axes = (measured.arrays[f"pca_{name}"].astype(float) for name in ("mean", "components"))
    np.testing.assert_allclose(axes @ axes.T, np.eye(20), atol=2e-3)
    rebuilt = mean + (images - mean) @ axes.T @ axes
    singular = np.linalg.svd(images - images.mean(axis=0), compute_uv=False)
    assert np.square(rebuilt - images).sum() == pytest.approx((singular[20:] ** 2).sum(), rel=1e-2)


def test_ranges_are_those_over_all_test_images(measured, nets, dataset):
    classifier, autoencoder = nets
    codes = autoencoder.encode(dataset.test_images)
    part = {name: measured.arrays[f"{BASE.id}/{name}"] for name in ("least", "most", "spread")}
    np.testing.assert_array_equal(part["least"], codes.min(axis=0))
    np.testing.assert_array_equal(part["most"], codes.max(axis=0))
    np.testing.assert_allclose(part["spread"], codes.std(axis=0), rtol=1e-5)
    logits = classifier.logits(dataset.test_images)
    np.testing.assert_array_equal(measured.arrays[f"{CLASSIFIER_FULL.id}/most"], logits.max(axis=0))


def test_the_plane_is_that_of_the_map(measured, nets, dataset):
    mean, axes = (measured.arrays[f"{BASE.id}/{name}"] for name in ("mean", "axes"))
    places = (nets[1].encode(dataset.test_images) - mean) @ axes.T
    space = measure_latent_space(nets[1], dataset)
    for k, axis in enumerate("xy"):
        np.testing.assert_allclose(places[:, k], space.pca[axis], rtol=2e-3, atol=1e-4)


def test_without_the_file_there_is_nothing(tmp_path, nets):
    assert find_live_data(tmp_path, SPECS, records(nets)) is None


def test_live_data_of_other_weights_give_no_page(left, nets):
    first, second = records(nets)
    other = dataclasses.replace(second, weights_sha256={"final": "0" * 64})
    assert find_live_data(left, SPECS, [first, other]) is None
    assert find_live_data(left, SPECS, [first]) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": None}, "images must be uint8 of shape"),
        ({"rows": np.zeros(100, np.int64)}, "rows must be int32 of shape"),
        ({"pca_mean": np.zeros(9, np.float16)}, "pca_mean must be float16 of shape"),
        (
            {"pca_mean": np.full(784, np.nan, np.float16)},
            "pca_mean holds values that are not finite",
        ),
        ({"labels": np.full(100, 10, np.int32)}, "labels must be from 0 to 9"),
        ({f"{BASE.id}/axes": np.zeros((2, 3), np.float32)}, f"{BASE.id}/axes must be float32"),
    ],
)
def test_damaged_live_data_are_named(left, measured, nets, change, words):
    arrays = {k: v for k, v in (measured.arrays | change).items() if v is not None}
    write_live_data(left, dataclasses.replace(measured, arrays=arrays))
    with pytest.raises(RecordError, match=words) as error:
        find_live_data(left, SPECS, records(nets))
    assert str(locate_live_data(left)) in str(error.value)


@pytest.mark.parametrize("metadata", [None, {"weights_sha256": "{}"}])
def test_a_file_that_names_no_weights_gives_no_page(left, measured, nets, metadata):
    weights.save(locate_live_data(left), measured.arrays, metadata)
    assert find_live_data(left, SPECS, records(nets)) is None


@pytest.mark.parametrize("digests", ["{", "[1]", "1"])
def test_digests_that_cannot_be_read_are_named(left, measured, nets, digests):
    weights.save(locate_live_data(left), measured.arrays, {"weights_sha256": digests})
    with pytest.raises(
        RecordError, match=r"live\.safetensors is not what keras-fmnist live writes"
    ):
        find_live_data(left, SPECS, records(nets))


def test_what_is_no_safetensors_file_is_named(left, nets):
    locate_live_data(left).write_bytes(b"{")
    with pytest.raises(RecordError, match=r"live\.safetensors is no"):
        find_live_data(left, SPECS, records(nets))
