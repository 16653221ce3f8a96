"""Transposed convolutions of spread maps, computed from the small ones."""

import keras
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import spread
from keras_fmnist.models.layers import PyTorchConv2DTranspose
from tests.helpers.convolutional_nets import FIRST, assert_close, train
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


def spread_then(kernels=1, steps=2, stride=2, between=layers.ReLU, padding=1, output_padding=0):
    """A layer whose map is spread, and a transposed convolution of it."""

    def build(x):
        x = PyTorchConv2DTranspose(
            4, 3, spread=steps, padding_size=1, bias_initializer="random_normal", **FIRST
        )(layers.Conv2D(3, 3, **FIRST)(x))
        x = between()(x)
        return PyTorchConv2DTranspose(
            kernels, 6, stride, padding_size=padding, output_padding=output_padding, **FIRST
        )(x)

    return build


def count_spread(build):
    """How many spread maps are computed without zeros, in training and in evaluation."""
    keras.utils.set_random_seed(0)
    x = keras.Input((2, 7, 9))
    model = keras.Model(x, build(x))
    model.compile("sgd", "mse")
    fast_fit.accelerate(model, at_once=True)
    images, targets = torch.randn(3, 2, 7, 9), torch.randn(3, *model.output_shape[1:])
    model.test_on_batch(images, targets)
    found = []
    for make in (model.make_train_function, model.make_test_function):
        graph = make()._replay_for((images, targets))._run.__self__.graph
        found.append(sum(node.target is spread.convolve for node in graph.nodes))
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"steps": 3},
        {"stride": 3, "padding": 0},
        {"output_padding": 1},
        {"kernels": 3},  # more than are added up tap by tap
    ],
    ids=lambda settings: " ".join(f"{k} {v}" for k, v in settings.items()) or "as in the report",
)
def test_a_spread_map_gives_the_losses_and_weights_of_stock_keras(settings):
    build = spread_then(**settings)
    assert count_spread(build) == [1, 1]
    assert_close(train(build, "fast", 3), train(build, "stock", 3), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("crop", [1, ((1, 2), (0, 3))])
@pytest.mark.parametrize("settings", [{}, {"kernels": 3}, {"stride": 3}], ids=str)
def test_a_crop_behind_the_last_layer_changes_only_what_is_cut(crop, settings):
    """It becomes padding in the backward pass, but not in the forward pass, before the bias."""

    def build(x):
        return layers.Cropping2D(crop, **FIRST)(spread_then(**settings)(x))

    assert count_spread(build) == [1, 1]
    assert_close(train(build, "fast", 3), train(build, "stock", 3), rtol=1e-4, atol=2e-6)


def two_readers(x):
    x = layers.Conv2D(3, 3, **FIRST)(x)
    x = layers.ReLU()(PyTorchConv2DTranspose(4, 3, spread=2, **FIRST)(x))
    last = PyTorchConv2DTranspose(1, 6, 2, **FIRST)(x)
    return layers.Add()([last, layers.GlobalAveragePooling2D(keepdims=True, **FIRST)(x)])


def cropped_at_the_start(x):
    x = ops_spread(layers.Conv2D(3, 3, **FIRST)(x))
    x = layers.ReLU()(x)
    return layers.Conv2DTranspose(1, 6, 2, **FIRST)(x)


def ops_spread(x):
    """Zeros between the numbers as in `models.layers`, but the first row is cut, not the last."""
    height, width = x.shape[2:]
    x = keras.ops.expand_dims(keras.ops.expand_dims(x, 3), 5)
    x = keras.ops.pad(x, [[0, 0]] * 3 + [[0, 1], [0, 0], [0, 1]])
    x = keras.ops.reshape(x, (-1, x.shape[1], 2 * height, 2 * width))
    return x[:, :, 1:, 1:] + keras.ops.full((1, 3, 1, 1), 0.5)


OTHERS = {
    "zeros where the map begins": cropped_at_the_start,
    "dropout, which drops the number that all positions share": spread_then(
        between=lambda: keras.Sequential([layers.ReLU(), layers.Dropout(0.5)])
    ),
    "no ReLU": spread_then(between=lambda: layers.Activation("tanh")),
    "two layers that read the spread map": two_readers,
    "no spread": spread_then(steps=1),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_maps_are_computed_as_they_are(name):
    build = OTHERS[name]
    assert count_spread(build) == [0, int(name.startswith("dropout"))]
    if not name.startswith("dropout"):
        assert_close(train(build, "fast", 3), train(build, "stock", 3), rtol=1e-4, atol=2e-6)


def test_the_gradients_are_those_of_the_map_with_its_zeros():
    """In float64, where nothing but a mistake is left; biases of both signs."""
    torch.manual_seed(0)
    small = torch.randn(3, 5, 4, 3, dtype=torch.double, requires_grad=True)
    bias = torch.randn(1, 5, 1, 1, dtype=torch.double, requires_grad=True)
    weight = torch.randn(5, 2, 4, 5, dtype=torch.double, requires_grad=True)
    wide = small.new_zeros(3, 5, 10, 5)
    wide[:, :, ::3, ::2] = small
    settings = {"stride": [2, 3], "padding": [1, 0], "output_padding": [0, 2]}
    expected = torch.conv_transpose2d((wide + bias).relu(), weight, **settings)
    with torch.no_grad():
        images, active = spread.convolve(small, bias, weight, None, [3, 2], *settings.values())
        gradient = torch.randn_like(images)
        ours = spread.convolve_backward(gradient, active, bias, weight, [3, 2], *settings.values())
    torch.testing.assert_close(images, expected)
    wanted = torch.autograd.grad(expected, (small, weight, bias), gradient)
    for one, other in zip(ours, wanted, strict=True):
        torch.testing.assert_close(one, other)
