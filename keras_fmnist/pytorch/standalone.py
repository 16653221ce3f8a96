"""A net as a module of its own: the source of `nets`, and the call that builds this one.

Whoever has PyTorch loads the weights with it, and needs nothing of this package.
"""

import inspect
import textwrap

from keras_fmnist.pytorch import nets
from keras_fmnist.pytorch.from_spec import list_arguments
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

FIRST_LINE = '"""A net of keras-fmnist in plain PyTorch, written by `keras-fmnist export`.\n'

_MODULE = (
    FIRST_LINE
    + '''
{description}

A number in brackets, as in [2], is an open question of the project's README.

    from {stem} import load

    net = load()
"""

from pathlib import Path

import torch
{nets}

def build() -> {kind}:
    """The net, with PyTorch's own fresh weights."""
    encoder = Encoder(
{encoder}    )
    return {kind}({whole})


def load(path: str | Path = Path(__file__).with_suffix(".pt")) -> {kind}:
    """The net with its trained weights, in evaluation mode."""
    net = build()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net.eval()
'''
)


def write_source(spec: AutoencoderSpec | ClassifierSpec, stem: str) -> str:
    """The source of a module that builds the net of a spec and loads its weights.

    Args:
        spec: whose net it is.
        stem: the module's name; its weights lie beside it, in a file of this name.
    """
    arguments = list_arguments(spec)
    whole = "encoder,\n"
    if spec.is_classifier:
        whole += _write_arguments(arguments["Classifier"])
    else:
        decoder = textwrap.indent(_write_arguments(arguments["Decoder"]), "    ")
        whole += f"        Decoder(\n{decoder}        ),\n"
    _, _, source = inspect.getsource(nets).split('"""', 2)
    return _MODULE.format(
        description=textwrap.fill(
            f"{spec.id}: {spec.summary}. Images are (batch, 1, 28, 28) float32, "
            f"black {spec.pixel_min:g} and white 1.",
            88,
        ),
        stem=stem,
        nets=source.strip() + "\n",
        kind="Classifier" if spec.is_classifier else "Autoencoder",
        encoder=_write_arguments(arguments["Encoder"]),
        whole=f"\n        {whole}    ",
    )


def _write_arguments(arguments):
    return "".join(f"        {name}={_write_value(value)},\n" for name, value in arguments.items())


def _write_value(value):
    if not isinstance(value, list):
        return repr(value)
    items = "".join(f"            {item!r},\n" for item in value)
    return f"[\n{items}        ]"
