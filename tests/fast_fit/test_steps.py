"""Several threads at once, and batches of ever new sizes."""

import threading
import warnings

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist.fast_fit import steps, tracing
from tests.helpers.three_paths import REPLAYED, STOCK_SAID, X, Y, dense, fit, paths

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")


@pytest.fixture
def traces(monkeypatch):
    """What was traced: (kind, number of examples)."""
    found = []

    def counted(model, kind, batch, *rest, trace=tracing.trace):
        found.append((kind, len(keras.tree.flatten(batch)[0])))
        return trace(model, kind, batch, *rest)

    monkeypatch.setattr(tracing, "trace", counted)
    return found


def in_threads(count, work):
    """`work(number)` in threads that begin at once; the errors of all."""
    errors, barrier = [], threading.Barrier(count)

    def run(number):
        barrier.wait()
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@paths
def test_threads_that_predict_at_once_share_one_trace(path, traces):
    norm = layers.BatchNormalization()
    model = REPLAYED[path](dense(layers.Dense(6), norm, layers.Dropout(0.5)))
    expected = model(X).detach().numpy()
    found = {}

    def work(number):
        for _ in range(3):
            found[number] = model.predict_on_batch(X)

    assert in_threads(6, work) == []
    assert traces == [("predict", len(X))]
    assert len(found) == 6
    for predicted in found.values():
        np.testing.assert_allclose(predicted, expected, rtol=1e-6, atol=1e-7)
    assert "call" not in vars(norm)


def test_a_thread_that_predicts_with_a_layer_of_a_model_being_traced_gets_its_values():
    norm = layers.BatchNormalization(axis=1)
    vector = keras.Input((3, 4))
    inner = keras.Model(vector, norm(vector))
    outer = keras.Model(vector, layers.Dense(2)(layers.Flatten()(inner.output)))
    outer.compile("sgd", "mse")
    x = np.random.default_rng(0).random((8, 3, 4), dtype="float32")
    outer.train_on_batch(x, np.zeros((8, 2)))  # builds its loss, metrics and optimizer
    before = norm.moving_mean.numpy().copy()
    expected = inner(x, training=False).detach().numpy()

    def work(number):
        if number == 0:
            batch = torch.tensor(x), torch.zeros(8, 2)
            for _ in range(3):
                tracing.trace(outer, "train", batch, exact=False, inductor=False)
        else:
            for _ in range(50):
                found = inner(x, training=False)
                np.testing.assert_array_equal(found.detach(), expected)

    assert in_threads(3, work) == []
    assert "call" not in vars(norm)
    np.testing.assert_array_equal(norm.moving_mean, before)


@paths
def test_sizes_that_come_once_are_not_traced_and_end_nothing(path, traces):
    model = REPLAYED[path](dense(layers.Dense(5)))
    for size in range(1, 40):
        expected = model(X[:size]).detach().numpy()
        np.testing.assert_allclose(model.predict_on_batch(X[:size]), expected, rtol=1e-6)
    assert traces == [("predict", size) for size in (1, 2, 3, 4)]
    model.predict_on_batch(X[:30])
    model.predict_on_batch(X[:30])
    assert traces[4:] == [("predict", 30)]


def test_more_shapes_than_are_kept_run_as_stock_beside_those_that_are(traces, monkeypatch):
    monkeypatch.setattr(steps, "_MOST_TRACES", 3)
    model = REPLAYED["fast"](dense())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for size in (20, 19, 18, 17, 16) * 2:
            model.train_on_batch(X[:size], Y[:size])
    said = [str(w.message) for w in told if STOCK_SAID in str(w.message)]
    assert len(said) == 1
    assert "while more than 3 shapes" in said[0]
    assert traces == [("train", 20), ("train", 19), ("train", 18)]
    assert int(model.optimizer.iterations) == 10


def test_every_batch_of_a_first_epoch_is_replayed_the_last_partial_one_too(traces):
    model = REPLAYED["fast"](dense(layers.Dropout(0.5)))
    fit(model, batch_size=16)
    assert traces == [("train", 16), ("train", 8)]


def test_settings_may_change_now_and_then_for_ever(traces, monkeypatch):
    monkeypatch.setattr(steps, "_MOST_TRACES", 2)
    monkeypatch.setattr(steps, "_STEPS_PER_TRACE", 3)
    layer = layers.Dropout(0.1)
    model = REPLAYED["fast"](dense(layer))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(6):
            layer.rate = 0.1 + number / 100
            fit(model, epochs=2)
    assert len(traces) == 6
