"""Pixels: bytes to the range of a net and back."""

import numpy as np
import pytest

from keras_fmnist.data.pixels import scale_pixels, unscale_pixels

BYTES = np.array([[0, 51, 255]], np.uint8)


@pytest.mark.parametrize(
    ("pixel_min", "expected"), [(0.0, [0.0, 0.2, 1.0]), (-1.0, [-1.0, -0.6, 1.0])]
)
def test_bytes_go_from_the_black_of_the_net_to_one(pixel_min, expected):
    scaled = scale_pixels(BYTES, pixel_min)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [expected], atol=1e-7)


@pytest.mark.parametrize("pixel_min", [0.0, -1.0])
def test_what_a_net_gives_goes_back_to_numbers_from_0_to_1(pixel_min):
    back = unscale_pixels(scale_pixels(BYTES, pixel_min), pixel_min)
    np.testing.assert_allclose(back, BYTES / 255, atol=1e-7)


def test_torch_tensors_are_scaled_like_arrays():
    torch = pytest.importorskip("torch")
    scaled = scale_pixels(torch.from_numpy(BYTES), -1.0)
    np.testing.assert_array_equal(scaled.numpy(), scale_pixels(BYTES, -1.0))
