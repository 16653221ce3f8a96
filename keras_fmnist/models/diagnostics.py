"""Warns of the mistakes of the reports, in a net, its loss and an experiment's numbers."""

from collections.abc import Callable, Sequence

import keras

from keras_fmnist.models.calls import list_layers, walk_back
from keras_fmnist.models.inspection import Row, divide_magnitudes, find_activation
from keras_fmnist.settings import TransposedConv
from keras_fmnist.specs import IMAGE_SIZE, AutoencoderSpec

_MAXIMA = (
    *(keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D),
    *(keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D),
    keras.layers.GlobalMaxPooling3D,
)
_MEANS = (
    *(keras.layers.AveragePooling1D, keras.layers.AveragePooling2D, keras.layers.AveragePooling3D),
    *(keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D),
    keras.layers.GlobalAveragePooling3D,
)
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


def diagnose_net(model: keras.Model, loss: Callable | None, rows: Sequence[Row]) -> list[str]:
    """Warns of positions without input, dropout before max pooling, and a wrong last activation.

    Args:
        model: any Keras model.
        loss: the Keras loss that it is trained on, an object or a function; None if unknown.
        rows: what `inspection.measure_layers` returned for it.

    Returns:
        A sentence for each warning.
    """
    return [
        *_unreached(rows),
        *_dropout_before_a_maximum(model, rows),
        *_before_cross_entropy(model, loss, rows),
    ]


def diagnose_units(rows: Sequence[Row]) -> list[str]:
    """Warns of units behind a ReLU that are 0 for every image measured."""
    return [
        f"{row.name}: {row.dead} of {row.units} units are 0 for every image, so they carry nothing "
        "and their weights have no gradient"
        for row in rows
        if row.dead
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
    layers, by_name = dict(list_layers(model)), {row.name: row for row in rows}
    sentences = []
    for row in rows:
        if not isinstance(layers[row.name], _MAXIMA):
            continue
        if dropout := _find_dropout(row, layers, by_name):
            growth = divide_magnitudes(row.gap, by_name[dropout].gap)
            sentences.append(
                f"{row.name}: the maximum over what {dropout} keeps and scales up is {growth:.2f} "
                "times as large in training as in evaluation"
            )
    return sentences


def _find_dropout(row, layers, by_name):
    """The nearest dropout before a layer, with nothing between that mixes several values."""

    def list_before(name):
        return by_name[name].before if name == row.name or not _mixes_values(layers[name]) else ()

    # ChannelDropout keeps or drops whole maps.
    return next(
        (
            name
            for name in walk_back(row.name, list_before)
            if type(layers[name]) is keras.layers.Dropout and layers[name].rate
        ),
        None,
    )


def _mixes_values(layer):
    pools = isinstance(layer, (*_MAXIMA, *_MEANS))
    return pools or any(len(weight.shape) >= 2 for weight in layer.weights)


def _before_cross_entropy(model, loss, rows):
    """Open question 6, and probabilities where the loss takes logits or the other way round."""
    is_cross_entropy = "crossentropy" in getattr(loss, "__name__", "")
    if not is_cross_entropy and not hasattr(loss, "from_logits"):
        return []
    from_logits = getattr(loss, "from_logits", False)
    name, activation = _last_activation(model, rows)
    if activation == "relu":
        return [
            f"{name}: a ReLU on the logits leaves no gradient to a class whose logit is negative"
        ]
    if activation in ("sigmoid", "softmax") and from_logits:
        return [
            f"{name}: a {activation} before a cross entropy that squashes its logits itself: leave "
            "it out, or set from_logits=False"
        ]
    if activation == "linear" and not from_logits:
        return [
            f"{name}: logits before a cross entropy that takes probabilities: set from_logits=True"
        ]
    return []


def _last_activation(model: keras.Model, rows: Sequence[Row]) -> tuple[str, str]:
    """Returns the last layer that changes values, and its function: `("logits", "linear")`."""
    layers = dict(list_layers(model))
    for row in reversed(rows):
        if not isinstance(layers[row.name], _CHANGE_NO_VALUE):
            return row.name, find_activation(layers[row.name])
    return model.name, "none"
