"""A net in a file: its weights alone, or all of it, in the format that the ending names.

What `convert` and `export` share; the first has a file of weights to start from, the second a run.
"""

import importlib.util
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist import backends, data
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.files import write_whole
from keras_fmnist.models import layers, networks, torch_weights, weights
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

if TYPE_CHECKING:
    import keras

TOLERANCE = 1e-5  # between Keras's and onnxruntime's outputs


def check_onnx() -> None:
    """Holds backend and packages to what an .onnx needs.

    Raises:
        SpecError: it cannot be written here; the message says what to do.
    """
    if backends.get_backend() != "torch":
        raise SpecError(
            "an .onnx is written on torch, whatever it was trained on: unset KERAS_BACKEND"
        )
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise SpecError(f"{package} is not installed: pip install 'keras-fmnist[onnx]'")


def write_net(target: str, model: "keras.Model", spec: AutoencoderSpec | ClassifierSpec) -> str:
    """Writes a net, or its weights, whole or not at all.

    Args:
        target: a path; its ending is the format: .keras, .onnx, .safetensors, .pt or .pth.
        model: a net from `networks.build`.
        spec: whose net it is.

    Returns:
        What the file holds, in words.

    Raises:
        RuntimeError: onnxruntime computes something else than Keras.
    """
    arrays = weights.get_arrays(model)
    ending = Path(target).suffix
    if ending == ".onnx":
        content, apart = _onnx(model, spec.pixel_min)
        write_whole(target, content)
        return f"the net (onnxruntime and Keras agree within {apart:.1g})"
    if ending == ".keras":
        # A net that is saved channels first runs on no CPU under tensorflow.
        anywhere = networks.build(spec, data_format=networks.LAST)
        weights.set_arrays(anywhere, arrays)
        write_whole(target, _saved(anywhere.save, ending))
        return f"the net (`import {layers.__name__}` before it is loaded)"
    if ending == ".safetensors":
        weights.save(target, arrays)
    else:
        torch_weights.save_native(target, torch_weights.to_native(arrays))
    return f"{len(arrays)} tensors"


def _saved(save, ending):
    """The bytes of the file that `save` writes to a path with an ending."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"model{ending}")
        save(path)
        return path.read_bytes()


def _named(content, computed):
    """An ONNX net whose output has a name instead of the exporter's number."""
    import onnx

    net = onnx.load_from_string(content)
    number, net.graph.output[0].name = net.graph.output[0].name, computed
    for node in net.graph.node:
        node.output[:] = [computed if name == number else name for name in node.output]
    return net.SerializeToString()


def _onnx(model, pixel_min):
    """The net as ONNX, for any number of images at once, and how far it is from Keras at most."""
    import onnxruntime

    images = scale_pixels(data.make_synthetic(0, 10).test_images, pixel_min)
    expected = model.predict(images, verbose=0)
    with warnings.catch_warnings():
        # PyTorch's tracer warns of every shape that Keras computes; what counts is compared below.
        warnings.simplefilter("ignore")
        content = _saved(lambda path: model.export(path, format="onnx", verbose=False), ".onnx")
    content = _named(content, "reconstruction" if model.name == "autoencoder" else "logits")
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: images})
    apart = np.abs(found - expected).max()
    if not apart <= TOLERANCE:
        raise RuntimeError(
            f"onnxruntime differs from Keras by {apart:.2g}, more than {TOLERANCE}: nothing written"
        )
    return content, apart
