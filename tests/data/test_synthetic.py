"""The synthetic images: like the real ones in kind, and learnable."""

import numpy as np

from keras_fmnist import data


def test_synthetic_data_have_the_types_of_the_real_and_all_classes():
    dataset = data.make_synthetic(50, 20)
    assert dataset.train_images.shape == (50, 28, 28, 1)
    assert dataset.test_images.shape == (20, 28, 28, 1)
    assert {array.dtype for array in vars(dataset).values()} == {np.dtype(np.uint8)}
    assert np.bincount(dataset.train_labels).tolist() == [5] * 10
    assert np.bincount(dataset.test_labels).tolist() == [2] * 10


def test_synthetic_data_follow_from_the_seed():
    assert data.make_synthetic(seed=1).sha256 == data.make_synthetic(seed=1).sha256
    assert data.make_synthetic(seed=1).sha256 != data.make_synthetic(seed=2).sha256


def test_synthetic_classes_can_be_learned():
    dataset = data.make_synthetic(200, 100)
    train, test = dataset.train_images.astype(float), dataset.test_images.astype(float)
    means = np.stack([train[dataset.train_labels == label].mean(0) for label in range(10)])
    distances = ((test[:, None] - means) ** 2).sum((2, 3, 4))
    assert (distances.argmin(1) == dataset.test_labels).mean() > 0.95
