"""Small convolutional nets, trained as stock Keras or replayed, and how near their numbers are."""

import keras
import numpy as np
from keras import layers

from keras_fmnist import fast_fit

FIRST = {"data_format": "channels_first"}


def image(channels=1, side=14):
    return keras.Input((channels, side, side))


def pooled(x, *middle, kernel=3, pool=2):
    x = layers.Conv2D(6, kernel, **FIRST)(x)
    for layer in middle:
        x = layer(x)
    return layers.MaxPooling2D(pool, **FIRST)(x)


def norm():
    return layers.BatchNormalization(axis=1, momentum=0.8)


def decoded(x, *middle):
    x = layers.Conv2DTranspose(5, 4, 2, output_padding=1, **FIRST)(x)
    for layer in middle:
        x = layer(x)
    return layers.Conv2DTranspose(1, 3, 2, output_padding=1, **FIRST)(x)


POOL = ["pool_convolution", "pool_convolution_backward"]
NETS = {
    "relu": (lambda x: pooled(x, layers.ReLU()), POOL),
    "no relu": (lambda x: pooled(x), POOL),
    "batch norm": (lambda x: pooled(x, norm(), layers.ReLU()), ["normalize_kernels", *POOL]),
    "batch norm alone": (lambda x: pooled(x, norm()), ["normalize_kernels", *POOL]),
    "norm without scale": (
        lambda x: pooled(x, layers.BatchNormalization(axis=1, scale=False), layers.ReLU()),
        ["normalize_kernels", *POOL],
    ),
    "wide windows": (lambda x: pooled(x, layers.ReLU(), kernel=(2, 3), pool=(3, 2)), POOL),
    "windows that leave rows out": (lambda x: pooled(x, layers.ReLU(), kernel=4), POOL),
    "another convolution after it": (
        lambda x: layers.Conv2D(8, 3, activation="relu", **FIRST)(pooled(x, layers.ReLU())),
        POOL,
    ),
    "two blocks, one of odd sides": (
        lambda x: pooled(pooled(x, layers.ReLU()), layers.ReLU(), kernel=2, pool=(2, 3)),
        POOL,
    ),
    "two blocks without ReLU": (lambda x: pooled(pooled(x), kernel=2), POOL),
    "decoder": (lambda x: decoded(pooled(x, layers.ReLU()), layers.ReLU()), [*POOL, "add_up"]),
}


def train(build, path, steps=1, channels=1, optimizer=None, frozen=False):
    """Losses, evaluation, predictions and weights of a net, moving statistics among them."""
    keras.utils.set_random_seed(7)
    x = image(channels)
    body = keras.Model(x, build(x))
    body.trainable = not frozen
    model = keras.Model(x, layers.Dense(3)(layers.Flatten()(body(x))))
    model.compile(optimizer or keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    if path != "stock":
        fast_fit.accelerate(model, exact=path == "exact")
    data = np.random.default_rng(1)
    images = data.random((8 * steps, channels, 14, 14), "float32")
    images[:, :, :4] = 0  # equal maxima, as a black background has them
    targets = data.random((8 * steps, 3), "float32")
    history = model.fit(images, targets, batch_size=8, shuffle=False, verbose=0).history["loss"]
    tested = model.evaluate(images, targets, batch_size=8, verbose=0)
    predicted = model.predict(images, batch_size=8, verbose=0)
    return history, tested, predicted, [(v.path, v.numpy().copy()) for v in model.variables]


def assert_close(one, other, rtol, atol):
    *numbers, weights = one
    *others, other_weights = other
    for a, b in zip(numbers, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
    for (name, a), (_, b) in zip(weights, other_weights, strict=True):
        if "seed" not in name:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=name)
