"""What a trace takes for granted: where it changes, the next step is Keras's own again."""

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import tracing

STOCK_SAID = "runs as stock Keras"
pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")
X = np.random.default_rng(0).random((40, 6), dtype="float32")
Y = np.random.default_rng(1).random((40, 6), dtype="float32")


def dense(*middle, optimizer=None):
    """A functional net on six numbers; every call makes the same one."""
    keras.utils.set_random_seed(0)
    x = vector = keras.Input((6,))
    for layer in middle:
        x = layer(x)
    model = keras.Model(vector, layers.Dense(6, name="last")(x))
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse")
    return model


def fit(model, epochs=2, **settings):
    model.fit(X, Y, epochs=epochs, verbose=0, shuffle=False, batch_size=20, **settings)


def normalizing():
    normalization = layers.Normalization(name="normalization")
    normalization.adapt(X)
    return dense(normalization)


def adapt(model, tmp_path):
    model.get_layer("normalization").adapt(10 * X + 3)


def load_weights(model, tmp_path):
    other = normalizing()
    adapt(other, tmp_path)
    other.save_weights(tmp_path / "other.weights.h5")
    model.load_weights(tmp_path / "other.weights.h5")


def activate(model, tmp_path):
    model.get_layer("last").activation = keras.activations.tanh


def penalise(model, tmp_path):
    model.get_layer("hidden").kernel_regularizer.l2 = 1.0


def replace_optimizer(model, tmp_path):
    model.optimizer = keras.optimizers.SGD(0.5)


def replace_array(model, tmp_path):
    model.get_layer("scale").factors = np.full(6, 3, "float32")


class Scale(layers.Layer):
    factors = None

    def __init__(self):
        super().__init__(name="scale")
        self.factors = np.full(6, 2, "float32")

    def call(self, x):
        return x * keras.ops.convert_to_tensor(self.factors)


def penalised():
    return dense(layers.Dense(5, kernel_regularizer=keras.regularizers.L2(0.0), name="hidden"))


def unchanged(model):
    return model


def exactly(model):
    return fast_fit.accelerate(model, exact=True)


CHANGES = {
    "adapted normalization": (normalizing, adapt),
    "loaded normalization": (normalizing, load_weights),
    "activation": (dense, activate),
    "regularizer": (penalised, penalise),
    "optimizer": (dense, replace_optimizer),
    "array of a layer": (lambda: dense(Scale()), replace_array),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_layer_or_the_optimizer_holds_may_be_replaced_between_two_fits(name, tmp_path):
    build, change = CHANGES[name]

    def told(accelerate, change):
        model = accelerate(build())
        fit(model)
        model.predict(X, verbose=0)
        change(model, tmp_path)
        at_once = model.predict(X, verbose=0)
        fit(model)
        return [at_once, model.predict(X, verbose=0)]

    stock, replayed = told(unchanged, change), told(exactly, change)
    for expected, found in zip(stock, replayed, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (stock[1] != told(unchanged, lambda *_: None)[1]).any()


def test_a_layer_taken_off_a_sequence_is_gone_from_the_replay():
    model = exactly(keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.Dense(4)]))
    assert model.predict(X, verbose=0).shape == (40, 4)
    model.pop()
    assert model.predict(X, verbose=0).shape == (40, 5)


def test_a_target_that_was_the_input_may_be_another_tensor_at_the_next_batch():
    x, y = torch.from_numpy(X), torch.from_numpy(Y)

    def losses(accelerate):
        model = accelerate(dense())
        steps = (model.train_on_batch, model.test_on_batch)
        return [float(step(x, target)) for target in (x, y, x) for step in steps]

    stock = losses(unchanged)
    assert losses(exactly) == stock
    assert len(set(stock)) == 6


def test_one_shape_is_traced_once_whatever_runs_in_between(monkeypatch):
    kinds = []

    def counted(model, kind, *rest, trace=tracing.trace):
        kinds.append(kind)
        return trace(model, kind, *rest)

    monkeypatch.setattr(tracing, "trace", counted)
    model = exactly(dense(layers.Dropout(0.2)))
    for _ in range(3):
        fit(model, validation_data=(X, Y), callbacks=[keras.callbacks.EarlyStopping(patience=9)])
        model.evaluate(X, Y, batch_size=20, verbose=0)
        model.predict(X, batch_size=20, verbose=0)
    assert sorted(kinds) == ["predict", "test", "train"]


def test_an_optimizer_that_reads_what_it_has_overwritten_is_replayed_as_it_is():
    def trained(accelerate):
        model = accelerate(dense(optimizer=keras.optimizers.ScheduleFreeAdamW()))
        fit(model)
        return model.get_weights()

    for expected, found in zip(trained(unchanged), trained(exactly), strict=True):
        np.testing.assert_array_equal(found, expected)
