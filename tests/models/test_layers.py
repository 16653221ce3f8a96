import keras
import numpy as np
import pytest
import torch

from keras_fmnist.models import networks
from keras_fmnist.models.layers import ChannelDropout, PyTorchConv2DTranspose
from keras_fmnist.settings import TransposedConv

pytestmark = pytest.mark.portable

FIRST = networks.DATA_FORMAT == networks.FIRST
SHAPES = ["k5s2p2d2", "k5s3p3d3", "k6s2p1", "k5s2p1o1", "k3s1p1", "k1s3", "k2s3p1"]


@pytest.fixture
def maps():
    """Four images of two maps, 5×5, channels first."""
    return np.random.default_rng(0).normal(size=(4, 2, 5, 5)).astype(np.float32)


def to_keras(maps):
    return maps if FIRST else maps.transpose(0, 2, 3, 1)


def from_keras(maps):
    maps = keras.ops.convert_to_numpy(maps)
    return maps if FIRST else maps.transpose(0, 3, 1, 2)


def pair(text, maps):
    """Our layer, and PyTorch's with the same weights."""
    shape = TransposedConv.parse(text)
    ours = PyTorchConv2DTranspose(
        3,
        shape.kernel,
        strides=shape.stride // shape.dilation,
        padding_size=shape.padding,
        spread=shape.dilation,
        output_padding=shape.output_padding,
        data_format="channels_first" if FIRST else "channels_last",
        bias_initializer="random_uniform",
    )
    ours.build(to_keras(maps).shape)
    theirs = torch.nn.ConvTranspose2d(
        2,
        3,
        shape.kernel,
        shape.stride,
        shape.padding,
        shape.output_padding,
        dilation=shape.dilation,
    )
    kernel, bias = (torch.from_numpy(np.array(v.numpy())) for v in ours.weights)
    theirs.load_state_dict({"weight": kernel.permute(3, 2, 0, 1), "bias": bias})
    return ours, theirs


@pytest.mark.parametrize("text", SHAPES)
def test_the_layer_gives_what_pytorchs_gives(text, maps):
    ours, theirs = pair(text, maps)
    expected = theirs(torch.from_numpy(maps)).detach().numpy()
    np.testing.assert_allclose(from_keras(ours(to_keras(maps))), expected, atol=1e-5)
    shape = ours.compute_output_shape(to_keras(maps).shape)
    assert tuple(shape) == to_keras(expected).shape


@pytest.mark.parametrize("text", SHAPES)
def test_its_gradients_are_pytorchs(text, maps):
    ours, theirs = pair(text, maps)
    inputs = keras.Input(to_keras(maps).shape[1:])
    model = keras.Model(inputs, ours(inputs))
    # A step of SGD at rate 1 takes the gradient off the weights, on any backend.
    model.compile(keras.optimizers.SGD(1.0), "mse")
    target = np.zeros(model.output_shape[1:], np.float32)
    before = [np.array(v.numpy()) for v in ours.weights]
    model.train_on_batch(to_keras(maps), np.broadcast_to(target, (4, *target.shape)))
    steps = [old - v.numpy() for old, v in zip(before, ours.weights, strict=True)]
    theirs(torch.from_numpy(maps)).square().mean().backward()
    kernel = theirs.weight.grad.permute(2, 3, 1, 0).numpy()
    np.testing.assert_allclose(steps[0], kernel, atol=1e-6)
    np.testing.assert_allclose(steps[1], theirs.bias.grad.numpy(), atol=1e-6)


def test_with_dilation_two_120_of_169_positions_hold_the_bias_alone(maps):
    ours, _ = pair("k5s2p2d2", maps)
    outputs = from_keras(ours(to_keras(maps)))
    bias = np.array(ours.weights[1].numpy())
    alone = (outputs == bias[None, :, None, None]).all(axis=(0, 1))
    assert alone.sum() == 120
    assert not alone[::2, ::2].any()


def test_the_layer_is_rebuilt_from_its_settings(maps):
    ours, _ = pair("k5s2p2d2", maps)
    again = PyTorchConv2DTranspose.from_config(ours.get_config())
    again.build(to_keras(maps).shape)
    again.set_weights(ours.get_weights())
    np.testing.assert_array_equal(
        from_keras(again(to_keras(maps))), from_keras(ours(to_keras(maps)))
    )


def test_the_layer_has_keras_own_activation_and_does_without_a_bias(maps):
    settings = {"data_format": "channels_first" if FIRST else "channels_last"}
    plain = PyTorchConv2DTranspose(3, 5, padding_size=1, use_bias=False, **settings)
    bent = PyTorchConv2DTranspose(
        3, 5, padding_size=1, use_bias=False, activation="relu", **settings
    )
    for layer in (plain, bent):
        layer.build(to_keras(maps).shape)
    bent.set_weights(plain.get_weights())
    outputs, rectified = (from_keras(layer(to_keras(maps))) for layer in (plain, bent))
    assert outputs.min() < 0
    np.testing.assert_array_equal(rectified, np.maximum(outputs, 0))


@pytest.mark.parametrize("setting", [{"padding": "same"}, {"dilation_rate": 2}])
def test_padding_of_keras_own_is_refused(setting):
    with pytest.raises(ValueError, match="padding_size and spread stand for"):
        PyTorchConv2DTranspose(3, 5, **setting)


@pytest.fixture
def dropped():
    """4 000 maps of ones, 5×5, channels first, after channel dropout 0.2."""
    layer = ChannelDropout(0.2, "channels_first" if FIRST else "channels_last")
    ones = np.ones((1000, 4, 5, 5), np.float32)
    return layer, from_keras(layer(to_keras(ones), training=True))


def test_channel_dropout_drops_maps_whole_and_scales_the_others(dropped):
    _, after = dropped
    assert (after == after[:, :, :1, :1]).all()
    np.testing.assert_allclose(np.unique(after), [0, 1 / 0.8], rtol=1e-6)
    # Four standard errors of 4 000 draws: 4 · √(0.2 · 0.8 / 4000) = 0.025.
    assert abs((after[:, :, 0, 0] == 0).mean() - 0.2) < 0.025


def test_channel_dropout_does_nothing_in_evaluation_mode(dropped, maps):
    layer, _ = dropped
    np.testing.assert_array_equal(from_keras(layer(to_keras(maps), training=False)), maps)


def test_channel_dropout_comes_back_from_its_settings(dropped):
    layer, _ = dropped
    again = ChannelDropout.from_config(layer.get_config())
    assert (again.rate, again.data_format) == (layer.rate, layer.data_format)
