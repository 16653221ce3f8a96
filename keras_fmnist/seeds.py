"""Where every random number of a run comes from: its seed, and what it is for.

The order and the dropout of epoch k follow from (seed, k) alone, so that they do not depend on
whether the run was interrupted before it, nor on what else drew numbers in the process.
"""

import hashlib

import numpy as np


def derive(seed, *purpose):
    """A seed in [0, 2³¹) for one purpose, such as `derive(0, "order", epoch)`."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def permutation(seed, epoch, count):
    """The order of `count` images in an epoch, the same on every backend."""
    return np.random.default_rng(derive(seed, "order", epoch)).permutation(count)


def seed_dropout(model, seed, epoch):
    """Sets the generators from which the model's dropout draws its masks in an epoch.

    On torch that is the process's default generator: a dropout layer with a generator of its own
    takes a path that costs a synchronisation a call. On jax and tensorflow every layer has one.
    """
    import keras

    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(derive(seed, "dropout", epoch))
        return
    for layer in _layers(model):
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign([derive(seed, "dropout", epoch, layer.name), 0])


def _layers(model):
    for layer in model.layers:
        yield from _layers(layer) if hasattr(layer, "layers") else (layer,)
