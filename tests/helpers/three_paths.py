"""One scenario on stock Keras and on both ways of replaying it; small nets to run it on."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from keras_fmnist import fast_fit

STOCK_SAID = "runs as stock Keras"
X = np.random.default_rng(0).random((40, 6), dtype="float32")
Y = np.random.default_rng(1).random((40, 6), dtype="float32")

REPLAYED = {
    "exact": lambda model: fast_fit.accelerate(model, exact=True),
    "fast": fast_fit.accelerate,
}


def run(scenario: Callable, path: str = "stock"):
    """`scenario(accelerate)` from the same seeds, on one path."""
    keras.utils.set_random_seed(0)
    return scenario(REPLAYED.get(path, lambda model: model))


def assert_as_stock(scenario: Callable, path: str):
    """A scenario gives on a path the numbers that it gives on stock Keras; returns them."""
    found, expected = run(scenario, path), run(scenario)
    assert_equal(found, expected)
    return found


def dense(*middle, cls=keras.Model, seed=0, **settings):
    """A functional net on six numbers; every call makes the same one."""
    keras.utils.set_random_seed(seed)
    x = vector = keras.Input((6,))
    for layer in middle:
        x = layer(x)
    model = cls(vector, layers.Dense(6, name="last")(x))
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **settings})
    return model


def fit(model, x=X, y=Y, epochs=1, **settings):
    """Epochs of two steps in the order of the data."""
    settings = {"verbose": 0, "shuffle": False, "batch_size": 20, **settings}
    return model.fit(x, y, epochs=epochs, **settings)


class At(keras.callbacks.Callback):
    """Calls `change(model)` before a step: the third one unless told otherwise."""

    def __init__(self, change: Callable, step: int = 2):
        super().__init__()
        self.change, self.step, self.taken = change, step, 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.taken == self.step:
            self.change(self.model)
        self.taken += 1


class BetweenEpochs(keras.callbacks.Callback):
    """Calls `change(model)` when the first epoch has ended."""

    def __init__(self, change: Callable):
        super().__init__()
        self.change = change

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.change(self.model)


def assert_equal(found, expected):
    found, expected = (keras.tree.flatten(values) for values in (found, expected))
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def differ(found, expected):
    pairs = zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True)
    return any(np.any(np.asarray(one) != np.asarray(other)) for one, other in pairs)


def trained_with_change(build: Callable, changed: bool = True):
    """What three epochs of two steps give: the value changes at the fourth step.

    (A change is made once more at the fifth, which for most of them changes nothing.)
    """

    def scenario(accelerate):
        model, change = build()
        accelerate(model)
        callbacks = [At(change, step=3), At(change, step=4)] if changed else []
        history = fit(model, epochs=3, callbacks=callbacks).history
        return [history, model.get_weights()]

    return scenario


paths = pytest.mark.parametrize("path", REPLAYED)
