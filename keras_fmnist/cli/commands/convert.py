"""TODO."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_fmnist import backends
from keras_fmnist.cli.arguments import check_target, find_experiment
from keras_fmnist.inference.export import write_net
from keras_fmnist.settings import SpecError, shorten
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

CONVERTED = (".safetensors", ".pt", ".pth", ".keras")  # what `convert` writes


def convert(
    specs: Sequence[AutoencoderSpec | ClassifierSpec], source: str, target: str, experiment: str
) -> None:
    """Turns weights of an experiment's net from one format into another.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the source does not hold the weights of this net.
    """
    spec = find_experiment(specs, experiment)
    check_target("target", target, *CONVERTED)
    if not isinstance(source, str) or Path(source).suffix not in (".pt", ".pth", ".safetensors"):
        raise SpecError(f"source must end in .pt, .pth or .safetensors, not {shorten(source)}")
    if not os.path.isfile(source):
        raise SpecError(f"source {source} does not exist")
    backends.select_device("cpu")
    from keras_fmnist.models import networks, torch_weights, weights

    model = networks.build(spec)
    if Path(source).suffix == ".safetensors":
        arrays = weights.load(source)
    else:
        arrays = torch_weights.from_native(
            torch_weights.load_native(source), weights.variables(model)
        )
    weights.set_arrays(model, arrays)
    print(f"{target}: {write_net(target, model, spec.darkest)} of {spec.id}")
