"""Where every random number of a run comes from: its seed, and what it is for.

The order and the dropout of epoch k follow from (seed, k) alone, so that they do not depend on
whether the run was interrupted before it, nor on what else drew numbers in the process.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def derive(seed: int, *purpose: str | int) -> int:
    """A seed in [0, 2³¹) for one purpose, such as `derive(0, "order", epoch)`."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of `count` images in an epoch, the same on every backend."""
    return np.random.default_rng(derive(seed, "order", epoch)).permutation(count)


def seed_dropout(model: "keras.Model", seed: int, epoch: int) -> None:
    """Sets the generators from which the model's dropout draws its masks in an epoch.

    On torch that is the process's default generator: a dropout layer with a generator of its own
    takes a path that costs a synchronisation a call. On jax and tensorflow every layer has one.
    """
    torch = _torch()
    if torch:
        torch.manual_seed(derive(seed, "dropout", epoch))
        return
    for layer in _random_layers(model):
        layer.seed_generator.state.assign([derive(seed, "dropout", epoch, layer.name), 0])


def generator_states(model: "keras.Model") -> dict[str, np.ndarray]:
    """Where the generators of the model's dropout stand: `{name: array of integers}`."""
    torch = _torch()
    if not torch:
        return {r.name: np.array(r.seed_generator.state.numpy()) for r in _random_layers(model)}
    states = {"cpu": torch.get_rng_state().numpy()}
    if torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state().numpy()
    return states


def set_generator_states(model: "keras.Model", states: dict[str, np.ndarray]) -> None:
    """Puts the generators where they stood when `generator_states` was asked."""
    torch = _torch()
    if not torch:
        for layer in _random_layers(model):
            layer.seed_generator.state.assign(states[layer.name])
        return
    torch.set_rng_state(torch.from_numpy(states["cpu"]))
    if "cuda" in states:
        torch.cuda.set_rng_state(torch.from_numpy(states["cuda"]))


def _torch():
    """The module torch where it is the backend, else None."""
    import keras

    if keras.backend.backend() != "torch":
        return None
    import torch

    return torch


def _random_layers(model):
    """The layers that have a generator of their own, those of inner models too."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _random_layers(layer)
        elif hasattr(layer, "seed_generator"):
            yield layer
