"""The state of a step: variables wherever they are held, what is assigned, what is left."""

import keras
import pytest
import torch
from keras import layers, ops

from tests.helpers.three_paths import (
    STOCK_SAID,
    X,
    Y,
    assert_as_stock,
    assert_equal,
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


class RunningMean(layers.Layer):
    """Moves a mean, then subtracts it: what it subtracts is a weight, and carries no gradient."""

    trains = False

    def build(self, shape):
        self.mean = self.add_weight(
            shape=shape[1:], initializer="zeros", name="mean", trainable=self.trains
        )

    def call(self, x):
        self.mean.assign(0.5 * self.mean + 0.5 * ops.mean(x, axis=0))
        return x - self.mean


class TrainedMean(RunningMean):
    trains = True


@paths
@pytest.mark.parametrize("layer", [RunningMean, TrainedMean])
def test_a_weight_that_is_read_after_it_was_assigned_is_a_weight(layer, path):
    def trained(accelerate):
        model = dense(layers.Dense(6, name="d"), layer())
        fit(accelerate(model), epochs=3)
        return model.get_weights()

    assert_as_stock(trained, path)


@paths
def test_a_weight_that_shows_the_memory_of_another_is_copied_where_it_is_assigned(path):
    class Swap(layers.Layer):
        def build(self, shape):
            self.one, self.other = (
                self.add_weight(shape=shape[1:], initializer=start, trainable=False)
                for start in ("zeros", "ones")
            )

        def call(self, x):
            one = self.one.value
            self.one.assign(self.other)
            self.other.assign(one)  # `one` shows the memory that was just written
            self.one.assign_add(ops.mean(x, axis=0))
            return x + self.one - self.other

    def trained(accelerate):
        model = accelerate(dense(Swap()))
        fit(model, epochs=3)
        return model.get_weights()

    assert_as_stock(trained, path)


class ReadGradients(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.read = []

    def on_train_batch_end(self, batch, logs=None):
        for weight in self.model.weights:
            gradient = weight.value.grad
            self.read.append([] if gradient is None else gradient.numpy().copy())


@paths
def test_a_callback_reads_the_gradients_of_the_step(path):
    def read(accelerate):
        reader = ReadGradients()
        frozen = layers.Dense(6, trainable=False)
        fit(accelerate(dense(frozen, layers.Dense(5))), epochs=2, callbacks=[reader])
        return reader.read

    found = run(read, path)
    assert_equal(found, run(read))
    assert [len(gradient) for gradient in found[:6]] == [0, 0, 6, 5, 5, 6]


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
