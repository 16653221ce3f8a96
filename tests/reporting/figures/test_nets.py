"""Images and what a net makes of them, in rows of ten."""

import numpy as np
import pytest

from keras_fmnist.reporting.figures.nets import draw_classified, draw_copies

IMAGES = np.arange(12 * 784, dtype=np.uint32).reshape(12, 28, 28, 1).astype(np.uint8)


def drawn_of(figure):
    return [axes.get_images()[0].get_array() for axes in figure.axes if axes.get_images()]


def test_a_copy_stands_below_its_original():
    copies = np.random.default_rng(0).uniform(size=IMAGES.shape)
    figure = draw_copies(IMAGES, copies)
    assert len(figure.axes) == 4 * 10
    drawn = drawn_of(figure)
    np.testing.assert_array_equal(drawn[:10], IMAGES[:10, ..., 0])
    np.testing.assert_allclose(drawn[10:20], 255 * copies[:10, ..., 0])
    np.testing.assert_array_equal(drawn[20:22], IMAGES[10:, ..., 0])
    np.testing.assert_allclose(drawn[22:], 255 * copies[10:, ..., 0])
    assert [axes.get_ylabel() for axes in figure.axes[::10]] == ["original", "rebuilt"] * 2


@pytest.mark.parametrize("count", [1, 12])
def test_a_class_stands_below_its_image_with_its_probability(count):
    shares = np.full((count, 10), 0.05)
    shares[:, 8] = 0.55
    figure = draw_classified(IMAGES[:count], shares)
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_images()]
    assert labels == ["Bag\n55%"] * count
