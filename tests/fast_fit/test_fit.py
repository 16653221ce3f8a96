"""A replayed fit in the hands of callbacks, histories and files is as one of stock Keras."""

import threading
import warnings

import keras
import numpy as np
import pytest

from tests.helpers.stock_and_replayed import (
    IMAGES,
    LABELS,
    PATHS,
    STRICT,
    assert_both_paths_agree,
    assert_same,
    build_autoencoder,
    build_classifier,
    fit,
    state,
)

CALLBACKS = {
    "early stopping": lambda: keras.callbacks.EarlyStopping(
        "loss", min_delta=1.0, patience=2, restore_best_weights=True
    ),
    "scheduled rate": lambda: keras.callbacks.LearningRateScheduler(
        lambda epoch: 0.1 / (epoch + 1)
    ),
    "rate on plateau": lambda: keras.callbacks.ReduceLROnPlateau("loss", 0.1, 1, min_delta=1.0),
}

pytestmark = STRICT


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_acts_at_the_same_epoch_with_the_same_effect(name):
    def scenario(path):
        model = build_autoencoder(path=path)
        history = fit(model, epochs=5, callbacks=[CALLBACKS[name]()])
        assert len(history.epoch) == (3 if name == "early stopping" else 5)
        return model, history.history

    assert_both_paths_agree(scenario)


@pytest.mark.parametrize("path", PATHS)
def test_a_loss_that_is_not_a_number_stops_training_at_that_batch(path):
    images = IMAGES.copy()
    images[20] = np.nan
    seen = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: losses.append(logs))
    losses = []
    model = build_autoencoder(path=path)
    fit(model, images, images, callbacks=[seen, keras.callbacks.TerminateOnNaN()], shuffle=False)
    assert [bool(np.isnan(logs["loss"])) for logs in losses] == [False, True]


@pytest.mark.parametrize("path", PATHS)
def test_history_counts_epochs_from_the_initial_one(path):
    history = fit(build_autoencoder(path=path), epochs=5, initial_epoch=3)
    assert history.epoch == [3, 4]
    assert len(history.history["loss"]) == 2


@pytest.mark.parametrize("path", PATHS)
def test_the_loss_of_an_epoch_weighs_each_example_once(path):
    model = build_autoencoder(keras.optimizers.SGD(0.0), path, rate=0.0)
    told = fit(model, epochs=1).history["loss"][0]
    exact = np.mean((model.predict(IMAGES, verbose=0) - IMAGES) ** 2)
    assert told == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("path", PATHS)
def test_the_progress_line_shows_loss_and_validation(path, capsys):
    fit(build_autoencoder(path=path), verbose=2, epochs=1, validation_split=0.25)
    printed = capsys.readouterr().out
    assert "loss: " in printed
    assert "val_loss: " in printed


def test_a_saved_model_loads_as_plain_keras_and_goes_on_as_if_never_replayed(tmp_path):
    model = build_autoencoder(path="replayed")
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert "make_train_function" not in vars(loaded)
    assert_same(state(model), state(loaded))
    fit(model)
    fit(loaded)
    assert_same(state(model), state(loaded))


def test_nothing_is_warned_by_a_plain_replayed_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(build_classifier("replayed"), IMAGES, LABELS, validation_data=(IMAGES, LABELS))


class NoteThread(keras.callbacks.Callback):
    async_safe = True

    def __init__(self):
        super().__init__()
        self.threads = []

    def on_train_batch_end(self, batch, logs=None):
        self.threads.append(threading.current_thread())

    def on_test_batch_end(self, batch, logs=None):
        self.threads.append(threading.current_thread())


@pytest.mark.parametrize("call", ["fit", "evaluate"])
def test_on_a_cpu_callbacks_of_a_batch_run_between_the_steps(call):
    noted = {}
    for path in PATHS:
        model, callback = build_autoencoder(path=path), NoteThread()
        getattr(model, call)(IMAGES, IMAGES, verbose=0, callbacks=[callback])
        noted[path] = {thread is threading.main_thread() for thread in callback.threads}
    assert noted == {path: {path != "stock"} for path in PATHS}
