"""What is read off ten pictures and their reconstructions, drawn by hand."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from keras_fmnist.claims.pictures import (
    COARSE,
    CONTRAST,
    EXPLAINED,
    FINE,
    FINE_CONTRAST,
    TOTAL_VARIATION,
)
from keras_fmnist.records.images import pack_images

RNG = np.random.default_rng(0)
ORIGINALS = RNG.uniform(0.3, 0.7, (10, 28, 28, 1))


def pictures(originals, rebuilt):
    packed = {"originals": originals, "reconstructions": rebuilt}
    return SimpleNamespace(images={n: pack_images(i) for n, i in packed.items()})


def block_means(images):
    means = np.zeros_like(images)
    for row, column in itertools.product(range(0, 28, 4), repeat=2):
        block = images[:, row : row + 4, column : column + 4]
        means[:, row : row + 4, column : column + 4] = block.mean((1, 2, 3), keepdims=True)
    return means


@pytest.mark.parametrize("quantity", [EXPLAINED, COARSE, FINE], ids=lambda q: q.name)
def test_pictures_explain_all_or_nothing_or_less_than_their_mean_does(quantity):
    mean = np.broadcast_to(ORIGINALS.mean(0), ORIGINALS.shape)
    assert quantity.of(pictures(ORIGINALS, ORIGINALS)) == 1
    assert quantity.of(pictures(ORIGINALS, mean)) == pytest.approx(0, abs=0.01)
    halfway = (ORIGINALS + mean) / 2
    assert quantity.of(pictures(ORIGINALS, halfway)) == pytest.approx(0.75, abs=0.01)


def test_a_dark_picture_explains_less_than_the_mean_does():
    assert EXPLAINED.of(pictures(ORIGINALS, np.zeros_like(ORIGINALS))) < -1


def test_means_of_blocks_keep_the_coarse_part_and_none_of_the_fine():
    blurred = pictures(ORIGINALS, block_means(ORIGINALS))
    assert COARSE.of(blurred) == pytest.approx(1, abs=0.01)
    # The fine part of the originals' mean explains a tenth of theirs, which is the zero.
    fine = ORIGINALS - block_means(ORIGINALS)
    left, all_of_it = (fine**2).sum(), ((fine - fine.mean(0)) ** 2).sum()
    assert FINE.of(blurred) == pytest.approx(1 - left / all_of_it, abs=0.01)
    sharp = pictures(ORIGINALS, 0.5 + fine)
    assert FINE.of(sharp) == pytest.approx(1, abs=0.01)
    assert COARSE.of(sharp) < 0.1


def test_half_the_contrast_is_half_the_total_variation():
    half = pictures(ORIGINALS, 0.5 + (ORIGINALS - 0.5) / 2)
    for quantity in (TOTAL_VARIATION, CONTRAST, FINE_CONTRAST):
        assert quantity.of(half) == pytest.approx(0.5, abs=0.01)
        assert quantity.of(pictures(ORIGINALS, ORIGINALS)) == 1
    blurred = pictures(ORIGINALS, block_means(ORIGINALS))
    assert FINE_CONTRAST.of(blurred) == pytest.approx(0, abs=0.02)
    assert 0.1 < CONTRAST.of(blurred) < 0.5


def test_total_variation_counts_the_steps_along_rows_and_columns():
    originals, rebuilt = np.zeros((10, 28, 28, 1)), np.zeros((10, 28, 28, 1))
    originals[:, 14:] = 1  # an edge of 28 steps
    rebuilt[:, 10:12, 10:12] = 1  # a square of 8 steps
    assert TOTAL_VARIATION.of(pictures(originals, rebuilt)) == pytest.approx(8 / 28)
