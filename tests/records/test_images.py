"""Images in a record: each pixel one of 256 greys."""

import numpy as np

from keras_fmnist.records.images import pack_images, unpack_images


def test_packed_images_come_back_to_the_nearest_of_256_greys():
    images = np.linspace(0, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 28, 28, 1)
    pixels = unpack_images(pack_images(images))
    assert pixels.shape == (2, 28, 28)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[..., None] / 255, images, atol=0.5 / 255 + 1e-6)
    assert (pixels[0, 0, 0], pixels[1, -1, -1]) == (0, 255)
    bytes_again = unpack_images(pack_images(pixels[..., None] / 255))
    np.testing.assert_array_equal(bytes_again, pixels)


def test_pixels_out_of_range_are_clipped_not_wrapped():
    images = np.full((1, 28, 28, 1), 1.01)
    images[0, 0] = -0.01
    pixels = unpack_images(pack_images(images))
    assert (pixels[0, 0].max(), pixels[0, 1:].min()) == (0, 255)
