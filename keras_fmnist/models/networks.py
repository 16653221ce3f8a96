"""Builds the Keras models of a spec: encoder, decoder, autoencoder, classifier.

Input and output images are `(batch, 28, 28, 1)` float32 on every backend. Inside, torch uses
channels first, a fifth faster on its CPU kernels. jax and tensorflow use channels last, the only
layout that tensorflow's CPU kernels support, and the layout of a saved net. Feature maps are
flattened in the order channel, row, column on every backend, as in PyTorch, so the weights do not
depend on the layout.

Shapes in comments are those of channels first and of mansilla's base: 16 and 32 kernels, a code of
64.
"""

import math

import keras

from keras_fmnist.models.layers import ChannelDropout, PyTorchConv2DTranspose
from keras_fmnist.seeds import derive
from keras_fmnist.specs import CLASSES, IMAGE_SIZE, AutoencoderSpec, ClassifierSpec

# The nets are float32 and train for every epoch, whatever a keras.json or a variable says.
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")
keras.config.set_max_epochs(None)
keras.config.set_max_steps_per_epoch(None)

FIRST, LAST = "channels_first", "channels_last"
DATA_FORMAT = FIRST if keras.backend.backend() == "torch" else LAST
_POOLINGS = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}


def build(
    spec: AutoencoderSpec | ClassifierSpec, seed: int = 0, data_format: str = DATA_FORMAT
) -> keras.Model:
    """Builds the model of a spec, an autoencoder or a classifier, with fresh weights.

    The encoder of a frozen classifier is not trainable.

    Args:
        spec: an experiment.
        seed: of the initial weights.
        data_format: the layout inside; by default the fastest of this backend. Channels last runs
            on every backend.

    Returns:
        A model that is not compiled: `(batch, 28, 28, 1)` images to images of that shape, or to
        `(batch, 10)` logits.

    Example:
        >>> from experiments.mansilla import BASE
        >>> model = build(BASE, seed=0)
        >>> model.get_layer("encoder").output_shape
        (None, 64)
    """
    if not spec.is_classifier:
        return autoencoder(spec, seed, data_format)
    fresh = encoder(spec.encoder, seed, data_format)
    fresh.trainable = not spec.frozen
    return classifier(fresh, spec, seed)


def encoder(spec: AutoencoderSpec, seed: int = 0, data_format: str = DATA_FORMAT) -> keras.Model:
    """Builds the encoder: `(batch, 28, 28, 1)` images to `(batch, latent)` codes.

    Without a latent layer the code is the feature map `(batch, kernels, 5, 5)`.

    Args:
        spec: an `AutoencoderSpec`.
        seed: of the initial weights.
        data_format: see `build`.

    Sources: mansilla, section II; manolucos, table 2.
    """
    x = inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="image")  # (batch, 28, 28, 1)
    if data_format == FIRST:
        x = keras.layers.Reshape((1, IMAGE_SIZE, IMAGE_SIZE), name="to_channels_first")(x)
        # (batch, 1, 28, 28)
    channels = 1
    poolings = ("max", spec.last_pooling)
    for number, (kernels, pooling) in enumerate(zip(spec.kernels, poolings, strict=True), start=1):
        x = _conv(kernels, channels, seed, data_format, name=f"conv{number}")(x)
        # (batch, 16, 26, 26), then (batch, 32, 11, 11)
        if spec.batchnorm:
            x = _batch_norm(data_format, name=f"bn{number}")(x)
        x = keras.layers.ReLU(name=f"conv{number}_relu")(x)
        if spec.dropout_at != "after_pooling":
            x = _map_dropout(spec, data_format, name=f"conv{number}_dropout")(x)
        x = _POOLINGS[pooling](2, data_format=data_format, name=f"pool{number}")(x)
        # (batch, 16, 13, 13), then (batch, 32, 5, 5)
        if spec.dropout_at != "before_pooling":
            x = _map_dropout(spec, data_format, name=f"pool{number}_dropout")(x)
        channels = kernels
    if data_format == LAST:
        x = keras.layers.Permute((3, 1, 2), name="to_channels_first")(x)
        # (batch, 5, 5, 32) to (batch, 32, 5, 5)
    if not spec.latent:
        return keras.Model(inputs, x, name="encoder")
    # keras.layers.Flatten would first put the channels last.
    features = channels * spec.map_size**2
    x = keras.layers.Reshape((features,), name="flatten")(x)  # (batch, 800)
    x = _dense(spec.latent, features, seed, name="latent")(x)  # (batch, 64)
    if spec.code_relu:
        x = keras.layers.ReLU(name="latent_relu")(x)
    x = keras.layers.Dropout(spec.dropout, name="latent_dropout")(x)
    return keras.Model(inputs, x, name="encoder")


