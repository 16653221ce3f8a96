"""Transposed convolutions: taps that are added up, and crops that become padding."""

import pytest
import torch
from keras import layers

from keras_fmnist.fast_fit import transposed
from keras_fmnist.models.layers import PyTorchConv2DTranspose
from tests.helpers.convolutional_nets import FIRST, assert_close, train
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


@pytest.mark.parametrize(
    "settings", [([2, 2], [0, 0], [0, 0]), ([2, 3], [1, 0], [1, 2]), ([4, 1], [1, 2], [0, 0])]
)
@pytest.mark.parametrize("with_bias", [True, False])
def test_adding_up_few_outputs_is_a_transposed_convolution(monkeypatch, settings, with_bias):
    monkeypatch.setattr(transposed, "_PIECE", 1000)  # several pieces
    maps, weight = torch.randn(7, 6, 5, 4), torch.randn(6, 2, 3, 5)
    bias = torch.randn(2) if with_bias else None
    stride, padding, output_padding = settings
    expected = torch.conv_transpose2d(maps, weight, bias, stride, padding, output_padding)
    ours = transposed.add_up(maps, weight, bias, stride, padding, output_padding)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


SAME = {"padding": "same", "use_bias": False, **FIRST}


def zeros(x, widths=(0, 1)):
    return layers.ZeroPadding2D((widths, widths), **FIRST)(x)


class WithTorchsBias(layers.Conv2DTranspose):
    """Keras adds a bias afterwards, torch in the convolution."""

    def call(self, x):
        kernel = self.kernel.value.permute(3, 2, 0, 1)
        return torch.conv_transpose2d(x, kernel, self.bias.value, self.strides)


CROPS = {
    "output padding": lambda x: layers.Conv2DTranspose(3, 4, 2, output_padding=1, **FIRST)(x),
    "same": lambda x: layers.Conv2DTranspose(3, 3, 2, padding="same", **FIRST)(x),
    "cropping layer": lambda x: layers.Cropping2D(((1, 2), (2, 1)), **FIRST)(
        layers.Conv2DTranspose(3, 5, 3, **FIRST)(x)
    ),
    "zero padding layer": lambda x: layers.ZeroPadding2D(((2, 3), (1, 4)), **FIRST)(
        layers.Conv2DTranspose(3, 5, 2, use_bias=False, **FIRST)(x)
    ),
    "padding of PyTorch": lambda x: PyTorchConv2DTranspose(3, 6, 2, padding_size=1, **FIRST)(x),
    "zeros where rows were cut": lambda x: zeros(layers.Conv2DTranspose(3, 5, 2, **SAME)(x)),
    "zeros where rows with a bias were cut": lambda x: zeros(
        layers.Conv2DTranspose(3, 5, 2, **SAME | {"use_bias": True})(x)
    ),
    "zeros after a cropping layer": lambda x: zeros(
        layers.Cropping2D(((0, 1), (0, 1)), **FIRST)(
            layers.Conv2DTranspose(3, 5, 2, use_bias=False, **FIRST)(x)
        )
    ),
    "zeros before what a crop left": lambda x: zeros(
        layers.Cropping2D(((1, 0), (1, 0)), **FIRST)(
            layers.Conv2DTranspose(3, 5, 2, use_bias=False, **FIRST)(x)
        ),
        (1, 0),
    ),
    "zeros after the convolution's own bias": lambda x: zeros(
        WithTorchsBias(3, 5, 2, bias_initializer="random_normal", **FIRST)(x)
    ),
}


@pytest.mark.parametrize("name", CROPS)
def test_crops_and_zeros_become_padding(name):
    def build(x):
        return CROPS[name](layers.Conv2D(4, 3, **FIRST)(x))

    assert_close(train(build, "fast", 3), train(build, "stock", 3), rtol=1e-4, atol=2e-6)
