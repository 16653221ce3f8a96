"""Adam by torch's fused kernel: the updates of stock Keras but for rounding."""

import keras
import numpy as np
import pytest

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import adam
from keras_fmnist.training.optimizers import PyTorchAdam
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT

FUSED = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adam as PyTorch has it": lambda: PyTorchAdam(0.01),
    "other decays": lambda: keras.optimizers.Adam(0.01, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "weight decay": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "clipped gradients": lambda: keras.optimizers.Adam(0.01, clipnorm=0.1),
    "a schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)
    ),
}
LEFT_ALONE = {
    "amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "adamax": lambda: keras.optimizers.Adamax(0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "sgd with momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
}


@pytest.fixture
def fused(monkeypatch):
    """One entry for each update that the fused kernel has taken."""
    taken = []
    kernel = adam.torch._fused_adam_

    def count(*args, **settings):
        taken.append(settings["lr"])
        return kernel(*args, **settings)

    monkeypatch.setattr(adam.torch, "_fused_adam_", count)
    return taken


def train(build, path, steps):
    """Weights and the optimizer's state after so many steps of 8 examples."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(40, "relu"), keras.layers.Dense(2)]
    )
    model.compile(build(), "mse")
    if path != "stock":
        fast_fit.accelerate(model, exact=path == "exact")
    data = np.random.default_rng(1)
    x, y = data.random((8 * steps, 6), "float32"), data.random((8 * steps, 2), "float32")
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("steps", [1, 30])
def test_fused_updates_are_those_of_stock_keras_within_rounding(fused, name, steps):
    fast = train(FUSED[name], "fast", steps)
    assert len(fused) == steps + 1  # one more on copies, where the step is traced
    for ours, stock in zip(fast, train(FUSED[name], "stock", steps), strict=True):
        np.testing.assert_allclose(ours, stock, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_other_updates_stay_as_keras_has_them(fused, name):
    fast = train(LEFT_ALONE[name], "fast", 3)
    assert fused == []
    for ours, stock in zip(fast, train(LEFT_ALONE[name], "stock", 3), strict=True):
        np.testing.assert_array_equal(ours, stock)


def test_exact_steps_keep_keras_s_own_update(fused):
    exact = train(FUSED["adam"], "exact", 3)
    assert fused == []
    for ours, stock in zip(exact, train(FUSED["adam"], "stock", 3), strict=True):
        np.testing.assert_array_equal(ours, stock)
