"""Small nets on the two paths: the replayed step and that of stock Keras."""

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit

# Unless a test asks for it, running the stock step in place of a replay is a failure.
STRICT = pytest.mark.filterwarnings(
    "error:.*runs as stock Keras", "error:replaying without", "ignore:.*no trainable weights"
)


PATHS = ("stock", "replayed")


SIDE = 12


EXAMPLES = 44  # batches of 16: two full ones and a partial one


BATCH = 16


IMAGES = np.random.default_rng(0).random((EXAMPLES, SIDE, SIDE, 1), dtype="float32")


LABELS = np.random.default_rng(1).integers(0, 3, EXAMPLES)


class SeedEpochs(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        torch.manual_seed(100 + epoch)


def build_encoder(rate=0.2, normalize=False):
    image = keras.Input((SIDE, SIDE, 1))
    x = layers.Reshape((1, SIDE, SIDE))(image)
    x = layers.Conv2D(4, 3, activation="relu", data_format="channels_first")(x)
    if normalize:
        x = layers.BatchNormalization(axis=1, name="norm")(x)
    x = layers.Dropout(rate, name="dropout")(x)
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    x = layers.Dense(5, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, x, name="encoder")


def build_autoencoder(optimizer=None, path="stock", **encoder):
    keras.utils.set_random_seed(3)
    latent = keras.Input((5,))
    x = layers.Dense(SIDE * SIDE, activation="sigmoid")(latent)
    decoder = keras.Model(latent, layers.Reshape((SIDE, SIDE, 1))(x), name="decoder")
    image = keras.Input((SIDE, SIDE, 1))
    model = keras.Model(image, decoder(build_encoder(**encoder)(image)), name="autoencoder")
    model.compile(optimizer or keras.optimizers.Adam(1e-2), "mse")
    return on_path(model, path)


def build_classifier(path, frozen=False, **encoder):
    keras.utils.set_random_seed(4)
    body = build_encoder(**encoder)
    body.trainable = not frozen
    image = keras.Input((SIDE, SIDE, 1))
    model = keras.Model(image, layers.Dense(3)(body(image)), name="classifier")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    return on_path(model, path)


def on_path(model, path):
    return fast_fit.accelerate(model, exact=True) if path == "replayed" else model


def fit(model, *data, epochs=2, callbacks=(), **settings):
    data = data or (IMAGES, IMAGES)
    settings = {"batch_size": BATCH, "verbose": 0, **settings}
    return model.fit(*data, epochs=epochs, callbacks=[SeedEpochs(), *callbacks], **settings)


def state(model):
    """Every variable of a model and its optimizer: (path, array).

    Seed generators start differently in each model; an unseeded dropout on torch reads none.
    """
    variables = [*model.variables, *model.optimizer.variables]
    return [(v.path, v.numpy().copy()) for v in variables if "seed_generator" not in v.path]


def assert_same(stock, replayed):
    assert len(stock) == len(replayed) > 4
    for (name, a), (_, b) in zip(stock, replayed, strict=True):
        difference = np.abs(np.asarray(a, "float64") - b).max()
        assert difference == 0, f"{name} differs by {difference}"


def assert_both_paths_agree(scenario):
    """`scenario(path)` gives (model, history or numbers); both paths must give the same."""
    (stock, told), (replayed, retold) = scenario("stock"), scenario("replayed")
    assert told == retold
    assert_same(state(stock), state(replayed))


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(1e-2, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.1),
    "sgd momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(1e-2, momentum=0.5, centered=True),
    "adagrad": lambda: keras.optimizers.Adagrad(1e-2),
    "adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "lion": lambda: keras.optimizers.Lion(1e-3),
    "clipnorm": lambda: keras.optimizers.Adam(1e-2, clipnorm=0.01),
    "global clipnorm": lambda: keras.optimizers.Adam(1e-2, global_clipnorm=0.01),
    "clipvalue": lambda: keras.optimizers.Adam(1e-2, clipvalue=0.001),
    "moving average": lambda: keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5),
    "fixed loss scale": lambda: keras.optimizers.Adam(1e-2, loss_scale_factor=8.0),
    "decayed rate": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(1e-2, 2, 0.5)
    ),
}
