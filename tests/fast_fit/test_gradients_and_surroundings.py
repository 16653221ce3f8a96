"""What torch and Keras add to a step from outside: gradients, hooks, autocast, settings."""

import contextlib
import warnings

import keras
import numpy as np
import pytest
import torch
from keras import layers, ops

from tests.helpers.three_paths import (
    REPLAYED,
    STOCK_SAID,
    At,
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


@paths
@pytest.mark.parametrize("kind", ["register_hook", "register_post_accumulate_grad_hook"])
def test_a_hook_on_a_parameter_is_called_as_long_as_it_is_there(kind, path):
    def trained(accelerate):
        model = accelerate(dense())
        bias, calls, handles = model.get_layer("last").bias.value, [], []

        def register(model):
            handles.append(getattr(bias, kind)(lambda _: calls.append(1)))

        fit(model, epochs=4, callbacks=[At(register, 2), At(lambda _: handles[0].remove(), 5)])
        return [model.get_weights(), calls]

    with pytest.warns(UserWarning, match="while a parameter has a hook") as told:
        found = run(trained, path)
    assert len([w for w in told if STOCK_SAID in str(w.message)]) == 1
    expected = run(trained)
    assert_equal(found, expected)
    assert len(expected[1]) == 3


@paths
def test_autocast_around_one_call_and_not_the_next(path):
    def predicted(accelerate):
        model = accelerate(dense(layers.Dense(50)))
        results = []
        for context in (contextlib.nullcontext(), torch.autocast("cpu", torch.bfloat16)) * 2:
            with context:
                results.append(np.asarray(model.predict(X, verbose=0), "float32"))
        return results

    with pytest.warns(UserWarning, match="while torch.autocast is on"):
        found = run(predicted, path)
    assert_equal(found, run(predicted))
    assert np.any(found[0] != found[1])


def remat_of_a_layer():
    with keras.RematScope(mode="full"):
        return dense(layers.Dense(100), layers.Dropout(0.5))


class Checkpointed(layers.Layer):
    """Rematerializes a function of its own."""

    def call(self, x):
        return keras.remat(lambda x: keras.random.dropout(ops.exp(x), 0.5))(x)


def remat_in_a_layer():
    return dense(layers.Dense(100), Checkpointed())


@paths
@pytest.mark.parametrize("build", [remat_of_a_layer, remat_in_a_layer])
def test_rematerialized_dropout_has_one_mask_forward_and_backward(build, path):
    def trained(accelerate):
        model = accelerate(build())
        torch.manual_seed(0)
        fit(model)
        return model.get_weights()

    with pytest.warns(UserWarning, match=STOCK_SAID):
        found = run(trained, path)
    assert_equal(found, run(trained))


@paths
def test_what_is_rematerialized_and_draws_nothing_is_replayed(path):
    def trained(accelerate):
        with keras.RematScope(mode="full"):
            model = dense(layers.Dense(9, activation="tanh"))
        fit(accelerate(model))
        return model.get_weights()

    assert_as_stock(trained, path)


@paths
def test_a_setting_of_keras_takes_effect_at_once(path):
    def losses(accelerate):
        model = dense(layers.Dense(6, activation="softmax"), loss="categorical_crossentropy")
        accelerate(model)
        before = keras.config.epsilon()
        found = []
        try:
            for epsilon in (1e-7, 0.3, 1e-7):
                keras.config.set_epsilon(epsilon)
                found.append(model.evaluate(X, Y, verbose=0))
        finally:
            keras.config.set_epsilon(before)
        return found

    found = run(losses, path)
    assert_equal(found, run(losses))
    assert found[0] == found[2] != found[1]


@paths
def test_anomalies_are_looked_for_while_torch_is_told_to(path):
    model = REPLAYED[path](dense(layers.Lambda(lambda x: ops.sqrt(x - 10))))
    fit(model)
    with (
        pytest.warns(UserWarning, match="while torch looks for anomalies"),
        torch.autograd.detect_anomaly(check_nan=True),
        pytest.raises(RuntimeError, match="nan values"),
    ):
        fit(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(model)


@paths
def test_a_model_whose_call_was_replaced_runs_as_stock(path):
    model = dense()
    inner = model.call
    model.call = lambda *args, **kwargs: 2 * inner(*args, **kwargs)
    expected = model.predict(X, verbose=0)
    with pytest.warns(UserWarning, match="not functional"):
        assert_equal(REPLAYED[path](model).predict(X, verbose=0), expected)
