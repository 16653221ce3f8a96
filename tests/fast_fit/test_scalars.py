"""Numbers that change between steps reach a replayed step."""

import keras
import numpy as np
import pytest

from tests.helpers.stock_and_replayed import (
    PATHS,
    STRICT,
    assert_both_paths_agree,
    build_autoencoder,
    fit,
)


class SetRate(keras.callbacks.Callback):
    """The learning rate falls to zero after the first batch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())
        self.model.optimizer.learning_rate = 0.0


pytestmark = STRICT


@pytest.mark.parametrize("path", PATHS)
def test_a_learning_rate_set_by_a_callback_takes_effect_at_the_next_batch(path):
    recorder = SetRate()
    model = build_autoencoder(path=path)
    start = model.get_weights()
    fit(model, epochs=1, callbacks=[recorder])
    assert len(recorder.weights) == 3
    assert np.abs(recorder.weights[0][0] - start[0]).max() > 1e-3
    for a, b in zip(recorder.weights[0], recorder.weights[2], strict=True):
        assert np.array_equal(a, b)


def test_a_dropout_rate_changed_between_fits_takes_effect():
    def scenario(path):
        model = build_autoencoder(path=path)
        fit(model)
        model.get_layer("encoder").get_layer("dropout").rate = 0.9
        return model, fit(model).history

    assert_both_paths_agree(scenario)


def test_compiling_with_another_loss_takes_effect():
    def scenario(path):
        model = build_autoencoder(path=path)
        fit(model)
        model.compile(keras.optimizers.SGD(0.1), "mae", metrics=["mse"])
        return model, fit(model).history

    assert_both_paths_agree(scenario)
