"""What torch and Keras add to a step from outside: hooks, autocast, settings."""

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
    assert_equal,
    dense,
    fit,
    paths,
    run,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")


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
