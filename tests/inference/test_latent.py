"""Latent spaces: the maps of the codes, the lines of the decoder, and a JSON that holds them."""

import numpy as np
import pytest

from experiments.mansilla import BASE
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference import trained
from keras_fmnist.inference.latent import PAIRS, measure_latent_space
from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.latent_space import STEPS


def points(axes):
    return np.column_stack([axes["x"], axes["y"]])


def test_the_flat_map_is_pca_of_the_codes(measured_space, trained_base, dataset):
    codes = trained_base.encode(dataset.test_images)
    centred = codes - codes.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    found = points(measured_space.pca)
    for k in range(2):  # an axis may point either way
        sign = np.sign(found[:, k] @ expected[:, k])
        np.testing.assert_allclose(found[:, k], sign * expected[:, k], rtol=2e-3, atol=1e-4)
    share = singular[:2] ** 2 / (singular**2).sum()
    np.testing.assert_allclose(measured_space.pca["share"], share, rtol=1e-3)
    assert measured_space.labels == dataset.test_labels.tolist()


def test_tsne_keeps_together_what_is_near(measured_space, trained_base, dataset):
    codes = trained_base.encode(dataset.test_images)
    found = points(measured_space.tsne)

    def nearest(rows):
        distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        return distances.argsort(axis=1)[:, :10]

    shared = [len(set(a) & set(b)) for a, b in zip(nearest(codes), nearest(found), strict=True)]
    assert np.mean(shared) > 5  # of 10; by chance 1 of 99
    assert found.std() > 1


def test_the_same_weights_give_the_same_maps(measured_space, trained_base, dataset):
    assert measure_latent_space(trained_base, dataset) == measured_space


def test_a_line_goes_from_one_image_to_the_other_in_equal_steps(
    measured_space, trained_base, dataset
):
    assert len(measured_space.lines) == len(PAIRS) == 3
    for line, pair in zip(measured_space.lines, PAIRS, strict=True):
        rows = line["test_rows"]
        assert [CLASS_NAMES[dataset.test_labels[row]] for row in rows] == list(pair)
        images = unpack_images(line["images"])
        assert len(images) == STEPS + 2
        np.testing.assert_array_equal(images[[0, -1]], dataset.test_images[rows, ..., 0])
        first, last = trained_base.encode(dataset.test_images[rows])
        for step, image in enumerate(images[1:-1]):
            share = step / (STEPS - 1)
            code = (1 - share) * first + share * last
            rebuilt = trained_base.decode(code[None].astype(np.float32))[0, ..., 0]
            assert abs(image - 255 * rebuilt).max() <= 0.51
    assert len({line["images"] for line in measured_space.lines}) == 3


def test_a_latent_space_says_whose_it_is(measured_space, trained_base):
    record = trained_base.record
    assert (measured_space.id, measured_space.seed, measured_space.backend) == (
        BASE.id,
        0,
        record.backend,
    )
    assert measured_space.weights_sha256 == record.weights_sha256["final"]


def test_codes_that_do_not_differ_have_no_map(trained_base, dataset):
    class Dead(trained.Trained):
        def encode(self, images):
            return np.zeros((len(images), 64), np.float32)

    dead = Dead(trained_base.spec, trained_base.record, trained_base.model)
    with pytest.raises(RuntimeError, match="mansilla/base gives every image the same code"):
        measure_latent_space(dead, dataset)
