"""First layers with their pooling as matrix products: stock Keras but for rounding."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_fmnist import fast_fit
from tests.helpers.convolutional_nets import FIRST, NETS, assert_close, image, norm, pooled, train
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


REFUSED = {
    "statistics of rows that are left out": lambda x: pooled(x, norm(), kernel=4),
    "overlapping windows": lambda x: layers.MaxPooling2D(3, 2, **FIRST)(
        layers.Conv2D(4, 3, **FIRST)(x)
    ),
    "padding": lambda x: layers.MaxPooling2D(2, **FIRST)(
        layers.Conv2D(4, 3, padding="same", **FIRST)(x)
    ),
    "another reader of the map": lambda x: _map_and_pooled(layers.Conv2D(4, 3, **FIRST)(x)),
    "a gradient of the images": lambda x: pooled(layers.Rescaling(2.0)(_scaled(x))),
}


def _map_and_pooled(x):
    return layers.Concatenate()(
        [layers.Flatten()(layers.MaxPooling2D(2, **FIRST)(x)), layers.Flatten()(x)]
    )


def _scaled(x):
    return layers.Dense(14)(x)  # trained, so that the convolution's input has a gradient


@pytest.mark.parametrize("name", NETS)
def test_one_step_and_an_evaluation_are_those_of_stock_keras(calls, name):
    build, expected = NETS[name]
    fast = train(build, "fast")
    assert set(calls) == set(expected)
    assert_close(fast, train(build, "stock"), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", ["relu", "batch norm", "two blocks, one of odd sides", "decoder"])
def test_fifty_steps_stay_with_stock_keras_within_rounding(name):
    build, _ = NETS[name]
    assert_close(train(build, "fast", 50), train(build, "stock", 50), rtol=2e-3, atol=2e-4)


def test_three_channels_are_few_inputs_too(calls):
    build, _ = NETS["batch norm"]
    fast = train(build, "fast", channels=3)
    assert "normalize_kernels" in calls
    assert_close(fast, train(build, "stock", channels=3), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_products_do_not_compute_is_left_to_torch(calls, name):
    fast = train(REFUSED[name], "fast")
    assert not {"pool_convolution_backward", "normalize_kernels"} & set(calls)
    assert_close(fast, train(REFUSED[name], "stock"), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", NETS)
def test_exact_steps_use_none_of_it_and_keep_every_bit(calls, name):
    build, _ = NETS[name]
    exact = train(build, "exact", 3)
    assert calls == []
    assert_close(exact, train(build, "stock", 3), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["relu", "batch norm"])
def test_a_frozen_layer_runs_forward_alone_and_does_not_move(calls, name):
    build, _ = NETS[name]
    fast = train(build, "fast", frozen=True)
    assert "pool_convolution_backward" not in calls
    assert "pool_convolution" in calls
    assert_close(fast, train(build, "stock", frozen=True), rtol=1e-4, atol=2e-6)


def test_dropout_in_a_model_has_its_rate():
    keras.utils.set_random_seed(0)
    x = image(side=42)
    share = layers.MaxPooling2D(1, **FIRST)
    conv = layers.Conv2D(2, 3, kernel_initializer="zeros", bias_initializer="ones", **FIRST)
    model = keras.Model(x, share(layers.Dropout(0.3)(layers.ReLU()(conv(x)))))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[_share_of_zeros, _largest])
    fast_fit.accelerate(model)
    images = np.zeros((40, 1, 42, 42), "float32")
    targets = np.zeros((40, 2, 40, 40), "float32")
    history = model.fit(images, targets, batch_size=20, verbose=0).history
    count = 40 * 2 * 40 * 40
    assert history["_share_of_zeros"][0] == pytest.approx(0.3, abs=4.5 * np.sqrt(0.21 / count))
    assert history["_largest"][0] == pytest.approx(1 / 0.7)


def _share_of_zeros(y_true, y_pred):
    return keras.ops.mean(keras.ops.cast(y_pred == 0, "float32"))


def _largest(y_true, y_pred):
    return keras.ops.max(y_pred)
