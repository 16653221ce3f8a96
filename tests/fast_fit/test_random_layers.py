"""Layers that draw random numbers: replayed, with the distribution that stock Keras has."""

import warnings

import keras
import numpy as np
import pytest

torch = pytest.importorskip("torch")
if keras.backend.backend() != "torch":
    pytest.skip("steps are replayed on torch only", allow_module_level=True)

from keras import layers, ops  # noqa: E402
from three_paths import (  # noqa: E402
    REPLAYED,
    STOCK_SAID,
    X,
    assert_as_stock,
    dense,
    differ,
    fit,
    paths,
    run,
)

pytestmark = pytest.mark.filterwarnings(f"error:.*{STOCK_SAID}")
STEPS = 80
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
    "seeded Dropout": lambda: layers.Dropout(0.4, seed=3),
    "seeded RandomFlip": lambda: layers.RandomFlip("horizontal", seed=3),
}


def moments(images):
    """What tells one distribution of images from another: `(batch, 5)`."""
    flat = ops.mean(images, axis=-1)
    left = ops.mean(flat[:, :, : SIDE // 3], axis=(1, 2))
    top = ops.mean(flat[:, : SIDE // 3], axis=(1, 2))
    level = ops.mean(images, axis=(1, 2, 3))
    power = ops.mean(ops.square(images), axis=(1, 2, 3))
    blot = ops.mean(ops.square(ops.mean(images[..., 2], axis=(1, 2))[:, None]), axis=1)
    return ops.stack([level, power, left, top, blot], axis=1)


class Collect(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.collected = []

    def on_train_batch_end(self, batch, logs=None):
        self.collected.append([float(value) for value in self.model.losses])


class Tell(layers.Layer):
    """Adds the mean moments of a batch as losses, where a callback reads them."""

    def call(self, images):
        for moment in range(5):
            self.add_loss(ops.mean(moments(images)[:, moment]))
        return images


def moments_of_steps(build, path, seed=0, steps=STEPS):
    """`(steps, 5)`: what the batches of a training have behind a random layer."""
    keras.utils.set_random_seed(seed)
    image = keras.Input(IMAGES.shape[1:])
    told = Tell()(build()(image))
    model = keras.Model(image, layers.Dense(1)(layers.GlobalAveragePooling2D()(told)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    if path != "stock":
        REPLAYED[path](model)
    collect = Collect()
    data = np.tile(IMAGES, (steps, 1, 1, 1)), np.zeros((16 * steps, 1))
    model.fit(*data, batch_size=16, verbose=0, callbacks=[collect])
    return np.array(collect.collected)


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_a_random_layer_is_replayed_with_the_distribution_of_stock_keras(name):
    build = IMAGE_LAYERS[name]
    stock, fast = (moments_of_steps(build, path) for path in ("stock", "fast"))
    assert len(np.unique(fast, axis=0)) > 0.8 * len(np.unique(stock, axis=0)) > 20
    error = np.sqrt((stock.var(axis=0) + fast.var(axis=0)) / STEPS) + 1e-7
    assert np.all(np.abs(stock.mean(axis=0) - fast.mean(axis=0)) < 4.5 * error)
    # Spread over the steps: a draw for a batch in the place of one for an image would widen it.
    assert np.all(np.abs(np.log((stock.std(axis=0) + 1e-6) / (fast.std(axis=0) + 1e-6))) < 0.6)


@pytest.mark.parametrize("name", ["RandomFlip", "GaussianNoise", "SpatialDropout2D"])
def test_the_seed_of_a_program_repeats_its_draws(name):
    build = IMAGE_LAYERS[name]
    first, again, other = (moments_of_steps(build, "fast", s, steps=4) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert differ(first, other)


@pytest.mark.parametrize("name", ["seeded RandomFlip", "seeded GaussianNoise", "seeded Dropout"])
def test_the_seed_of_a_layer_repeats_its_draws_whatever_else_is_drawn(name):
    build = IMAGE_LAYERS[name]
    first, other = (moments_of_steps(build, "fast", s, steps=4) for s in (0, 1))
    np.testing.assert_array_equal(first, other)


def test_two_layers_with_one_seed_draw_alike_and_with_two_seeds_they_do_not():
    def noise(seed):
        return moments_of_steps(lambda: layers.GaussianNoise(0.5, seed=seed), "fast", steps=3)

    np.testing.assert_array_equal(noise(3), noise(3))
    assert differ(noise(3), noise(4))


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


@pytest.mark.parametrize("name", ["RandomFlip", "GaussianNoise", "seeded Dropout"])
def test_exactly_replayed_is_a_random_layer_not(name):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        exact = moments_of_steps(IMAGE_LAYERS[name], "exact", steps=3)
    said = [str(w.message) for w in told if STOCK_SAID in str(w.message)]
    assert len(said) == 1
    assert "Keras seeds the generator of a layer anew at every step" in said[0]
    np.testing.assert_array_equal(exact, moments_of_steps(IMAGE_LAYERS[name], "stock", steps=3))


def test_verifying_a_random_layer_draws_nothing():
    layer = layers.GaussianNoise(0.5, seed=3)
    model = run(lambda accelerate: accelerate(dense(layer, layers.GaussianNoise(0.1))), "fast")
    fit(model)
    (replay,) = model.train_function._replays.values()
    before = torch.get_rng_state(), layer.seed_generator.state.numpy().tolist()
    assert replay.is_verified((torch.tensor(X[:20]), torch.tensor(X[:20])))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert layer.seed_generator.state.numpy().tolist() == before[1]
