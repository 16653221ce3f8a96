"""Generators that a step draws from, and what it leaves behind for others to read."""

import itertools
import random
import threading
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.helpers.three_paths import (
    REPLAYED,
    STOCK_SAID,
    X,
    Y,
    assert_as_stock,
    assert_equal,
    dense,
    fit,
    paths,
    run,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")


class Noise(layers.Layer):
    """Multiplies by a number that `draw` gives, of a generator that a test may hide anywhere."""

    def __init__(self, draw, held=None):
        super().__init__()
        self.draw, self.held = draw, held

    def call(self, x):
        return x * float(self.draw())


def numpy_generator():
    generator = np.random.default_rng(5)
    return Noise(generator.random)


def numpy_generator_in_a_list():
    held = [np.random.default_rng(5)]
    return Noise(lambda: held[0].normal())


def numpy_random_state():
    return Noise(np.random.RandomState(5).rand)


def python_generator():
    generator = random.Random(5)
    return Noise(lambda: generator.gauss(1, 0.1))


DRAWING = [numpy_generator, numpy_generator_in_a_list, numpy_random_state, python_generator]


def assert_runs_as_stock(scenario, path, reason):
    """Every number is stock Keras's, and the reason is told once for each kind of step."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = run(scenario, path)
    said = [str(w.message) for w in told if STOCK_SAID in str(w.message)]
    assert said
    assert all(reason in text for text in said), said
    assert_equal(found, run(scenario))


@paths
@pytest.mark.parametrize("build", DRAWING, ids=[build.__name__ for build in DRAWING])
def test_a_layer_that_holds_a_generator_draws_at_every_step(build, path):
    def trained(accelerate):
        model = accelerate(dense(build()))
        return [fit(model, epochs=2).history, model.get_weights()]

    assert_runs_as_stock(trained, path, "draws random numbers")


@paths
def test_an_iterator_that_nobody_can_rewind_is_noticed(path):
    def trained(accelerate):
        numbers = itertools.count(1)
        model = accelerate(dense(Noise(lambda: next(numbers))))
        fit(model)

    with pytest.warns(UserWarning, match="does something else at every call"):
        run(trained, path)


class DrawingBatches(keras.utils.PyDataset):
    """Batches with noise of the module `numpy.random`, drawn by workers."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.drawn = []

    def __len__(self):
        return 40

    def __getitem__(self, index):
        noise = np.random.standard_normal(6), [random.random()]
        self.drawn.append(tuple(np.concatenate(noise)))
        return X[:4] + noise[0].astype("float32"), Y[:4]


@paths
def test_the_draws_of_workers_are_theirs_and_are_not_repeated(path):
    model = REPLAYED[path](dense())
    batches = DrawingBatches(workers=2, max_queue_size=8)
    model.fit(batches, epochs=2, verbose=0)  # a warning would be an error
    assert len(set(batches.drawn)) == len(batches.drawn) >= 80


def test_the_draws_of_a_thread_that_runs_beside_the_trace_are_left_alone():
    drawn, stop = [], threading.Event()

    def draw():
        while not stop.is_set():
            drawn.append((np.random.random(), random.random()))
            stop.wait(1e-4)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        fit(REPLAYED["fast"](dense(layers.Dense(5))), epochs=2)
    finally:
        stop.set()
        thread.join()
    assert len(set(drawn)) == len(drawn) > 10


def numbers(tensors):
    """Those of the steps; Keras's look at the shapes leaves tensors without a value."""
    return [float(tensor.detach()) for tensor in tensors if not tensor.is_meta]


class Diary(keras.metrics.Metric):
    """A metric that keeps every value it has seen in a list."""

    def __init__(self):
        super().__init__(name="diary")
        self.seen = []

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.append(ops.mean(y_pred))

    def result(self):
        return self.seen[-1]

    def reset_state(self):
        pass


@paths
def test_a_metric_that_appends_to_a_list_appends_at_every_step(path):
    def trained(accelerate):
        diary = Diary()
        model = accelerate(dense(metrics=[diary]))
        history = fit(model, epochs=2).history
        return [history, numbers(diary.seen)]

    assert_runs_as_stock(trained, path, "a call changes seen")


def appends_to_a_list_of_a_closure(log):
    return layers.Lambda(lambda x: log.append(ops.mean(x)) or x)


class Remembering(layers.Layer):
    def __init__(self, log):
        super().__init__()
        self.notes = {"all": log}

    def call(self, x):
        self.notes["all"].append(ops.mean(x))
        return x


@paths
@pytest.mark.parametrize("layer", [appends_to_a_list_of_a_closure, Remembering])
def test_a_layer_that_writes_a_list_writes_numbers_at_every_step(layer, path):
    def trained(accelerate):
        log = []
        model = dense(layer(log))
        log = model.layers[1].notes["all"] if layer is Remembering else log
        log.clear()
        fit(accelerate(model), epochs=2)
        return numbers(log)

    assert_runs_as_stock(trained, path, "a call changes")


class Tallies(layers.Layer):
    def __init__(self):
        super().__init__()
        self.tally = np.zeros(2)

    def call(self, x):
        self.tally += 1
        return x * float(self.tally[0])


@paths
def test_a_layer_that_counts_in_an_array_counts_every_step(path):
    def trained(accelerate):
        model = accelerate(dense(Tallies()))
        return [fit(model, epochs=2).history, model.layers[1].tally.copy()]

    assert_runs_as_stock(trained, path, "a call changes an array")


class Penalised(layers.Layer):
    def call(self, x):
        self.add_loss(ops.mean(ops.square(x)))
        return x


class ReadLosses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.read = []

    def on_train_batch_end(self, batch, logs=None):
        self.read.append([float(ops.convert_to_numpy(loss)) for loss in self.model.losses])

    on_test_batch_end = on_train_batch_end


@paths
def test_a_callback_reads_the_losses_that_layers_added_in_this_step(path):
    def read(accelerate):
        reader = ReadLosses()
        hidden = layers.Dense(5, kernel_regularizer="l2", activity_regularizer="l1")
        model = accelerate(dense(hidden, Penalised()))
        fit(model, epochs=2, callbacks=[reader], validation_data=(X, Y))
        assert len({tuple(losses) for losses in reader.read}) == len(reader.read)
        return reader.read

    assert_as_stock(read, path)
