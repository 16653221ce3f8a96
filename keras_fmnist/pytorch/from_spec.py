"""Makes the native PyTorch net, optimiser and loss of a spec."""

from collections.abc import Callable

import keras
import numpy as np
import torch

from keras_fmnist.models import torch_weights, weights
from keras_fmnist.pytorch import nets
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, Spec


def build(spec: AutoencoderSpec | ClassifierSpec) -> nets.Autoencoder | nets.Classifier:
    """Builds the native PyTorch net of a spec, with PyTorch's own initial weights."""
    arguments = list_arguments(spec)
    encoder = nets.Encoder(**arguments["Encoder"])
    if not spec.is_classifier:
        return nets.Autoencoder(encoder, nets.Decoder(**arguments["Decoder"]))
    if spec.frozen:
        nets.freeze(encoder)
    return nets.Classifier(encoder, **arguments["Classifier"])


def list_arguments(spec: AutoencoderSpec | ClassifierSpec) -> dict[str, dict]:
    """Returns the arguments of each class of `nets` for a spec: `{class: arguments}`."""
    if spec.is_classifier:
        head = {"hidden": spec.hidden or None, "relu_logits": spec.relu_logits}
        return {"Encoder": list_arguments(spec.encoder)["Encoder"], "Classifier": head}
    deconvs = [
        {
            "kernel_size": d.kernel,
            "stride": d.stride,
            "padding": d.padding,
            "output_padding": d.output_padding,
            "dilation": d.dilation,
        }
        for d in (spec.deconv1, spec.deconv2)
    ]
    shared = {
        "kernels": spec.kernels,
        "latent": spec.latent or None,
        "dropout": spec.dropout,
        "dropout_kind": spec.dropout_kind,
    }
    pooling = ("max", "max" if spec.last_pooling == "max" else "avg")
    return {
        "Encoder": shared
        | {
            "dropout_at": spec.dropout_at,
            "batchnorm": spec.batchnorm,
            "pooling": pooling,
            "code_relu": spec.code_relu,
        },
        "Decoder": shared
        | {
            "deconvs": deconvs,
            "output": spec.output_activation,
            "between": spec.between == "relu_dropout",
        },
        "Autoencoder": {},
    }


def optimizer(spec: Spec, net: torch.nn.Module) -> torch.optim.Optimizer:
    """Makes the PyTorch optimiser of a spec."""
    if spec.optimizer == "adam":
        return torch.optim.Adam(net.parameters(), spec.learning_rate)
    return torch.optim.SGD(net.parameters(), spec.learning_rate, momentum=spec.momentum)


def loss(spec: Spec) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Returns the PyTorch loss of a spec."""
    cross_entropy, mse = torch.nn.functional.cross_entropy, torch.nn.functional.mse_loss
    return cross_entropy if spec.is_classifier else mse


def load(net: torch.nn.Module, model: keras.Model) -> None:
    """Copies the weights of a Keras model into the native net of the same spec."""
    arrays = torch_weights.to_native(weights.get_arrays(model))
    if keras.config.floatx() == "float64":
        net.double()
    net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})


def to_torch(images: np.ndarray, targets: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Converts a batch to PyTorch: `(n, 28, 28, 1)` images to `(n, 1, 28, 28)`, labels to int64.

    For an autoencoder, whose targets are images, the targets are the converted images.
    """
    x = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    if targets.ndim > 1:
        return x, x
    return x, torch.from_numpy(targets.copy()).long()


def step(
    spec: Spec,
    net: torch.nn.Module,
    stepper: torch.optim.Optimizer,
    images: np.ndarray,
    targets: np.ndarray,
) -> None:
    """Takes one training step.

    Args:
        spec: decides the loss.
        net: what `build` returned.
        stepper: what `optimizer` returned for this net.
        images: `(n, 28, 28, 1)` floats.
        targets: `(n,)` labels, or the images.
    """
    net.train()
    x, y = to_torch(images, targets)
    stepper.zero_grad()
    loss(spec)(net(x), y).backward()
    stepper.step()
