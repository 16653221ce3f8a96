"""What a call writes into lists, dicts and arrays: a replay would not, so it runs as stock."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.helpers.three_paths import (
    STOCK_SAID,
    assert_runs_as_stock,
    dense,
    fit,
    paths,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")


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
