"""The baselines: PCA against numpy's SVD, the mean image by hand, and what a record keeps."""

import numpy as np
import pytest

from experiments.assumptions import FIRST_DEFAULT
from experiments.manolucos import BASELINE
from experiments.mansilla import BASE, UNTRAINED
from keras_fmnist import data
from keras_fmnist.models import baselines
from keras_fmnist.records.images import pack_images
from keras_fmnist.specs import override
from tests.helpers.train import train_spec


@pytest.fixture(scope="module")
def images():
    """Training and test images, fewer of them than pixels and more than components."""
    dataset = data.make_synthetic(300, 60)
    return dataset.train_images, dataset.test_images


def flat(images):
    return images.reshape(len(images), -1) / 255


def by_svd(train_images, test_images, components):
    """Test images from the leading right singular vectors of the centred training images."""
    mean = flat(train_images).mean(axis=0)
    _, _, directions = np.linalg.svd(flat(train_images) - mean, full_matrices=False)
    chosen = directions[:components]
    return (flat(test_images) - mean) @ chosen.T @ chosen + mean


@pytest.mark.parametrize("size", [1, 7, 64])
def test_pca_is_what_numpys_svd_gives(images, size):
    losses, rebuilt = baselines.measure(*images, size)
    expected = by_svd(*images, size)
    assert rebuilt.shape == (60, 28, 28, 1)
    np.testing.assert_allclose(flat(rebuilt * 255), expected, atol=1e-4)
    error = np.square(expected - flat(images[1])).mean()
    assert losses["pca_loss"] == pytest.approx(error, rel=1e-4)
    assert 0 < losses["pca_loss"] < losses["mean_image_loss"]


def test_the_mean_image_is_the_training_images_and_its_error_the_test_images():
    train_images, test_images = np.zeros((2, 4, 28, 28, 1), np.uint8)
    train_images[:2] = 255  # their mean is 1/2
    test_images[0] = 255
    test_images[1, :14] = 51  # half of one image is 1/5, all else 0
    losses, _ = baselines.measure(train_images, test_images, 1)
    squares = [0.5**2, (0.3**2 + 0.5**2) / 2, 0.5**2, 0.5**2]
    assert losses["mean_image_loss"] == pytest.approx(sum(squares) / 4, rel=1e-6)


def test_pixels_from_minus_one_to_one_have_four_times_the_errors(images):
    unit, rebuilt = baselines.measure(*images, 7)
    signed, again = baselines.measure(*images, 7, pixel_min=-1.0)
    assert signed == pytest.approx({name: 4 * loss for name, loss in unit.items()})
    np.testing.assert_array_equal(rebuilt, again)


@pytest.mark.parametrize("size", [784, 800])
def test_a_code_as_long_as_the_image_loses_nothing(images, size):
    losses, rebuilt = baselines.measure(*images, size)
    assert losses["pca_loss"] == 0
    assert losses["mean_image_loss"] > 0
    np.testing.assert_allclose(rebuilt * 255, images[1], atol=1e-4)


def test_one_pixel_less_than_the_image_is_not_exact(images):
    assert baselines.measure(*images, 783)[0]["pca_loss"] > 0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_training_images_give_as_many_components_as_there_are(images, count):
    few = images[0][:count]
    losses, rebuilt = baselines.measure(few, images[1], 64)
    np.testing.assert_allclose(flat(rebuilt * 255), by_svd(few, images[1], count - 1), atol=1e-4)
    assert np.isfinite(list(losses.values())).all()


@pytest.mark.parametrize(
    ("spec", "size"),
    [(UNTRAINED, 64), (override(UNTRAINED, {"latent": 9}), 9), (FIRST_DEFAULT[BASELINE], 800)],
    ids=["base", "latent 9", "map"],
)
def test_an_autoencoders_record_holds_the_baselines_of_its_own_size_and_pixels(
    tmp_path, dataset, spec, size
):
    spec = override(spec, {"epochs": 0})
    record = train_spec(spec, 0, tmp_path, examples=150, dataset=dataset)
    assert spec.code_size == size
    losses, rebuilt = baselines.measure(
        dataset.train_images[:150], dataset.test_images, size, spec.pixel_min
    )
    assert losses.items() <= record.metrics.items()
    rows = record.images["test_rows"]
    assert record.images["pca"] == pack_images(rebuilt[rows])


@pytest.mark.data
def test_64_components_of_the_real_images_leave_an_eighth_of_the_mean_images_error():
    dataset = data.load()
    losses, _ = baselines.measure(dataset.train_images, dataset.test_images, BASE.code_size)
    assert losses == pytest.approx({"pca_loss": 0.010368, "mean_image_loss": 0.086641}, rel=1e-4)


def test_a_probe_tells_classes_apart_that_a_line_tells_apart():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    codes = np.eye(3)[labels] + rng.normal(0, 0.1, (300, 3))
    codes = np.column_stack([codes, np.zeros(300)]).astype(np.float32)
    assert baselines.probe_codes(codes[:200], labels[:200], codes[200:], labels[200:]) == 1.0
    shuffled = rng.permutation(labels[:200])
    assert baselines.probe_codes(codes[:200], shuffled, codes[200:], labels[200:]) < 0.6
    same = np.zeros(200, int)
    share = (labels[200:] == 0).mean()
    assert baselines.probe_codes(codes[:200], same, codes[200:], labels[200:]) == share
