"""When a trace pays: by counts of steps and operations, and never by the clock."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import outlook, steps, tracing
from keras_fmnist.fast_fit.outlook import STEPS_THAT_PAY, Outlook
from tests.helpers.three_paths import dense

FEW, MANY = STEPS_THAT_PAY[False], STEPS_THAT_PAY[True]
IS_WORTH_A_TRACE = Outlook.is_worth_a_trace  # before the fixture of the other tests replaces it


@pytest.fixture(autouse=True)
def as_it_is(monkeypatch):
    monkeypatch.setattr(Outlook, "is_worth_a_trace", IS_WORTH_A_TRACE)


@pytest.fixture
def traced(monkeypatch):
    """The kinds of steps that were traced, as often as they were."""
    kinds, trace = [], tracing.trace

    def note(model, kind, *given):
        kinds.append(kind)
        return trace(model, kind, *given)

    monkeypatch.setattr(steps.tracing, "trace", note)
    return kinds


def fit(model, count, epochs=1, **settings):
    """Epochs of `count` steps of two rows."""
    x = np.random.default_rng(0).random((2 * count, 6), dtype="float32")
    return model.fit(x, x, batch_size=2, epochs=epochs, verbose=0, **settings)


@pytest.mark.parametrize(
    ("count", "epochs", "kinds"),
    [
        (FEW - 1, 1, []),
        (FEW, 1, ["train"]),
        (FEW // 10, 9, []),
        (FEW // 10, 10, ["train"]),
    ],
)
def test_a_step_of_few_operations_is_traced_where_a_hundred_lie_ahead(traced, count, epochs, kinds):
    fit(fast_fit.accelerate(dense()), count, epochs)
    assert traced == kinds


def test_of_a_step_of_many_operations_more_must_lie_ahead(traced, monkeypatch):
    monkeypatch.setattr(outlook, "MANY_OPERATIONS", 10)
    fit(fast_fit.accelerate(dense()), MANY - 1)
    assert traced == []
    fit(fast_fit.accelerate(dense()), MANY)
    assert traced == ["train"]


def test_an_early_stop_leaves_only_its_patience_certain(traced):
    stop = keras.callbacks.EarlyStopping("loss", patience=3)
    fit(fast_fit.accelerate(dense()), FEW // 10, 20, callbacks=[stop])
    assert traced == []
    stop = keras.callbacks.EarlyStopping("loss", patience=10)
    fit(fast_fit.accelerate(dense()), FEW // 10, 20, callbacks=[stop])
    assert traced == ["train"]


def test_steps_whose_number_nobody_knows_are_traced_once_enough_were_taken(traced, monkeypatch):
    monkeypatch.setattr(outlook, "_COST", {False: 2, True: 4})  # ten times that
    model = fast_fit.accelerate(dense())
    x = np.ones((2, 6), np.float32)
    for _ in range(20):
        model.train_on_batch(x, x)
    assert traced == []
    model.train_on_batch(x, x)
    assert traced == ["train"]
    for _ in range(20):
        model.predict(x, verbose=0)
    assert traced == ["train"]
    model.predict(x, verbose=0)
    assert traced == ["train", "predict"]


def test_validation_counts_the_epochs_of_its_fit_and_an_evaluation_stands_alone(traced):
    x = np.ones((20, 6), np.float32)
    model = fast_fit.accelerate(dense())
    model.evaluate(x, x, batch_size=2, verbose=0)  # the first step counts operations
    for _ in range(3):
        model.evaluate(x, x, batch_size=2, verbose=0)
    assert traced == []
    fit(model, 2, epochs=10, validation_data=(x, x), validation_batch_size=2)
    assert traced == ["test"]


def test_at_once_is_at_once(traced):
    model = fast_fit.accelerate(dense(), at_once=True)
    x = np.ones((2, 6), np.float32)
    model.train_on_batch(x, x)
    model.predict(x, verbose=0)
    assert traced == ["train", "predict"]


def test_a_run_is_the_same_every_time_whether_steps_are_stock_or_replayed():
    def weights():
        model = fast_fit.accelerate(dense(layers.Dropout(0.5)))
        keras.utils.set_random_seed(1)
        fit(model, FEW, 2)
        return model.get_weights()

    for one, other in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loop_of_somebodys_own_says_nothing_of_what_lies_ahead():
    seen = Outlook(at_once=False)
    seen.look_ahead({"epoch": 3, "model": None})
    assert not seen.is_worth_a_trace("train")
    assert not seen.is_worth_a_trace("test")


def test_operations_are_those_of_the_first_stock_step():
    seen = Outlook(at_once=False)
    calls = []
    data = np.ones(3, np.float32)

    def step(x):
        calls.append(x)
        return keras.ops.add(keras.ops.convert_to_tensor(x), 1)

    for _ in range(2):
        assert keras.ops.convert_to_numpy(seen.take_stock("train", step, data)).tolist() == [2] * 3
    assert len(calls) == 2
    assert 1 <= seen._operations["train"] <= 5
