"""Nets as the live page runs them: a list of operations each, and their weights as 16-bit floats.

The operations are those of `models.networks`, in its order; `live/nets.js` computes them. A batch
norm is folded into the convolution before it, as evaluation mode allows.
"""

import base64
import hashlib

import numpy as np

from keras_fmnist.models.weights import Arrays
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

EPSILON = 1e-5  # of PyTorch's batch norm, which `models.networks` takes


class Store:
    """Arrays of the page, each of them once however many nets share it."""

    def __init__(self) -> None:
        self.entries: dict[str, dict] = {}

    def add(self, array: np.ndarray) -> str:
        """Puts an array into the page and returns the name under which the script finds it.

        Raises:
            ValueError: a value is too large for a 16-bit float.
        """
        if array.dtype == np.float32:
            array = _halved(array)
        content = np.ascontiguousarray(array).tobytes()
        entry = {"type": str(array.dtype), "shape": list(array.shape)}
        name = hashlib.sha256(f"{entry} ".encode() + content).hexdigest()[:12]
        self.entries[name] = entry | {"data": base64.b64encode(content).decode()}
        return name


def _halved(array):
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        half = array.astype(np.float16)
    if not np.isfinite(half).all():
        raise ValueError("a number does not fit into 16 bits")
    return half


def encoder(spec: AutoencoderSpec, arrays: Arrays, store: Store, dropout: float) -> list[dict]:
    """The operations of an encoder, from an image to its code.

    Args:
        spec: of its autoencoder.
        arrays: its weights, under names such as `encoder/conv1/kernel`.
        store: takes them.
        dropout: the rate with which it drops in training mode.
    """
    steps = []
    for number, pooling in enumerate(("max", spec.last_pooling), start=1):
        kernel, bias = _folded(arrays, number, spec.batchnorm)
        steps.append({"op": "conv", "kernel": store.add(kernel), "bias": store.add(bias)})
        steps.append({"op": "relu"})
        drop = {"op": "dropout", "rate": dropout, "whole_maps": spec.dropout_kind == "channel"}
        if spec.dropout_at != "after_pooling":
            steps.append(drop)
        steps.append({"op": f"{pooling}_pool"})
        if spec.dropout_at != "before_pooling":
            steps.append(drop)
    if spec.latent:
        latent = _dense("encoder/latent", arrays, store)
        last = {"op": "dropout", "rate": dropout, "whole_maps": False}
        relu = [{"op": "relu"}] if spec.code_relu else []
        steps += [{"op": "flatten"}, latent, *relu, last]
    else:
        steps.append({"op": "flatten"})
    return steps


def decoder(spec: AutoencoderSpec, arrays: Arrays, store: Store) -> list[dict]:
    """The operations of a decoder in evaluation mode, from a flat code to an image in [0, 1]."""
    size = spec.map_size
    steps = [_dense("decoder/hidden", arrays, store), {"op": "relu"}] if spec.latent else []
    steps.append({"op": "unflatten", "shape": [spec.kernels[-1], size, size]})
    for name, shape in (("deconv1", spec.deconv1), ("deconv2", spec.deconv2)):
        # As in `models.layers`: where the dilation equals the stride, a layer without either whose
        # map is spread.
        step = {
            "op": "deconv",
            "stride": shape.stride // shape.dilation,
            "output_padding": shape.output_padding,
            "crop": shape.padding // shape.dilation,
            "spread": shape.dilation,
            "kernel": store.add(arrays[f"decoder/{name}/kernel"]),
            "bias": store.add(arrays[f"decoder/{name}/bias"]),
        }
        steps.append(step)
        if name == "deconv1" and spec.between == "relu_dropout":
            steps.append({"op": "relu"})
    if spec.output_activation != "linear":
        steps.append({"op": spec.output_activation})
    return [*steps, {"op": "from_signed"}] if spec.pixels == "signed" else steps


def classifier(spec: ClassifierSpec, arrays: Arrays, store: Store) -> list[dict]:
    """The operations of a classifier, from an image to its logits."""
    dropout = spec.autoencoder.dropout if spec.encoder_dropout else 0.0
    steps = encoder(spec.autoencoder, arrays, store, dropout)
    if spec.hidden:
        steps += [_dense("hidden1", arrays, store), {"op": "relu"}]
    steps.append(_dense("logits", arrays, store))
    return [*steps, {"op": "relu"}] if spec.relu_logits else steps


def _dense(name, arrays, store):
    kernel, bias = (store.add(arrays[f"{name}/{part}"]) for part in ("kernel", "bias"))
    return {"op": "dense", "kernel": kernel, "bias": bias}


def _folded(arrays, number, batchnorm):
    """Kernel and bias of a convolution, with the batch norm behind it where there is one."""
    kernel, bias = (arrays[f"encoder/conv{number}/{part}"] for part in ("kernel", "bias"))
    if not batchnorm:
        return kernel, bias
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (arrays[f"encoder/bn{number}/{part}"] for part in names)
    scale = gamma / np.sqrt(variance + np.float32(EPSILON))
    return kernel * scale, (bias - mean) * scale + beta
