"""Variables wherever they are held: a step reads what they are, not what they were."""

import keras
import pytest
import torch
from keras import layers, ops

from tests.helpers.three_paths import (
    STOCK_SAID,
    assert_as_stock,
    dense,
    differ,
    fit,
    paths,
    run,
    trained_with_change,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")


def variable_in_a_closure():
    weight = keras.Variable(0.25)
    model = dense(loss=lambda y_true, y_pred: ops.mean((1 - weight) * ops.square(y_true - y_pred)))
    return model, lambda model: weight.assign(0.75)


class HalvedRate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that holds a variable."""

    def __init__(self):
        self.factor = keras.Variable(1.0)

    def __call__(self, step):
        return 0.1 * self.factor

    def get_config(self):
        return {}


def variable_of_a_schedule():
    schedule = HalvedRate()
    model = dense(optimizer=keras.optimizers.SGD(schedule))
    return model, lambda model: schedule.factor.assign(0.5)


class Penalty(keras.regularizers.Regularizer):
    def __init__(self):
        self.strength = keras.Variable(0.0)

    def __call__(self, weights):
        return (1 + self.strength) * ops.sum(ops.square(weights))


def variable_of_a_regularizer():
    penalty = Penalty()
    model = dense(layers.Dense(5, kernel_regularizer=penalty))
    return model, lambda model: penalty.strength.assign(1.0)


class ScaledError(keras.metrics.MeanMetricWrapper):
    def __init__(self):
        super().__init__(lambda y_true, y_pred: (1 + self.scale) * ops.mean(y_pred), name="scaled")
        self.scale = keras.Variable(1.0)


def variable_of_a_metric():
    metric = ScaledError()
    return dense(metrics=[metric]), lambda model: metric.scale.assign(3.0)


def variable_that_the_step_writes():
    seen = keras.Variable(0.0)

    def loss(y_true, y_pred):
        seen.assign_add(1.0)
        return ops.mean(ops.square(y_true - y_pred)) * seen

    return dense(loss=loss), lambda model: seen.assign(10.0)


def memory_of_a_variable_replaced():
    model = dense()
    bias = model.get_layer("last").bias
    return model, lambda model: setattr(bias.value, "data", torch.ones(6))


def constraint_put_on_a_variable():
    model = dense()
    kernel = model.get_layer("last").kernel
    return model, lambda model: setattr(kernel, "constraint", keras.constraints.MaxNorm(0.1))


CHANGES = [
    variable_in_a_closure,
    variable_of_a_schedule,
    variable_of_a_regularizer,
    variable_of_a_metric,
    variable_that_the_step_writes,
    memory_of_a_variable_replaced,
    constraint_put_on_a_variable,
]


@paths
@pytest.mark.parametrize("build", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_the_step_after_an_assignment_has_the_new_value(build, path):
    found = assert_as_stock(trained_with_change(build), path)
    assert differ(found, run(trained_with_change(build, changed=False)))


@paths
def test_a_frozen_layer_that_is_released_trains(path):
    def moved(accelerate):
        model = dense(layers.Dense(5, name="hidden"))
        model.get_layer("hidden").trainable = False
        model.compile(keras.optimizers.SGD(0.1), "mse")
        fit(accelerate(model))
        model.get_layer("hidden").trainable = True
        model.compile(keras.optimizers.SGD(0.1), "mse")
        fit(model)
        return model.get_weights()

    assert_as_stock(moved, path)
