"""Statistics of a convolution from its patches."""

import torch

from keras_fmnist.fast_fit import patch_norms
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


def test_the_statistics_of_bright_images_do_not_cancel():
    images = 200 + torch.randn(16, 1, 14, 14)
    weight, bias = torch.randn(5, 1, 3, 3), torch.randn(5)
    _, _, mean, inverse, *_ = patch_norms.normalize_kernels(
        images, weight, bias, None, None, 1e-3, (2, 2)
    )
    maps = torch.conv2d(images.double(), weight.double(), bias.double())
    variance = maps.var((0, 2, 3), correction=0)
    torch.testing.assert_close(mean, maps.mean((0, 2, 3)).float(), rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(inverse, (variance + 1e-3).rsqrt().float(), rtol=1e-4, atol=0)
