"""Around fit: batches in a known order, the curves, the stop on a loss that is no number."""

import io
import math
import re
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_fmnist.data.batches import Batches
from keras_fmnist.seeds import permutation
from keras_fmnist.training import callbacks


@pytest.fixture
def batches(dataset):
    return Batches(dataset.train_images, dataset.train_labels, 90, seed=5)


class Still(keras.layers.Layer):
    """A net of one weight that never moves: its output is `weight`, whatever comes in."""

    def __init__(self, weight=0.5):
        super().__init__()
        self.w = self.add_weight(shape=(1,), initializer=keras.initializers.Constant(weight))

    def call(self, images):
        return keras.ops.zeros_like(images) + self.w


def still_model(weight=0.5):
    images = keras.Input((28, 28, 1))
    model = keras.Model(images, Still(weight)(images))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


def test_the_training_curve_is_the_evaluation_of_every_training_image(dataset):
    images = dataset.train_images
    running = Batches(images, None, 90, seed=0)
    curve = callbacks.TrainingCurve(Batches(images, None, 90))
    history = still_model().fit(running, epochs=2, verbose=0, callbacks=[curve]).history
    expected = ((images / 255 - 0.5) ** 2).mean()
    assert history["train_eval_loss"] == pytest.approx([expected] * 2, rel=1e-5)
    assert list(history) == ["loss", "train_eval_loss"]


def test_a_loss_that_is_no_number_stops_at_its_step_and_says_which(dataset):
    running = Batches(dataset.train_images, None, 90, seed=0)
    model = still_model()

    class Poison(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if (self.epoch, batch) == (1, 2):
                model.set_weights([np.full(1, np.nan)])

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    stop = callbacks.StopOnNonFinite(running)
    with pytest.raises(callbacks.DivergedError) as error:
        model.fit(running, epochs=4, verbose=0, callbacks=[Poison(), stop])
    assert str(error.value) == (
        "the loss became nan at step 3 of epoch 2: a smaller learning_rate may help"
    )


def test_an_infinite_loss_stops_too(batches):
    stop = callbacks.StopOnNonFinite(batches)
    stop.on_epoch_begin(0)
    stop.on_train_batch_end(0, {"loss": 1e30})
    with pytest.raises(callbacks.DivergedError, match="became inf at step 2 of epoch 1"):
        stop.on_train_batch_end(1, {"loss": math.inf})


def test_every_epoch_has_its_order_and_its_dropout(batches, monkeypatch):
    seeded = []
    monkeypatch.setattr(callbacks, "seed_dropout", lambda *given: seeded.append(given))
    callback = callbacks.SeedEachEpoch(batches, 5)
    callback.set_model("model")
    for epoch in (4, 1):
        callback.on_epoch_begin(epoch)
        assert batches.order.tolist() == permutation(5, epoch, 190).tolist()
    assert seeded == [("model", 5, 4), ("model", 5, 1)]


def follow(progress):
    """What `fit` tells a callback in two epochs of three steps."""
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for step in range(3):
            progress.on_train_batch_end(step, {"loss": 0.5})
        progress.on_epoch_end(epoch, {"loss": 0.25, "val_loss": 0.125})
    progress.bar.close()


def test_progress_is_silent_where_stderr_is_no_terminal(capfd):
    follow(callbacks.Progress("house/base seed 0", 2, 3))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("shell", "shows"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel="ipykernel"), True)],
    ids=["no IPython shell", "IPython in a terminal", "a notebook"],
)
def test_progress_shows_its_bar_in_a_notebook_which_is_no_terminal(monkeypatch, shell, shows):
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    bar = callbacks.Progress("base", 1, 10).bar
    assert bar.disable is not shows
    bar.close()


def test_progress_shows_steps_epochs_and_losses_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    follow(callbacks.Progress("house/base seed 0", 2, 3))
    last = re.split(r"[\r\n]+", screen.getvalue().strip())[-1]
    assert last.startswith("house/base seed 0: 100%")
    assert "6/6" in last
    assert "loss 0.2500, val_loss 0.1250" in last


def test_progress_of_a_resumed_run_begins_where_the_run_was():
    progress = callbacks.Progress("house/base seed 0", 2, 3, done=4)
    assert (progress.bar.n, progress.bar.total) == (4, 6)


def test_how_long_a_run_takes_is_said_once_from_its_first_steps(monkeypatch, capfd):
    clock = Clock()
    monkeypatch.setattr(callbacks.time, "perf_counter", clock.perf_counter)
    progress = callbacks.Progress("house/base seed 0", 15, 600, done=240)
    for step in range(200):
        progress.on_train_batch_begin(step)
        clock.now += 5.0 if step < 20 else 0.1  # the first trace and compile
        progress.on_train_batch_end(step)
    # 600 steps of 0.1 s and a sixth more for the evaluations; 14.5 epochs are left.
    assert capfd.readouterr().err == (
        "house/base seed 0: about 17 min on this machine; --epochs 1 (make run EPOCHS=1) "
        "about 70 s\n"
    )


class Clock:
    """Seconds that pass only when told."""

    now = 1000.0

    def perf_counter(self):
        return self.now

    def process_time(self):
        """Two processors work, and have since long before."""
        return 2 * self.now


def test_a_stopwatch_adds_up_the_parts_of_a_resumed_run(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(callbacks.time, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(callbacks.time, "process_time", clock.process_time)
    first = callbacks.Stopwatch()
    clock.now += 2
    first.on_epoch_end(0)
    clock.now += 3
    state = first.state
    taken = {"total": 5, "cpu": 10, "per_epoch": [2], "epoch": 3}
    assert state == {"started": first.started, **taken}
    clock.now += 100  # killed, and resumed later
    second = callbacks.Stopwatch()
    second.state = {**state, "started": "2025-01-01T00:00:00+00:00"}
    clock.now += 4
    second.on_epoch_end(1)
    assert second.per_epoch == [2, 7]
    assert (second.state["total"], second.state["cpu"]) == (9, 18)
    assert second.started == "2025-01-01T00:00:00+00:00"
