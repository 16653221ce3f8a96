"""Generators of Python that a step draws from, and those that it does not."""

import itertools
import random
import threading

import keras
import numpy as np
import pytest
from keras import layers

from keras_fmnist.fast_fit.python_draws import Draws
from tests.helpers.three_paths import (
    REPLAYED,
    STOCK_SAID,
    X,
    Y,
    assert_runs_as_stock,
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


class PythonRandom(layers.Layer):
    def call(self, x):
        return x * random.random()


class NumpyRandom(layers.Layer):
    def call(self, x):
        return x * float(np.random.rand())


@paths
@pytest.mark.parametrize("layer", [PythonRandom, NumpyRandom])
def test_a_layer_that_draws_in_python_runs_as_stock_and_draws_what_it_would_have(layer, path):
    def trained(accelerate):
        model = accelerate(dense(layer()))
        fit(model, epochs=2)
        return model.get_weights()

    assert_runs_as_stock(trained, path, "draws random numbers")


def test_generators_that_nothing_was_drawn_from_are_left_alone():
    draws = Draws()
    before = random.getstate(), np.random.get_state()[1].tolist()
    assert not draws.have_happened()
    for draw in (np.random.rand, random.random):
        draw()
        assert draws.have_happened()
        draws.restore()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
