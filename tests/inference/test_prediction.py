"""Predictions: the nearest training images, what is kept for the next time, and the words."""

import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.data import CLASS_NAMES, Dataset
from keras_fmnist.inference import prediction, trained
from keras_fmnist.inference.photos import Photo
from keras_fmnist.specs import override


@pytest.fixture(scope="module")
def nets(studied):
    """The classifier and the autoencoder."""
    return [
        trained.load(studied, trained.find(studied, spec.id), spec)
        for spec in (CLASSIFIER_FULL, BASE)
    ]


def photo_of(image, name="photo.png"):
    return Photo(name, image[..., 0], image, ("28×28 pixels", "grey"))


def test_neighbours_are_the_training_images_with_the_nearest_codes(nets, dataset, tmp_path):
    classifier, autoencoder = nets
    images = dataset.test_images[:4]
    found = prediction.predict(
        classifier, autoencoder, [photo_of(image) for image in images], dataset, tmp_path
    )
    known, codes = autoencoder.encode(dataset.train_images), autoencoder.encode(images)
    distances = np.linalg.norm(known[None] - codes[:, None], axis=2)
    rows = distances.argsort(axis=1)[:, :5]
    for k, one in enumerate(found):
        np.testing.assert_array_equal(one.neighbours, dataset.train_images[rows[k], ..., 0])
        assert one.labels.tolist() == dataset.train_labels[rows[k]].tolist()
        np.testing.assert_allclose(one.probabilities, classifier.probabilities(images)[k])
        np.testing.assert_allclose(one.rebuilt, autoencoder.decode(codes)[k, ..., 0], atol=1e-6)


def test_a_training_image_is_its_own_nearest(nets, dataset, tmp_path):
    row = 33
    (found,) = prediction.predict(*nets, [photo_of(dataset.train_images[row])], dataset, tmp_path)
    np.testing.assert_array_equal(found.neighbours[0], dataset.train_images[row, ..., 0])
    assert found.labels[0] == dataset.train_labels[row]


def test_codes_are_kept_for_the_next_time_and_made_anew_where_they_are_damaged(
    nets, dataset, tmp_path, monkeypatch
):
    _, autoencoder = nets
    encoded = []
    encode = trained.Trained.encode

    def count(self, images):
        encoded.append(len(images))
        return encode(self, images)

    monkeypatch.setattr(trained.Trained, "encode", count)
    first = prediction.training_codes(autoencoder, dataset, tmp_path)
    (cache,) = tmp_path.iterdir()
    again = prediction.training_codes(autoencoder, dataset, tmp_path)
    assert encoded == [190]
    np.testing.assert_array_equal(first, encode(autoencoder, dataset.train_images))
    np.testing.assert_array_equal(again, first)
    whole = cache.read_bytes()
    for damaged in (whole[:-1], whole.replace(b"F32", b"I32"), b""):
        cache.write_bytes(damaged)
        np.testing.assert_array_equal(
            prediction.training_codes(autoencoder, dataset, tmp_path), first
        )
        assert cache.read_bytes() == whole
    assert encoded == [190] * 4


def test_codes_of_other_images_or_of_another_encoder_are_not_taken(
    nets, dataset, tmp_path, make_record
):
    _, autoencoder = nets
    prediction.training_codes(autoencoder, dataset, tmp_path)
    fewer = Dataset(
        dataset.train_images[:50],
        dataset.train_labels[:50],
        dataset.test_images,
        dataset.test_labels,
    )
    assert len(prediction.training_codes(autoencoder, fewer, tmp_path)) == 50
    other = make_record(BASE, weights_sha256={"final": "0" * 64, "encoder_final": "0" * 64})
    renamed = trained.Trained(autoencoder.spec, other, autoencoder.model)
    prediction.training_codes(renamed, dataset, tmp_path)
    # With the same weights, too, average pooling would give other codes.
    pooled = override(autoencoder.spec, {"last_pooling": "average"})
    pooled = trained.Trained(pooled, autoencoder.record, autoencoder.model)
    prediction.training_codes(pooled, dataset, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_where_codes_cannot_be_kept_they_are_computed(nets, dataset, tmp_path):
    (tmp_path / "file").touch()
    found = prediction.training_codes(nets[1], dataset, tmp_path / "file")
    assert found.shape == (190, 64)


def test_the_words_name_every_class_likeliest_first_and_the_neighbours(dataset):
    probabilities = np.arange(10) / 45
    one = prediction.Prediction(
        photo_of(dataset.test_images[0], "cat.jpg"), probabilities, None, None, np.array([9, 9, 7])
    )
    lines = list(one.lines())
    assert lines[0] == "cat.jpg: 28×28 pixels, grey"
    assert [line.split(maxsplit=1)[1] for line in lines[1:11]] == list(reversed(CLASS_NAMES))
    assert [line.split()[0] for line in lines[1:4]] == ["20.00%", "17.78%", "15.56%"]
    assert lines[11:] == ["  nearest in the latent space: Ankle boot, Ankle boot, Sneaker"]


def test_a_test_image_is_a_picture_that_needs_nothing(dataset):
    photo = prediction.from_test_set(3, dataset)
    np.testing.assert_array_equal(photo.pixels, dataset.test_images[3])
    assert photo.name == "test image 3"
    assert photo.steps == (f"in truth {CLASS_NAMES[dataset.test_labels[3]]}",)
