"""An image in a figure: its pixels, dark on light, and nothing around them."""

import numpy as np

from keras_fmnist.reporting.figures.images import show_image
from keras_fmnist.reporting.figures.style import make_subplots


def test_an_image_is_drawn_dark_on_light_without_a_frame():
    image = np.arange(784, dtype=np.uint8).reshape(28, 28)
    _, axes = make_subplots()
    show_image(axes, image)
    (drawn,) = axes.get_images()
    np.testing.assert_array_equal(drawn.get_array(), image)
    assert drawn.cmap(drawn.norm(0))[:3] == (1, 1, 1)  # black in the data set is white on paper
    assert drawn.cmap(drawn.norm(255))[:3] == (0, 0, 0)
    assert (axes.get_xticks().size, axes.get_yticks().size) == (0, 0)
    assert not any(spine.get_visible() for spine in axes.spines.values())


def test_a_dim_image_is_not_made_brighter():
    _, axes = make_subplots()
    show_image(axes, np.full((28, 28), 10, np.uint8))
    (drawn,) = axes.get_images()
    assert drawn.get_clim() == (0, 255)
