"""Warns of the mistakes of the reports, in a net, its loss and an experiment's numbers."""

from collections.abc import Sequence

import keras

from keras_fmnist.models.inspection import Row, divide_magnitudes, list_layers
from keras_fmnist.settings import TransposedConv
from keras_fmnist.specs import IMAGE_SIZE, AutoencoderSpec

_POOLINGS = keras.layers.MaxPooling2D | keras.layers.AveragePooling2D
_CHANGE_NO_VALUE = (
    keras.layers.Dropout | keras.layers.Flatten | keras.layers.Permute | keras.layers.Reshape
)


def diagnose_autoencoder(
    spec: AutoencoderSpec, pca_loss: float, val_loss: float | None = None
) -> list[str]:
    """Warns of wrong shapes, pixels that the output cannot reach, and a code no better than PCA.

    Args:
        spec: an `AutoencoderSpec`.
        pca_loss: validation loss of a PCA with `spec.code_size` components.
        val_loss: validation loss of the autoencoder, if it has been trained.

    Returns:
        A sentence for each warning.
    """
    return [
        *_misprints(spec),
        *_out_of_reach(spec),
        *_against_pca(spec.code_size, pca_loss, val_loss),
    ]


def diagnose_net(model: keras.Model, loss: keras.losses.Loss, rows: Sequence[Row]) -> list[str]:
    """Warns of positions without input, dropout before max pooling, and a wrong last activation.

    Args:
        model: a chain of layers.
        loss: the Keras loss that it is trained on.
        rows: what `inspection.measure_layers` returned for it.

    Returns:
        A sentence for each warning.
    """
    return [
        *_unreached(rows),
        *_dropout_before_a_maximum(model, rows),
        *_before_cross_entropy(model, loss),
    ]


def _misprints(spec):
    """Open questions 1 and 2."""
    size, sentences = spec.map_size, []
    for name in ("deconv1", "deconv2"):
        ours = getattr(spec, name)
        printed = TransposedConv.parse(spec.printed.get(name, str(ours)))
        wanted, given = ours.output_size(size), printed.output_size(size)
        if given != wanted:
            sentences.append(
                f"decoder.{name}: the report prints {printed}, which turns {size} positions a side "
                f"into {given}, not {wanted}; {ours} is used instead"
            )
        size = wanted
    return sentences


def _out_of_reach(spec):
    if spec.output_activation == "sigmoid" and spec.pixel_min < 0:
        return [
            "decoder.output: a sigmoid cannot give values below 0, and the pixels begin at "
            f"{spec.pixel_min:g}: use a tanh or a linear output"
        ]
    return []


def _against_pca(code_size, pca_loss, val_loss):
    pixels = IMAGE_SIZE**2
    if code_size >= pixels:
        return [
            f"the code holds {code_size} numbers and the image {pixels}: nothing has to be "
            "compressed, and PCA of that size is exact"
        ]
    if val_loss is not None and val_loss >= pca_loss:
        return [
            f"the code is no better than PCA of the same size: {val_loss:.4f} on validation "
            f"images, and {pca_loss:.4f} with {code_size} components"
        ]
    return []


def _unreached(rows):
    return [
        f"{row.name}: {row.bias_alone} of {row.positions} positions hold the bias alone, because "
        "none of its inputs reaches them"
        for row in rows
        if row.bias_alone
    ]


def _dropout_before_a_maximum(model, rows):
    """Dropout scales up the values that it keeps, so max pooling after it gives larger ones."""
    gaps = {row.name: row.gap for row in rows}
    sentences, dropout = [], None
    for name, layer in list_layers(model):
        if isinstance(layer, keras.layers.MaxPooling2D) and dropout:
            growth = divide_magnitudes(gaps[name], gaps[dropout])
            sentences.append(
                f"{name}: the maximum over what {dropout} keeps and scales up is {growth:.2f} "
                "times as large in training as in evaluation"
            )
        if type(layer) is keras.layers.Dropout:  # ChannelDropout keeps or drops whole maps
            dropout = name if layer.rate else dropout
        elif hasattr(layer, "kernel") or isinstance(layer, _POOLINGS):
            dropout = None
    return sentences


def _before_cross_entropy(model, loss):
    """Open question 6, and a softmax or sigmoid that the loss applies again."""
    if not hasattr(loss, "from_logits"):
        return []  # not a cross entropy
    name, activation = last_activation(model)
    if activation == "relu":
        return [
            f"{name}: a ReLU on the logits leaves no gradient to a class whose logit is negative"
        ]
    if activation in ("sigmoid", "softmax") and loss.from_logits:
        return [
            f"{name}: a {activation} before a cross entropy that squashes its logits itself: leave "
            "it out, or set from_logits=False"
        ]
    return []


def last_activation(model: keras.Model) -> tuple[str, str]:
    """Returns the last layer that changes values, and its function: `("logits", "linear")`."""
    for name, layer in reversed(list(list_layers(model))):
        if not isinstance(layer, _CHANGE_NO_VALUE):
            function = getattr(layer, "activation", layer)  # ReLU and Softmax are layers, too
            return name, getattr(function, "__name__", type(function).__name__).lower()
    return model.name, "linear"
