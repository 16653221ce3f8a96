"""Derives every random number of a run from its seed and the purpose of the number.

The order of the images and the dropout of epoch k depend on (seed, k) alone. They are the same
whether or not the run was interrupted, and whatever else draws random numbers in the process.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def derive(seed: int, *purpose: str | int) -> int:
    """Derives a seed in [0, 2³¹) for one purpose, such as `derive(0, "order", epoch)`."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    """Returns the order of `count` images in an epoch, the same on every backend."""
    return np.random.default_rng(derive(seed, "order", epoch)).permutation(count)


def seed_dropout(model: "keras.Model", seed: int, epoch: int) -> None:
    """Sets the generators from which the model's dropout draws its masks in an epoch.

    On torch that is the default generator of the process, because a generator for each layer would
    cost a synchronisation at every call. On jax and tensorflow every layer has its own.
    """
    torch = _torch()
    if torch:
        torch.manual_seed(derive(seed, "dropout", epoch))
        return
    for layer in _random_layers(model):
        layer.seed_generator.state.assign([derive(seed, "dropout", epoch, layer.name), 0])


def generator_states(model: "keras.Model") -> dict[str, np.ndarray]:
    """Returns the states of the generators of the model's dropout: `{name: array of integers}`."""
    torch = _torch()
    if not torch:
        return {r.name: np.array(r.seed_generator.state.numpy()) for r in _random_layers(model)}
    states = {"cpu": torch.get_rng_state().numpy()}
    if torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state().numpy()
    return states


def set_generator_states(model: "keras.Model", states: dict[str, np.ndarray]) -> None:
    """Sets the generators of the model's dropout to what `generator_states` returned."""
    torch = _torch()
    if not torch:
        for layer in _random_layers(model):
            layer.seed_generator.state.assign(states[layer.name])
        return
    torch.set_rng_state(torch.from_numpy(states["cpu"]))
    if "cuda" in states:
        torch.cuda.set_rng_state(torch.from_numpy(states["cuda"]))


def _torch():
    """Returns the module torch if it is the backend, else None."""
    import keras

    if keras.backend.backend() != "torch":
        return None
    import torch

    return torch


def _random_layers(model):
    """Yields the layers with a generator of their own, also those of inner models."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _random_layers(layer)
        elif hasattr(layer, "seed_generator"):
            yield layer
