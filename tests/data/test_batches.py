"""Batches: every image once, in an order that is known."""

import math

import keras
import numpy as np
import pytest

from keras_fmnist.data.batches import Batches
from keras_fmnist.seeds import permutation
from keras_fmnist.training import callbacks


@pytest.fixture
def batches(dataset):
    return Batches(dataset.train_images, dataset.train_labels, 90, seed=5)


def arrays(batch):
    """A batch as numpy arrays, wherever it lies."""
    return [keras.ops.convert_to_numpy(part) for part in batch]


def test_batches_hold_every_image_once_and_the_last_is_partial(batches, dataset):
    assert len(batches) == 3
    assert [len(batches[index][0]) for index in range(3)] == [90, 90, 10]
    images = np.concatenate([arrays(batches[index])[0] for index in range(3)])
    np.testing.assert_array_equal(np.rint(images * 255), dataset.train_images)
    labels = np.concatenate([arrays(batches[index])[1] for index in range(3)])
    np.testing.assert_array_equal(labels, dataset.train_labels)
    assert labels.dtype == np.int32


def test_pixels_are_float32_from_0_to_1():
    grey = np.arange(256, dtype=np.uint8)
    images = np.resize(grey, (1, 28, 28, 1))
    pixels, target = arrays(Batches(images, None, 10)[0])
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels.ravel()[:256], grey.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(target, pixels)  # an image is its own target


def test_a_shuffle_is_the_epochs_permutation_of_images_and_labels_alike(batches, dataset):
    for epoch in (0, 3):
        batches.shuffle(epoch)
        rows = permutation(5, epoch, 190)[90:180]
        images, labels = arrays(batches[1])
        np.testing.assert_array_equal(np.rint(images * 255), dataset.train_images[rows])
        np.testing.assert_array_equal(labels, dataset.train_labels[rows])


def test_an_interrupted_epoch_goes_on_with_the_batches_that_were_not_taken(batches):
    batches.shuffle(3)
    whole = [arrays(batches[index]) for index in range(3)]
    batches.taken = 2
    assert (len(batches), batches.steps) == (1, 3)
    for ours, theirs in zip(arrays(batches[0]), whole[2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    stop = callbacks.StopOnNonFinite(batches)
    stop.on_epoch_begin(0)
    with pytest.raises(callbacks.DivergedError, match="at step 3 of epoch 1"):
        stop.on_train_batch_end(0, {"loss": math.nan})
