"""The net below what is watched: where an epoch begins, a step is compared with its trace."""

import warnings

import keras
import numpy as np
import pytest
import torch
from keras import layers, ops

from keras_fmnist.fast_fit import tracing, verification
from tests.helpers.three_paths import (
    STOCK_SAID,
    BetweenEpochs,
    X,
    Y,
    assert_as_stock,
    assert_equal,
    dense,
    differ,
    fit,
    paths,
    run,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")
TOLD = "was traced again: something has changed that is not watched"


class Scaled(layers.Layer):
    """Multiplies by what a function of a library gives: those are not looked into."""

    def call(self, x):
        return x * keras.utils.factor_of_a_test()


@pytest.fixture
def factor(monkeypatch):
    """Puts a function into Keras itself, as somebody would who patches it."""

    def put(value):
        monkeypatch.setattr(keras.utils, "factor_of_a_test", lambda: value, raising=False)

    return put


@paths
def test_what_nobody_watches_is_noticed_at_the_next_epoch(path, factor):
    def trained(accelerate, changed=3.0):
        factor(1.0)
        model = accelerate(dense(Scaled()))
        history = fit(model, epochs=3, callbacks=[BetweenEpochs(lambda _: factor(changed))])
        return [history.history, model.get_weights()]

    with pytest.warns(UserWarning, match=TOLD):
        found = run(trained, path)
    expected = run(trained)
    assert not differ(found, expected)
    assert differ(expected, run(lambda accelerate: trained(accelerate, 1.0)))


@paths
def test_evaluation_is_verified_where_it_begins(path, factor):
    def losses(accelerate):
        factor(1.0)
        model = accelerate(dense(Scaled()))
        before = model.evaluate(X, Y, batch_size=20, verbose=0)
        factor(3.0)
        return before, model.evaluate(X, Y, batch_size=20, verbose=0)

    with pytest.warns(UserWarning, match=TOLD):
        found = run(losses, path)
    assert found == run(losses)
    assert found[0] != found[1]


@paths
def test_what_runs_outside_epochs_is_verified_now_and_then(path, factor):
    factor(1.0)
    model = run(lambda accelerate: accelerate(dense(Scaled())), path)
    model.predict_on_batch(X)
    factor(3.0)
    expected = np.asarray(model(X).detach())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(202):
            found = model.predict_on_batch(X)
    assert TOLD in str([str(w.message) for w in told])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_verified_step_that_has_not_changed_is_neither_traced_nor_told_of(monkeypatch):
    traced, taken = [], []

    def counted(model, kind, *rest, trace=tracing.trace):
        traced.append(kind)
        return trace(model, kind, *rest)

    def recorded(self, batch, take=verification.Fingerprint.take):
        taken.append(self._kind)
        return take(self, batch)

    monkeypatch.setattr(tracing, "trace", counted)
    monkeypatch.setattr(verification.Fingerprint, "take", recorded)
    model = run(lambda accelerate: accelerate(dense(layers.Dropout(0.5), layers.Dense(5))), "fast")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__")
        fit(model, epochs=3, validation_data=(X, Y))
    assert traced == ["train", "test"]
    # Three for a trace, then one each where the second epoch begins; the third is too near.
    assert taken == [*["train"] * 3, *["test"] * 3, "train", "test"]


@paths
def test_verifying_changes_nothing_and_draws_nothing(path):
    model = run(lambda accelerate: accelerate(dense(layers.Dropout(0.5), layers.Dense(5))), path)
    fit(model)
    (replay,) = model.train_function._replays.values()
    before = [v.numpy().copy() for v in (*model.variables, *model.optimizer.variables)]
    torch.manual_seed(7)
    batch = torch.tensor(X[:20]), torch.tensor(Y[:20])
    assert replay.is_verified(batch)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(3))
    after = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


class MovingEpsilon(keras.optimizers.SGD):
    """Adds a number that moves with every step, and that torch reads from a tensor."""

    def update_step(self, gradient, variable, learning_rate):
        number = 0.1 / ops.cast(self.iterations + 1, "float32")
        variable.assign(torch._foreach_add([variable.value], number)[0] - learning_rate * gradient)


def test_a_number_that_torch_reads_from_the_state_is_no_change():
    model = dense(optimizer=MovingEpsilon(0.1))
    run(lambda accelerate: accelerate(model), "fast")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(model, epochs=3)
    (replay,) = model.train_function._replays.values()
    assert replay.is_verified((torch.tensor(X[:20]), torch.tensor(Y[:20])))


class WritesItsInput(layers.Layer):
    def call(self, x):
        return x.add_(1.0) if not x.is_meta else x


@paths
def test_a_layer_that_writes_into_the_batch_writes_once_a_step(path):
    def trained(accelerate):
        model = accelerate(dense(WritesItsInput()))
        batch = torch.tensor(X[:20])
        losses = [float(model.train_on_batch(batch, Y[:20])) for _ in range(3)]
        return [losses, batch.numpy().copy()]

    assert_as_stock(trained, path)


@paths
def test_a_model_that_insists_on_its_batch_size_is_verified_on_whole_batches(path):
    def trained(accelerate):
        vector = keras.Input((6,), batch_size=20)
        halves = layers.Lambda(lambda x: x + ops.flip(ops.reshape(x, (20, 6))))(vector)
        model = keras.Model(vector, layers.Dense(6)(halves))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return fit(accelerate(model), epochs=3).history

    assert_as_stock(trained, path)


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
