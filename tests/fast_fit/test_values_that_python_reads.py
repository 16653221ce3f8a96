"""A value that Python reads in a step: where it changes, the next step has the new one."""

import functools
import types

import keras
import numpy as np
import pytest
import torch
from keras import layers, ops

from tests.helpers.three_paths import (
    STOCK_SAID,
    X,
    assert_as_stock,
    dense,
    differ,
    paths,
    run,
    trained_with_change,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")
WEIGHT = 0.25  # a global that a loss reads
SETTINGS = types.ModuleType("settings_of_a_user")
SETTINGS.weight = 0.25


def weighted(weight, y_true, y_pred):
    return ops.mean((1 - weight) * ops.square(y_true - y_pred))


class DefaultOnTheClass(layers.Layer):
    alpha = 1.0
    betas = (1.0,)

    def call(self, x):
        return x * self.alpha * self.betas[0]


def set_attribute(owner, name, value):
    return lambda model: setattr(owner, name, value)


def default_of_a_layer():
    layer = DefaultOnTheClass()
    return dense(layer), set_attribute(layer, "alpha", 3.0)


def default_set_on_the_class():
    cls = type("Defaults", (DefaultOnTheClass,), {"betas": (1.0,)})
    return dense(cls()), set_attribute(cls, "betas", (2.0,))


class LossWithDefault(keras.losses.Loss):
    alpha = 1.0

    def call(self, y_true, y_pred):
        return self.alpha * ops.mean(ops.square(y_true - y_pred), axis=-1)


def default_of_a_loss():
    loss = LossWithDefault()
    return dense(loss=loss), set_attribute(loss, "alpha", 3.0)


class ModelWithDefault(keras.Model):
    alpha = 1.0

    def compute_loss(self, *args, **kwargs):
        return self.alpha * super().compute_loss(*args, **kwargs)


def default_of_a_model():
    model = dense(cls=ModelWithDefault)
    return model, set_attribute(model, "alpha", 3.0)


def bound_of_a_constraint():
    constraint = keras.constraints.MaxNorm(10.0)
    layer = layers.Dense(5, kernel_constraint=constraint)
    return dense(layer), set_attribute(constraint, "max_value", 0.1)


def strength_of_an_activity_regularizer():
    regularizer = keras.regularizers.L1(0.0)
    return dense(layers.Dense(5, activity_regularizer=regularizer)), set_attribute(
        regularizer, "l1", 1.0
    )


class HalvedRate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that holds another."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, step):
        return 0.5 * self.inner(step)

    def get_config(self):
        return {}


def schedule_in_a_schedule():
    inner = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model = dense(optimizer=keras.optimizers.SGD(HalvedRate(inner)))
    return model, set_attribute(inner, "initial_learning_rate", 0.5)


def call_of_a_layer():
    layer = DefaultOnTheClass()
    return dense(layer), set_attribute(layer, "call", lambda x: x * 5)


class Holder(layers.Layer):
    """A layer that reads one number through `read`, which a test may hide anywhere."""

    def __init__(self, read):
        super().__init__()
        self.read = read

    def call(self, x):
        return x * self.read()


def item_of_a_list():
    held = [1.0]
    return dense(Holder(lambda: held[0])), lambda model: held.__setitem__(0, 3.0)


def equal_list_in_the_place_of_a_list():
    layer = DefaultOnTheClass()
    layer.betas = [1.0]
    model = dense(layer)
    other = [1.0]

    def change(model):
        if vars(layer)["betas"] is not other:
            vars(layer)["betas"] = other  # equal for one step, and then not
        else:
            other[0] = 3.0

    return model, change


def item_of_a_dict():
    held = {"inner": {"factor": 1.0}}
    return dense(Holder(lambda: held["inner"]["factor"])), lambda model: held["inner"].update(
        factor=3.0
    )


def item_of_a_list_that_a_layer_tracks():
    layer = DefaultOnTheClass()
    layer.betas = [1.0]
    return dense(layer), lambda model: layer.betas.__setitem__(0, 3.0)


def cell_of_a_closure():
    factor = 1.0

    def change(model):
        nonlocal factor
        factor = 3.0

    return dense(Holder(lambda: factor)), change


def global_of_a_loss():
    globals()["WEIGHT"] = 0.25
    model = dense(loss=lambda y_true, y_pred: weighted(WEIGHT, y_true, y_pred))
    return model, lambda model: globals().update(WEIGHT=0.75)


def attribute_of_a_module():
    SETTINGS.weight = 0.25
    model = dense(loss=lambda y_true, y_pred: weighted(SETTINGS.weight, y_true, y_pred))
    return model, set_attribute(SETTINGS, "weight", 0.75)


def default_of_a_function():
    def loss(y_true, y_pred, weight=0.25):
        return weighted(weight, y_true, y_pred)

    return dense(loss=loss), set_attribute(loss, "__defaults__", (0.75,))


def code_of_a_function():
    def read():
        return 1.0

    return dense(Holder(read)), set_attribute(read, "__code__", (lambda: 3.0).__code__)


class Ruler:
    __slots__ = ("factor",)

    def __init__(self):
        self.factor = 1.0


def slot_of_an_object():
    ruler = Ruler()
    return dense(Holder(lambda: ruler.factor)), set_attribute(ruler, "factor", 3.0)


def argument_of_a_partial():
    held = [1.0]
    read = functools.partial(list.__getitem__, held, 0)
    return dense(Holder(read)), lambda model: held.__setitem__(0, 3.0)


def array_written_in_place():
    factors = np.ones(6)  # float64: the tensor made of it is a copy
    return dense(
        Holder(lambda: ops.convert_to_tensor(factors, "float32"))
    ), lambda model: factors.fill(3)


def tensor_written_in_place():
    factors = torch.ones(6)
    return dense(Holder(lambda: ops.exp(factors))), lambda model: factors.fill_(2)


CHANGES = [
    default_of_a_layer,
    default_set_on_the_class,
    default_of_a_loss,
    default_of_a_model,
    bound_of_a_constraint,
    strength_of_an_activity_regularizer,
    schedule_in_a_schedule,
    call_of_a_layer,
    item_of_a_list,
    equal_list_in_the_place_of_a_list,
    item_of_a_dict,
    item_of_a_list_that_a_layer_tracks,
    cell_of_a_closure,
    global_of_a_loss,
    attribute_of_a_module,
    default_of_a_function,
    code_of_a_function,
    slot_of_an_object,
    argument_of_a_partial,
    array_written_in_place,
    tensor_written_in_place,
]
IDS = [change.__name__ for change in CHANGES]


@paths
@pytest.mark.parametrize("build", CHANGES, ids=IDS)
def test_the_step_after_a_change_has_the_new_value(build, path):
    found = assert_as_stock(trained_with_change(build), path)
    assert differ(found, run(trained_with_change(build, changed=False)))


@paths
@pytest.mark.parametrize("build", [default_of_a_layer, call_of_a_layer, item_of_a_list])
def test_a_prediction_after_a_change_has_the_new_value(build, path):
    def predicted(accelerate):
        model, change = build()
        accelerate(model).predict(X, verbose=0)
        change(model)
        return model.predict(X, verbose=0)

    assert_as_stock(predicted, path)
