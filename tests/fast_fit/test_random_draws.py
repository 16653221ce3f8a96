"""Layers that draw random numbers: replayed, with the distribution that stock Keras has."""

import warnings

import keras
import numpy as np
import pytest
import torch
from keras import layers, ops

from tests.helpers.three_paths import (
    REPLAYED,
    STOCK_SAID,
    X,
    assert_as_stock,
    assert_equal,
    dense,
    differ,
    fit,
    paths,
    run,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")
STEPS = 50
SIDE = 8
rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
# A slope and a blot on each image: what is flipped, moved, turned or scaled has other moments.
IMAGES = (
    np.stack([0.1 + 0.5 * rows + 0.2 * columns, 0.5 * columns * rows, (rows > 0.6) * 0.8], axis=-1)
    .astype("float32")[None]
    .repeat(16, axis=0)
)

IMAGE_LAYERS = {
    "RandomFlip": lambda: layers.RandomFlip(),
    "RandomRotation": lambda: layers.RandomRotation(0.3),
    "RandomZoom": lambda: layers.RandomZoom(0.4),
    "RandomTranslation": lambda: layers.RandomTranslation(0.3, 0.2),
    "RandomCrop": lambda: layers.RandomCrop(5, 6),
    "RandomContrast": lambda: layers.RandomContrast(0.5),
    "RandomBrightness": lambda: layers.RandomBrightness(0.4, value_range=(0, 1)),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "GaussianDropout": lambda: layers.GaussianDropout(0.4),
    "AlphaDropout": lambda: layers.AlphaDropout(0.4),
    "SpatialDropout2D": lambda: layers.SpatialDropout2D(0.4),
    "Dropout of rows": lambda: layers.Dropout(0.4, noise_shape=(None, None, 1, 1)),
    "seeded GaussianNoise": lambda: layers.GaussianNoise(0.5, seed=3),
    "GaussianNoise of seed 4": lambda: layers.GaussianNoise(0.5, seed=4),
    "seeded Dropout": lambda: layers.Dropout(0.4, seed=3),
    "seeded RandomFlip": lambda: layers.RandomFlip("horizontal", seed=3),
}


class Moments(layers.Layer):
    """Keeps in a weight what tells one distribution of a batch of images from another."""

    def build(self, shape):
        self.kept = self.add_weight(shape=(5,), trainable=False)

    def call(self, images):
        means = ops.mean(images, axis=-1)
        third = ops.square(ops.mean(images[..., 2], axis=(1, 2)))
        values = [images, ops.square(images), means[:, :, :3], means[:, :3], third]
        self.kept.assign(ops.stack([ops.mean(value) for value in values]))
        return ops.mean(images, axis=(1, 2, 3), keepdims=True)[..., 0, 0]


class Collect(keras.callbacks.Callback):
    def __init__(self, kept):
        super().__init__()
        self.kept, self.collected = kept, []

    def on_train_batch_end(self, batch, logs=None):
        self.collected.append([layer.kept.numpy().copy() for layer in self.kept])


def moments_of_steps(names, path, seed=0, steps=4):
    """`{name: (steps, 5)}`: what the batches of a training have behind random layers."""
    keras.utils.set_random_seed(seed)
    image = keras.Input(IMAGES.shape[1:])
    kept = [Moments() for _ in names]
    branches = [keep(IMAGE_LAYERS[name]()(image)) for name, keep in zip(names, kept, strict=True)]
    joined = layers.Concatenate()(branches) if len(branches) > 1 else branches[0]
    model = keras.Model(image, layers.Dense(1)(joined))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    if path != "stock":
        REPLAYED[path](model)
    collect = Collect(kept)
    data = np.tile(IMAGES, (steps, 1, 1, 1)), np.zeros((16 * steps, 1))
    model.fit(*data, batch_size=16, verbose=0, callbacks=[collect])
    return dict(zip(names, np.array(collect.collected).swapaxes(0, 1), strict=True))


@pytest.fixture(scope="module")
def of_stock_and_replay():
    return [moments_of_steps(list(IMAGE_LAYERS), path, steps=STEPS) for path in ("stock", "fast")]


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_a_random_layer_is_replayed_with_the_distribution_of_stock_keras(name, of_stock_and_replay):
    stock, fast = (moments[name] for moments in of_stock_and_replay)
    assert len(np.unique(fast, axis=0)) > 0.7 * len(np.unique(stock, axis=0)) > 7
    error = np.sqrt((stock.var(axis=0) + fast.var(axis=0)) / STEPS) + 1e-6
    assert np.all(np.abs(stock.mean(axis=0) - fast.mean(axis=0)) < 4.5 * error)
    # Spread over the steps: one draw for a batch in the place of one for each image widens it.
    assert np.all(np.abs(np.log((stock.std(axis=0) + 1e-5) / (fast.std(axis=0) + 1e-5))) < 0.6)


def test_the_seed_of_a_program_repeats_the_draws_of_layers_without_one():
    names = ["RandomFlip", "GaussianNoise", "SpatialDropout2D"]
    first, again, other = (moments_of_steps(names, "fast", seed) for seed in (0, 0, 1))
    assert_equal(first, again)
    assert all(differ(first[name], other[name]) for name in names)


def test_the_seed_of_a_layer_repeats_its_draws_whatever_else_is_drawn():
    names = ["seeded RandomFlip", "seeded GaussianNoise", "seeded Dropout"]
    first, other = (moments_of_steps(names, "fast", seed) for seed in (0, 1))
    assert_equal(first, other)
    assert all(len(np.unique(drawn, axis=0)) == 4 for drawn in first.values())
    with_another_seed = moments_of_steps(["GaussianNoise of seed 4"], "fast")
    assert differ(first["seeded GaussianNoise"], with_another_seed["GaussianNoise of seed 4"])


def test_a_generator_whose_state_is_set_starts_from_there():
    layer = layers.GaussianNoise(0.5, seed=3)

    def loss_of_an_epoch(model):
        layer.seed_generator.state.assign([3, 0])
        return fit(model, epochs=1).history["loss"]

    model = dense(layer, optimizer=keras.optimizers.SGD(0.0))
    REPLAYED["fast"](model)
    first, second = loss_of_an_epoch(model), loss_of_an_epoch(model)
    assert first == second
    assert fit(model, epochs=1).history["loss"] != first


class Sampling(layers.Layer):
    """A VAE's: a mean and a log variance in, a sample out."""

    def __init__(self, seed=None):
        super().__init__()
        self.seed = seed

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return mean + ops.exp(0.5 * log_variance) * noise


def variational(seed):
    vector = keras.Input((6,))
    mean, log_variance = layers.Dense(2)(vector), layers.Dense(2)(vector)
    sample = Sampling(seed)([mean, log_variance])
    model = keras.Model(vector, layers.Dense(6)(sample))
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return model


@pytest.mark.parametrize(
    "seed", [None, keras.random.SeedGenerator(1), keras.random.SeedGenerator()]
)
def test_a_variational_autoencoder_is_replayed_and_learns(seed):
    def trained(accelerate):
        return fit(accelerate(variational(seed)), y=X, epochs=40).history["loss"]

    losses = run(trained, "fast")
    assert len(set(losses)) == 40
    assert losses[-1] < 0.5 * losses[0]


@paths
def test_an_integer_seed_gives_the_same_noise_at_every_call(path):
    def trained(accelerate):
        return fit(accelerate(variational(7)), y=X, epochs=3).history["loss"]

    assert_as_stock(trained, path)


class OwnGenerator(layers.Layer):
    def __init__(self):
        super().__init__()
        self.generator = torch.Generator().manual_seed(4)

    def call(self, x):
        kept = torch.bernoulli(torch.full_like(x, 0.8), generator=self.generator)
        return x * kept + torch.randn(x.shape, generator=self.generator)


@paths
def test_a_generator_of_torch_that_a_layer_holds_goes_on_as_in_stock_keras(path):
    def trained(accelerate):
        model = accelerate(dense(OwnGenerator()))
        return [fit(model, epochs=2).history, fit(model, epochs=2).history]

    assert_as_stock(trained, path)


class InPlace(layers.Layer):
    def __init__(self):
        super().__init__()
        self.generator = torch.Generator().manual_seed(4)

    def call(self, x):
        return x + torch.empty_like(x).normal_(generator=self.generator)


@paths
def test_what_draws_in_place_from_its_own_generator_runs_as_stock(path):
    def trained(accelerate):
        return fit(accelerate(dense(InPlace())), epochs=2).history

    with pytest.warns(UserWarning, match=STOCK_SAID):
        found = run(trained, path)
    assert not differ(found, run(trained))


def test_bit_for_bit_a_random_layer_runs_as_stock_and_says_why():
    names = ["RandomFlip", "GaussianNoise", "seeded Dropout"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        exact = moments_of_steps(names, "exact")
    said = [str(w.message) for w in told if STOCK_SAID in str(w.message)]
    assert len(said) == 1
    reason = "Keras seeds the generator of a layer anew at every step"
    assert said[0].endswith(f"the train step {STOCK_SAID}: {reason}")
    assert_equal(exact, moments_of_steps(names, "stock"))


def test_verifying_a_random_layer_draws_nothing():
    layer = layers.GaussianNoise(0.5, seed=3)
    model = run(lambda accelerate: accelerate(dense(layer, layers.GaussianNoise(0.1))), "fast")
    fit(model)
    (replay,) = model.train_function._replays.values()
    before = torch.get_rng_state(), layer.seed_generator.state.numpy().tolist()
    assert replay.is_verified((torch.tensor(X[:20]), torch.tensor(X[:20])))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert layer.seed_generator.state.numpy().tolist() == before[1]
