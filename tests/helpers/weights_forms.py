"""The right weights in the forms in which people have them, and what each gives."""

import argparse
import datetime
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from keras_fmnist.models import networks, weights
from keras_fmnist.models.torch_weights import to_native


def prefix(start):
    return lambda state: {f"{start}{name}": tensor for name, tensor in state.items()}


def cast(kind):
    return lambda state: {
        name: tensor.to(kind) if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }


def number(state):
    """Names as nn.Sequential gives them: each layer's place, and then the variable."""
    places = {
        name: str(k) for k, name in enumerate(dict.fromkeys(n[: n.rindex(".")] for n in state))
    }
    return {f"{places[n[: n.rindex('.')]]}{n[n.rindex('.') :]}": t for n, t in state.items()}


def share(state):
    """Every tensor a view of one storage, as of flattened parameters."""
    flat = torch.cat([tensor.double().flatten().float() for tensor in state.values()])
    sizes = [tensor.numel() for tensor in state.values()]
    views = [
        part.reshape(tensor.shape)
        for part, tensor in zip(flat.split(sizes), state.values(), strict=True)
    ]
    return dict(zip(state, views, strict=True))


def turn(state):
    """The same values in another order of memory: channels last, and transposed."""
    return {
        name: tensor.to(memory_format=torch.channels_last)
        if tensor.ndim == 4
        else tensor.T.contiguous().T
        if tensor.ndim == 2
        else torch.stack([tensor, tensor], -1)[..., 0]
        for name, tensor in state.items()
    }


def checkpoint(key):
    return lambda state: {
        "epoch": 3,
        "loss": torch.tensor(0.3),
        "note": "the best so far",
        key: state,
        "optimizer_state_dict": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{}]},
    }


def split(state):
    """Each part of the net in an entry of its own."""
    parts = {}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    return parts


# What is done to a state_dict before it is saved, and what `convert` says of it.
FORMS = {
    "as it is": (lambda state: state, None),
    "an OrderedDict of parameters": (
        lambda state: OrderedDict(
            (n, torch.nn.Parameter(t, t.is_floating_point())) for n, t in state.items()
        ),
        None,
    ),
    "DataParallel, DistributedDataParallel": (prefix("module."), "without module."),
    "torch.compile": (prefix("_orig_mod."), "without _orig_mod."),
    "both of them": (prefix("module._orig_mod."), "without module. and _orig_mod."),
    "Lightning's model.": (prefix("model."), "without model."),
    "Lightning's net.": (prefix("net."), "without net."),
    "parts compiled one by one": (
        lambda state: {name.replace(".", "._orig_mod.", 1): t for name, t in state.items()},
        "without _orig_mod.",
    ),
    "an averaged model": (
        lambda state: {"n_averaged": torch.tensor(5), **prefix("module.")(state)},
        "without module.",
    ),
    **{
        f"a checkpoint's {key}": (checkpoint(key), f"taken from {key!r}")
        for key in ("state_dict", "model_state_dict", "model")
    },
    "a wrapped net's checkpoint": (
        lambda state: checkpoint("state_dict")(prefix("model.")(state)),
        "taken from 'state_dict', without model.",
    ),
    "an entry of any name": (lambda state: {"best_net": state}, "taken from 'best_net'"),
    "an entry for each part": (split, "taken from 'encoder', taken from 'decoder'"),
    "numbers and text beside the tensors": (lambda state: state | {"epoch": 3, "by": "me"}, None),
    "numpy's numbers, arguments and paths beside the tensors": (
        lambda state: {
            "best": np.float64(0.9),
            "curve": np.arange(3.0),
            "args": argparse.Namespace(lr=0.1, seed=np.int64(3)),
            "path": Path("w.pt"),
            "when": datetime.datetime(2026, 1, 1),
            "model_state_dict": state,
        },
        "taken from 'model_state_dict'",
    ),
    "float64": (cast(torch.float64), "float64 made float32"),
    "float16": (cast(torch.float16), "float16 made float32"),
    "bfloat16": (cast(torch.bfloat16), "bfloat16 made float32"),
    "views of one storage": (share, None),
    "channels last, not contiguous": (turn, None),
    "nn.Sequential's numbers": (number, "matched by order and shape"),
    "own names": (
        lambda state: {
            name.replace("encoder.conv", "features.c").replace("decoder.deconv", "up.t"): t
            for name, t in state.items()
        },
        "matched by order and shape",
    ),
    "own names in another order": (
        lambda state: dict(reversed(number(state).items())),
        "matched by order and shape",
    ),
}
ROUNDED = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def fresh_state(spec, seed=1):
    """A state_dict of random values, each an own one."""
    arrays = to_native(weights.get_arrays(networks.build(spec, seed)))
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def expect(state, form):
    kind = ROUNDED.get(form, torch.float32)
    return {n: t.to(kind).float() for n, t in state.items() if t.is_floating_point()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor), name
