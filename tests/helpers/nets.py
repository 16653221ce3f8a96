"""Nets of runs, and what a net and its native twin make of images."""

import keras
import pytest
import torch

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.inference import trained

SPECS = (BASE, CLASSIFIER_FULL, CLASSIFIER_FROZEN)


by_name = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


def outputs_of(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def native_outputs(net, images):
    with torch.no_grad():
        outputs = net.eval()(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    return outputs.transpose(0, 2, 3, 1) if outputs.ndim == 4 else outputs


def load_net(studied, spec):
    return trained.load(studied, trained.find(studied, spec.id), spec)
