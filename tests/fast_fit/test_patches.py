"""The arithmetic of a pooled convolution as matrix products, beside torch."""

import torch

from keras_fmnist.fast_fit import masks, patches
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


def test_dropout_drops_before_pooling_and_scales():
    """With the masks that its random numbers make, the step is that of torch."""
    torch.manual_seed(0)
    images = torch.randn(4, 1, 10, 10)
    weight, bias = torch.randn(3, 1, 3, 3, requires_grad=True), torch.randn(3, requires_grad=True)
    lanes = masks.draw_lanes(4 * 3 * 8 * 8)
    with torch.no_grad():
        given, *saved = patches.pool_convolution(
            images, weight, bias, (2, 2), lanes, 0.6, True, True
        )
        gradient = torch.randn_like(given)
        gradients = patches.pool_convolution_backward(gradient, *saved, weight, (2, 2), 0.6, True)
    # A mask a corner, each (windows, kernels): put together to one of the whole map.
    mask = masks.keep_lanes_(torch.empty(len(lanes)), lanes, 0.6).view(2, 2, 4, 4, 4, 3)
    mask = mask.permute(2, 5, 3, 0, 4, 1).reshape(4, 3, 8, 8)
    maps = torch.conv2d(images, weight, bias).relu() * mask / 0.6
    expected = torch.nn.functional.max_pool2d(maps, 2)
    torch.testing.assert_close(given, expected)
    for ours, torchs in zip(
        gradients, torch.autograd.grad(expected, (weight, bias), gradient), strict=True
    ):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-5)


def test_the_first_of_equal_maxima_has_the_gradient_of_its_window():
    images = torch.ones(1, 1, 6, 6)
    weight = torch.rand(2, 1, 3, 3, requires_grad=True)
    maps = torch.conv2d(images + torch.eye(6), weight)
    expected = torch.nn.functional.max_pool2d(maps, 2)
    (by_torch,) = torch.autograd.grad(expected.sum(), weight)
    with torch.no_grad():
        given, *saved = patches.pool_convolution(
            images + torch.eye(6), weight, None, (2, 2), None, 1.0, False, True
        )
        ours, _ = patches.pool_convolution_backward(
            torch.ones_like(given), *saved, weight, (2, 2), 1.0, False
        )
    torch.testing.assert_close(given, expected)
    torch.testing.assert_close(ours, by_torch)
