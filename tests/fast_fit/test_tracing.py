"""Tracing: what cannot be replayed runs as stock Keras and says so once."""

import gc
import warnings

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import steps
from tests.helpers.stock_and_replayed import BATCH, IMAGES, STRICT, build_autoencoder, fit, on_path


def test_tensors_reach_the_replay_without_a_copy(monkeypatch):
    seen = []

    class Batches(keras.utils.PyDataset):
        tensor = torch.tensor(IMAGES[:BATCH])

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return self.tensor, self.tensor

    class Recorder:
        def is_stale(self):
            return False

        def reason_for_stock(self):
            return None

        def __call__(self, leaves):
            seen.extend(leaf.data_ptr() for leaf in leaves if leaf is not None)
            return {"loss": torch.zeros(())}

    monkeypatch.setattr(steps.tracing, "trace", lambda *_: Recorder())
    fit(build_autoencoder(path="replayed"), Batches(), batch_size=None, epochs=1)
    assert seen == [Batches.tensor.data_ptr()] * 2


pytestmark = STRICT


def test_a_trace_keeps_no_activation_alive():
    model = build_autoencoder(path="replayed")
    fit(model, epochs=1)
    gc.collect()
    activation = BATCH * 4 * 10 * 10
    tensors = [t for t in gc.get_objects() if type(t) in (torch.Tensor, torch.nn.Parameter)]
    assert len(tensors) > 20
    assert not [t.shape for t in tensors if t.numel() >= activation and len(t) == BATCH]


# -- where a replay would be wrong ----------------------------------------------------------------
class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)


class Counter(layers.Layer):
    calls = 0

    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return x * self.calls


class Torch(layers.Layer):
    def __init__(self):
        super().__init__()
        self.module = torch.nn.BatchNorm1d(3)

    def call(self, x):
        return self.module(x)


def dense_model(*middle, cls=keras.Model, **settings):
    vector = keras.Input((3,))
    x = vector
    for layer in middle:
        x = layer(x)
    model = cls(vector, layers.Dense(1)(x))
    model.compile(**{"optimizer": "adam", "loss": "mse", **settings})
    return model


def subclassed_model():
    model = Subclassed()
    model.compile("adam", "mse")
    return model


ADAM = keras.optimizers.Adam


ANEW = "Keras seeds the generator of a layer anew at every step"
VALUE = "its Python depends on a value that a step computes"


UNTRACEABLE = {
    "run_eagerly": (lambda: dense_model(run_eagerly=True), "run_eagerly"),
    "own step": (lambda: dense_model(cls=OwnStep), "train_step of its own"),
    "subclass": (subclassed_model, "not functional"),
    "python state": (lambda: dense_model(Counter()), "a call changes calls"),
    "torch module": (lambda: dense_model(Torch()), "outside Keras variables"),
    "seeded dropout": (lambda: dense_model(layers.Dropout(0.5, seed=1)), ANEW),
    "noise": (lambda: dense_model(layers.GaussianNoise(0.5)), ANEW),
    "accumulation": (lambda: dense_model(optimizer=ADAM(gradient_accumulation_steps=2)), VALUE),
    "loss scale": (
        lambda: dense_model(optimizer=keras.optimizers.LossScaleOptimizer(ADAM())),
        VALUE,
    ),
    "numpy in an optimizer": (lambda: dense_model(optimizer=keras.optimizers.Nadam()), "numpy"),
    "rate function": (lambda: dense_model(optimizer=ADAM(lambda: 1e-2)), "learning rate"),
}


@pytest.mark.parametrize("name", UNTRACEABLE)
def test_what_can_not_be_replayed_says_so_once_and_trains_as_stock(name):
    build, reason = UNTRACEABLE[name]
    x, y = IMAGES[:, :3, 0, 0], IMAGES[:, :1, 1, 0]

    def train(path):
        keras.utils.set_random_seed(0)
        model = on_path(build(), path)
        return model, model.fit(x, y, epochs=2, batch_size=BATCH, verbose=0).history

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        replayed, history = train("replayed")
    warned = [str(w.message) for w in told if "train step runs as stock Keras" in str(w.message)]
    assert len(warned) == 1
    assert reason in warned[0]
    stock, expected = train("stock")
    assert history == expected
    for a, b in zip(stock.get_weights(), replayed.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_wrong_batch_raises_what_keras_says_and_the_next_fit_is_replayed():
    model = build_autoencoder(path="replayed")
    fit(model, epochs=1)
    with pytest.raises(ValueError, match="shape"):
        fit(model, IMAGES[:, :5], IMAGES, epochs=1)
    fit(model, epochs=1)


def test_settings_that_change_at_every_batch_end_the_tracing(monkeypatch):
    monkeypatch.setattr(steps, "_MOST_TRACES", 3)

    class Anneal(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.layers[1].rate = 0.1 + batch / 1000

    model = dense_model(layers.Dropout(0.1))
    fast_fit.accelerate(model)
    with pytest.warns(UserWarning, match="changed 3 times"):
        model.fit(
            *(IMAGES[:10, :3, 0, 0], IMAGES[:10, :1, 1, 0]),
            **{"batch_size": 1, "callbacks": [Anneal()], "verbose": 0},
        )
    assert int(model.optimizer.iterations) == 10


@pytest.mark.parametrize("exact", [False, True])
def test_a_model_whose_call_was_replaced_runs_as_stock(exact):
    model = dense_model()
    inner, data = model.call, IMAGES[:, :3, 0, 0]
    model.call = lambda *args, **kwargs: 2 * inner(*args, **kwargs)
    expected = model.predict(data, verbose=0)
    fast_fit.accelerate(model, exact=exact)
    with pytest.warns(UserWarning, match="not functional"):
        found = model.predict(data, verbose=0)
    assert np.array_equal(found, expected)
