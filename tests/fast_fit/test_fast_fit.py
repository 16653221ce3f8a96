"""The replayed step against Keras's own: same numbers, same behaviour, or a said reason."""

import keras
import numpy as np
import pytest
import torch
from keras import layers

from tests.helpers.stock_and_replayed import (
    BATCH,
    EXAMPLES,
    IMAGES,
    LABELS,
    OPTIMIZERS,
    PATHS,
    SIDE,
    STRICT,
    assert_both_paths_agree,
    build_autoencoder,
    build_classifier,
    fit,
    on_path,
)


# -- the same numbers ---------------------------------------------------------------------------
def test_two_hundred_steps_leave_the_weights_of_stock_keras_bit_for_bit():
    def scenario(path):
        model = build_autoencoder(path=path)
        history = fit(model, epochs=67, validation_data=(IMAGES[:20], IMAGES[:20]))
        assert int(model.optimizer.iterations) == 201
        assert history.history["loss"][-1] < history.history["loss"][0]
        return model, history.history

    assert_both_paths_agree(scenario)


pytestmark = STRICT


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_setting_gives_the_same_weights(name):
    def scenario(path):
        model = build_autoencoder(OPTIMIZERS[name](), path)
        return model, fit(model).history

    assert_both_paths_agree(scenario)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_classifier_has_the_same_accuracy_and_loss_at_every_epoch(frozen):
    def scenario(path):
        model = build_classifier(path, frozen, normalize=True)
        history = fit(model, IMAGES, LABELS, validation_data=(IMAGES, LABELS)).history
        assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        return model, history

    assert_both_paths_agree(scenario)


WEIGHTINGS = {
    "class weights": {"class_weight": {0: 1.0, 1: 5.0, 2: 0.1}},
    "sample weights": {"sample_weight": np.linspace(0, 2, EXAMPLES)},
}


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_weights_of_examples_count(name):
    def scenario(path):
        model = build_classifier(path, rate=0.0)
        return model, fit(model, IMAGES, LABELS, **WEIGHTINGS[name]).history

    assert_both_paths_agree(scenario)
    plain = fit(build_classifier("replayed", rate=0.0), IMAGES, LABELS).history
    assert scenario("replayed")[1] != plain


def test_penalties_of_layers_are_part_of_the_loss():
    def scenario(path):
        keras.utils.set_random_seed(0)
        image = keras.Input((SIDE, SIDE, 1))
        x = layers.Dense(4, kernel_regularizer="l2")(layers.Flatten()(image))
        x = layers.ActivityRegularization(l1=0.1)(x)
        model = keras.Model(image, layers.Dense(3)(x))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        history = fit(on_path(model, path), IMAGES, LABELS).history
        assert history["loss"][0] > 1.5
        return model, history

    assert_both_paths_agree(scenario)


def test_several_inputs_and_outputs_by_name():
    def scenario(path):
        keras.utils.set_random_seed(0)
        a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
        x = layers.Concatenate()([a, b])
        model = keras.Model(
            {"a": a, "b": b}, {"p": layers.Dense(1, name="p")(x), "q": layers.Dense(2, name="q")(x)}
        )
        model.compile("adam", {"p": "mse", "q": "mae"}, metrics={"q": ["mse"]})
        x = {"a": IMAGES[:, :3, 0, 0], "b": IMAGES[:, :2, 1, 0]}
        y = {"p": IMAGES[:, :1, 2, 0], "q": IMAGES[:, :2, 3, 0]}
        history = fit(on_path(model, path), x, y).history
        predicted = model.predict(x, verbose=0)
        return model, history | {k: v.tolist() for k, v in predicted.items()}

    assert_both_paths_agree(scenario)


def test_single_batches_train_test_and_predict_alike():
    def scenario(path):
        model = build_classifier(path)
        torch.manual_seed(0)
        trained = model.train_on_batch(IMAGES[:8], LABELS[:8], return_dict=True)
        tested = model.test_on_batch(IMAGES[:8], LABELS[:8], return_dict=True)
        return model, (trained, tested, model.predict_on_batch(IMAGES[:8]).tolist())

    assert_both_paths_agree(scenario)


def test_prediction_and_evaluation_see_the_current_weights():
    def scenario(path):
        model = build_classifier(path)
        first = model.predict(IMAGES, batch_size=BATCH, verbose=0)
        model.set_weights([w * 0.5 for w in model.get_weights()])
        second = model.predict(IMAGES, batch_size=BATCH, verbose=0)
        assert np.abs(first - second).max() > 0.01
        return model, (second.tolist(), model.evaluate(IMAGES, LABELS, verbose=0))

    assert_both_paths_agree(scenario)


def test_a_prediction_is_not_overwritten_by_the_next_batch():
    model = build_autoencoder(path="replayed")
    first = torch.as_tensor(model.predict_on_batch(IMAGES[:4])).clone()
    predicted = model.predict_function([(IMAGES[:4],)])
    model.predict_function([(IMAGES[4:8],)])
    assert torch.equal(predicted, first)


# -- the same behaviour -------------------------------------------------------------------------
@pytest.mark.parametrize("path", PATHS)
def test_training_moves_the_weights_and_the_iteration_count(path):
    model = build_autoencoder(path=path)
    before = model.get_weights()
    fit(model, epochs=1)
    assert int(model.optimizer.iterations) == 3
    moved = [np.abs(a - b).max() for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(step > 1e-3 for step in moved) >= 6


@pytest.mark.parametrize("path", PATHS)
def test_a_frozen_encoder_does_not_move_nor_do_its_statistics(path):
    model = build_classifier(path, frozen=True, normalize=True)
    before = [w.copy() for w in model.get_layer("encoder").get_weights()]
    head = model.layers[-1].kernel.numpy().copy()
    fit(model, IMAGES, LABELS)
    pairs = list(zip(before, model.get_layer("encoder").get_weights(), strict=True))
    assert len(pairs) >= 8
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert np.abs(model.layers[-1].kernel.numpy() - head).max() > 1e-3


@pytest.mark.parametrize("path", PATHS)
def test_freezing_between_two_fits_takes_effect(path):
    model = build_classifier(path)
    fit(model, IMAGES, LABELS, epochs=1)
    model.get_layer("encoder").trainable = False
    model.compile(keras.optimizers.Adam(1e-2), model.loss, metrics=["accuracy"])
    before = [w.copy() for w in model.get_layer("encoder").get_weights()]
    head = model.layers[-1].kernel.numpy().copy()
    fit(model, IMAGES, LABELS, epochs=1)
    after = model.get_layer("encoder").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert np.abs(model.layers[-1].kernel.numpy() - head).max() > 1e-3


@pytest.mark.parametrize("path", PATHS)
def test_batch_statistics_move_in_training_and_rest_in_evaluation(path):
    model = build_autoencoder(path=path, normalize=True)
    mean = model.get_layer("encoder").get_layer("norm").moving_mean
    mean.assign(keras.ops.ones_like(mean) * 7)
    model.evaluate(IMAGES, IMAGES, verbose=0)
    assert np.array_equal(mean.numpy(), np.full(4, 7.0))
    fit(model, epochs=1)
    assert np.all(np.abs(mean.numpy() - 7) > 0.05)
