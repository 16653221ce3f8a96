"""Batch norm by torch's kernel, and Keras's own where the kernel does not do it."""

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import runnable
from tests.helpers.stock_and_replayed import STRICT, assert_same, state


# -- batch norm -----------------------------------------------------------------------------------
def train_norm(exact, axis=1, frozen=False, **settings):
    """Weights, moving statistics among them, of a net with one batch norm after five steps."""
    keras.utils.set_random_seed(5)
    image = keras.Input((3, 6, 4))
    norm = layers.BatchNormalization(axis=axis, epsilon=1e-3, momentum=0.8, **settings)
    norm.trainable = not frozen
    x = norm(layers.Conv2D(3, 3, padding="same", data_format="channels_first")(image))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), "mse")
    rng = np.random.default_rng(6)
    data = 3 + 2 * rng.random((40, 3, 6, 4), "float32"), rng.random((40, 2), "float32")
    fast_fit.accelerate(model, exact=exact).fit(*data, batch_size=8, shuffle=False, verbose=0)
    assert "call" not in vars(norm)
    return state(model)


pytestmark = STRICT


@pytest.fixture
def kernel_calls(monkeypatch):
    calls, kernel = [], torch.native_batch_norm
    monkeypatch.setattr(torch, "native_batch_norm", lambda *a: calls.append(a) or kernel(*a))
    return calls


@pytest.mark.parametrize("settings", [{}, {"scale": False}, {"center": False}, {"axis": -1}])
def test_batch_norm_by_torchs_kernel_is_keras_own_but_for_rounding(kernel_calls, settings):
    keras_own = train_norm(True, **settings)
    assert kernel_calls == []
    fused = train_norm(False, **settings)
    assert len(kernel_calls) == 1  # while it was traced
    for (name, a), (_, b) in zip(keras_own, fused, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5, err_msg=name)
    assert any(np.abs(a - b).max() > 0 for (_, a), (_, b) in zip(keras_own, fused, strict=True))


@pytest.mark.parametrize("settings", [{"axis": 2}, {"frozen": True}, {"renorm": True}])
def test_batch_norm_that_the_kernel_does_not_do_is_keras_own_bit_for_bit(
    kernel_calls, monkeypatch, settings
):
    monkeypatch.setattr(runnable, "_rearrange", lambda *_: None)  # it would round otherwise
    assert_same(train_norm(True, **settings), train_norm(False, **settings))
    assert kernel_calls == []