def decoder(spec: AutoencoderSpec, seed: int = 0, data_format: str = DATA_FORMAT) -> keras.Model:
    """Builds the decoder: `(batch, latent)` codes to `(batch, 28, 28, 1)` images.

    Without a latent layer the code is the feature map `(batch, kernels, 5, 5)`. As in both reports,
    the output layer has no dropout.

    Args:
        spec: an `AutoencoderSpec`.
        seed: of the initial weights.
        data_format: see `build`.

    Sources: mansilla, section II; manolucos, table 2.
    """
    channels, size = spec.kernels[-1], spec.map_size
    features = channels * size**2
    if spec.latent:
        x = inputs = keras.Input((spec.latent,), name="code")  # (batch, 64)
        x = _dense(features, spec.latent, seed, name="hidden")(x)  # (batch, 800)
        x = keras.layers.ReLU(name="hidden_relu")(x)
        x = keras.layers.Dropout(spec.dropout, name="hidden_dropout")(x)
        x = keras.layers.Reshape((channels, size, size), name="unflatten")(x)
        # (batch, 32, 5, 5)
    else:
        x = inputs = keras.Input((channels, size, size), name="code")
    if data_format == LAST:
        x = keras.layers.Permute((2, 3, 1), name="to_channels_last")(x)
    x = _conv_transpose(spec.deconv1, spec.kernels[0], seed, data_format, name="deconv1")(x)
    # (batch, 16, 13, 13)
    if spec.between == "relu_dropout":
        x = keras.layers.ReLU(name="deconv1_relu")(x)
        x = _map_dropout(spec, data_format, name="deconv1_dropout")(x)
    x = _conv_transpose(spec.deconv2, 1, seed, data_format, name="deconv2")(x)
    # (batch, 1, 28, 28)
    x = keras.layers.Activation(spec.output_activation, name="output")(x)
    if data_format == FIRST:
        x = keras.layers.Reshape((IMAGE_SIZE, IMAGE_SIZE, 1), name="to_channels_last")(x)
        # (batch, 28, 28, 1)
    return keras.Model(inputs, x, name="decoder")


def autoencoder(
    spec: AutoencoderSpec, seed: int = 0, data_format: str = DATA_FORMAT
) -> keras.Model:
    """Builds the autoencoder from the layers `encoder` and `decoder`: images to images.

    Args:
        spec: an `AutoencoderSpec`.
        seed: of the initial weights.
        data_format: see `build`.
    """
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="image")
    outputs = decoder(spec, seed, data_format)(encoder(spec, seed, data_format)(inputs))
    return keras.Model(inputs, outputs, name="autoencoder")


def classifier(encoder: keras.Model, spec: ClassifierSpec, seed: int = 0) -> keras.Model:
    """Builds a fully connected head on an encoder: `(batch, 28, 28, 1)` images to `(batch, 10)`.

    Args:
        encoder: a model from images to codes; it becomes a layer and is not copied.
        spec: a `ClassifierSpec`.
        seed: of the head's initial weights.
    """
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="image")
    x = encoder(inputs)  # (batch, 64), or a map such as (batch, 96, 5, 5)
    features = math.prod(x.shape[1:])
    if len(x.shape) > 2:
        x = keras.layers.Reshape((features,), name="flatten")(x)  # (batch, 2400)
    if spec.hidden:
        x = _dense(spec.hidden, features, seed, name="hidden1")(x)  # (batch, hidden)
        x = keras.layers.ReLU(name="hidden1_relu")(x)
        features = spec.hidden
    x = _dense(CLASSES, features, seed, name="logits")(x)  # (batch, 10)
    if spec.relu_logits:
        x = keras.layers.ReLU(name="logits_relu")(x)
    return keras.Model(inputs, x, name="classifier")


def _conv(kernels, channels, seed, data_format, name):
    return keras.layers.Conv2D(
        kernels,
        3,
        data_format=data_format,
        name=name,
        **_pytorch_initializers(channels * 9, seed, name),
    )


def _conv_transpose(shape, kernels, seed, data_format, name):
    settings = {
        # 0 rather than None: with None, Keras pads where the kernel is shorter than the stride.
        "output_padding": shape.output_padding,
        "data_format": data_format,
        "name": name,
        # PyTorch computes the fan-in of a transposed convolution from its output channels.
        **_pytorch_initializers(kernels * shape.kernel**2, seed, name),
    }
    if shape.padding == 0 and shape.dilation == 1:
        return keras.layers.Conv2DTranspose(kernels, shape.kernel, shape.stride, **settings)
    return PyTorchConv2DTranspose(
        kernels,
        shape.kernel,
        strides=shape.stride // shape.dilation,
        padding_size=shape.padding,
        spread=shape.dilation,
        **settings,
    )


def _map_dropout(spec, data_format, name):
    """Makes dropout for a feature map, by element or by channel (open question 3)."""
    if spec.dropout_kind == "element":
        return keras.layers.Dropout(spec.dropout, name=name)
    return ChannelDropout(spec.dropout, data_format, name=name)


def _batch_norm(data_format, name):
    # Open question 9: PyTorch's settings. Its momentum 0.1 is the new share, Keras's 0.9 the old.
    axis = 1 if data_format == FIRST else -1
    return keras.layers.BatchNormalization(axis=axis, momentum=0.9, epsilon=1e-5, name=name)


def _dense(units, features, seed, name):
    return keras.layers.Dense(units, name=name, **_pytorch_initializers(features, seed, name))


def _pytorch_initializers(fan_in, seed, name):
    """Makes weights and biases uniform in ±1/√fan_in, PyTorch's default (open question 9)."""
    bound = 1 / math.sqrt(fan_in)
    return {
        f"{kind}_initializer": keras.initializers.RandomUniform(
            -bound, bound, seed=derive(seed, name, kind)
        )
        for kind in ("kernel", "bias")
    }
