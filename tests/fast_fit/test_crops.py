"""Random crops by indices give the pixels that Keras slices out."""

import keras
import pytest
import torch
from keras import layers

from keras_fmnist.fast_fit import crops


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_indices_give_the_pixels_of_a_slice(data_format):
    layer = layers.RandomCrop(3, 4, data_format=data_format)
    image = keras.Input((7, 8, 9))
    model = keras.Model(image, layer(image))
    images = torch.arange(2 * 7 * 8 * 9, dtype=torch.float32).reshape(2, 7, 8, 9)
    starts = torch.tensor(2), torch.tensor(1)
    expected = layer.transform_images(images, starts)
    with crops.by_index(model):
        assert "transform_images" in vars(layer)
        assert torch.equal(layer.transform_images(images, starts), expected)
        assert torch.equal(
            layer.transform_images(images, (0, 0), training=False),
            type(layer).transform_images(layer, images, (0, 0), training=False),
        )
    assert "transform_images" not in vars(layer)
    rows = slice(2, 5), slice(1, 5)
    sliced = images[(..., *rows)] if data_format == "channels_first" else images[:, *rows]
    assert torch.equal(expected, sliced)
