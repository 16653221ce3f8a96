"""Nets of runs."""

from keras_fmnist.inference import trained


def load_net(studied, spec):
    return trained.load(studied, trained.find(studied, spec.id), spec)
