"""Chooses the optimiser, the loss and the metrics of a spec."""

import keras

from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec
from keras_fmnist.training.optimizers import PyTorchAdam


def compile_model(
    model: keras.Model, spec: AutoencoderSpec | ClassifierSpec, fast: bool = True
) -> None:
    """Compiles a model with the optimiser, the loss and the metrics of its spec.

    Args:
        model: what `networks.build` returned for the spec.
        spec: an experiment.
        fast: on torch, let `fast_fit` replay traced steps.
    """
    if spec.optimizer == "adam":
        optimizer = PyTorchAdam(spec.learning_rate)
    else:
        optimizer = keras.optimizers.SGD(spec.learning_rate, momentum=spec.momentum)
    model.compile(optimizer, build_loss(spec), metrics=list(spec.metrics[1:]))
    if fast and keras.backend.backend() == "torch":
        from keras_fmnist import fast_fit  # it imports torch

        fast_fit.accelerate(model, at_once=True)


def build_loss(spec: AutoencoderSpec | ClassifierSpec) -> keras.losses.Loss:
    """Returns cross entropy on logits for a classifier, mean squared error for an autoencoder."""
    if spec.is_classifier:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.MeanSquaredError()
