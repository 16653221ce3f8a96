"""Nets as the live page runs them: their operations, and their weights as 16-bit floats."""

import base64

import numpy as np
import pytest

from experiments.assumptions import FIRST_DEFAULT
from experiments.manolucos import WIDE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.reporting.page import nets
from keras_fmnist.specs import override


def value_of(store, name):
    entry = store.entries[name]
    return np.frombuffer(base64.b64decode(entry["data"]), entry["type"]).reshape(entry["shape"])


def test_a_batch_norm_is_folded_into_its_convolution():
    rng = np.random.default_rng(0)
    arrays = {
        "encoder/conv1/kernel": rng.normal(size=(3, 3, 1, 4)),
        "encoder/conv1/bias": rng.normal(size=4),
        **{f"encoder/bn1/{name}": rng.normal(size=4) for name in ("gamma", "beta", "moving_mean")},
        "encoder/bn1/moving_variance": rng.uniform(0.5, 2, 4),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    kernel, bias = nets._folded(arrays, 1, batchnorm=True)
    window = rng.normal(size=(3, 3, 1))
    plain = np.einsum("ijc,ijco->o", window, arrays["encoder/conv1/kernel"])
    plain += arrays["encoder/conv1/bias"]
    gamma, beta, mean, variance = (
        arrays[f"encoder/bn1/{name}"]
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    expected = gamma * (plain - mean) / np.sqrt(variance + 1e-5) + beta
    folded = np.einsum("ijc,ijco->o", window, kernel) + bias
    np.testing.assert_allclose(folded, expected, rtol=1e-4)


def test_a_number_that_16_bits_do_not_hold_is_refused():
    store = nets.Store()
    name = store.add(np.array([1.5, -65504], np.float32))
    assert value_of(store, name).tolist() == [1.5, -65504]
    for value in (70_000, np.inf, np.nan):
        with pytest.raises(ValueError, match="does not fit into 16 bits"):
            store.add(np.array([value], np.float32))


def steps_of(spec, arrays):
    return [step["op"] for step in nets.encoder(spec, arrays, nets.Store(), spec.dropout)]


@pytest.mark.parametrize(
    ("place", "inner"),
    [
        ("before_pooling", ["dropout", "max_pool"]),
        ("after_pooling", ["max_pool", "dropout"]),
        ("both", ["dropout", "max_pool", "dropout"]),
    ],
)
def test_dropout_stands_where_the_spec_has_it(place, inner):
    spec = override(BASE, {"dropout_at": place})
    arrays = {
        f"encoder/{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("conv1", "conv2", "latent")
        for part in ("kernel", "bias")
    }
    block = ["conv", "relu", *inner]
    assert steps_of(spec, arrays) == [*block, *block, "flatten", "dense", "relu", "dropout"]


def test_a_code_without_its_relu_is_dropped_as_it_is():
    arrays = {
        f"encoder/{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("conv1", "conv2", "latent")
        for part in ("kernel", "bias")
    }
    steps = steps_of(override(BASE, {"code_relu": False}), arrays)
    assert steps[-3:] == ["flatten", "dense", "dropout"]


def test_a_classifier_without_dropout_in_its_encoder_drops_nothing():
    spec = override(CLASSIFIER_FULL, {"encoder_dropout": False, "relu_logits": False})
    arrays = {
        f"{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("encoder/conv1", "encoder/conv2", "encoder/latent", "logits")
        for part in ("kernel", "bias")
    }
    steps = nets.classifier(spec, arrays, nets.Store())
    assert {step["rate"] for step in steps if step["op"] == "dropout"} == {0}
    assert steps[-1]["op"] == "dense"


def test_a_dilated_layer_is_a_dense_one_that_is_cropped_and_spread():
    arrays = {
        f"decoder/{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("deconv1", "deconv2")
        for part in ("kernel", "bias")
    }
    decoder = nets.decoder(FIRST_DEFAULT[WIDE], arrays, nets.Store())
    unflatten, first, relu, second, *last = decoder
    assert unflatten == {"op": "unflatten", "shape": [96, 5, 5]}
    assert {k: first[k] for k in ("stride", "crop", "spread", "output_padding")} == {
        **{"stride": 1, "crop": 1, "spread": 2, "output_padding": 0}
    }
    assert [step["op"] for step in (relu, second, *last)] == [
        "relu",
        "deconv",
        "tanh",
        "from_signed",
    ]


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({}, ["relu", "deconv", "sigmoid"]),
        ({"between": "nothing"}, ["deconv", "sigmoid"]),
        ({"output": "linear"}, ["relu", "deconv"]),
        ({"pixels": "signed"}, ["relu", "deconv", "tanh", "from_signed"]),
        ({"pixels": "signed", "output": "linear"}, ["relu", "deconv", "from_signed"]),
    ],
)
def test_a_decoder_ends_as_its_spec_says(changes, last):
    arrays = {
        f"decoder/{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("hidden", "deconv1", "deconv2")
        for part in ("kernel", "bias")
    }
    steps = nets.decoder(override(BASE, changes), arrays, nets.Store())
    assert [step["op"] for step in steps] == ["dense", "relu", "unflatten", "deconv", *last]
