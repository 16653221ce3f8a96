"""`keras-fmnist convert`: a file of weights from one format into another."""

import os
from pathlib import Path
from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import check_target, find_experiment
from keras_fmnist.settings import SpecError, shorten

READ = (".pt", ".pth", ".safetensors")
WRITTEN = (".safetensors", ".pt", ".pth", ".keras")


def convert(
    catalogue: Catalogue,
    source: Annotated[str, "a .pt, .pth or .safetensors file"],
    target: Annotated[str, "the file to write: .safetensors, .pt (a state_dict) or .keras"],
    experiment: Annotated[str, "whose net it is, such as mansilla/base"],
) -> None:
    """Turns a file of weights into another format, PyTorch's too (a trained run: export).

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the source does not hold the weights of this net.
    """
    spec = find_experiment(catalogue.specs, experiment)
    check_target("target", target, *WRITTEN)
    if not isinstance(source, str) or Path(source).suffix not in READ:
        raise SpecError(f"source must end in .pt, .pth or .safetensors, not {shorten(source)}")
    if not os.path.isfile(source):
        raise SpecError(f"source {source} does not exist")
    backends.select_device("cpu")
    from keras_fmnist.inference.export import write_net
    from keras_fmnist.models import networks, torch_weights, weights

    model = networks.build(spec)
    if Path(source).suffix == ".safetensors":
        arrays = weights.load(source)
    else:
        native = torch_weights.load_native(source)
        arrays = torch_weights.from_native(native, weights.variables(model))
    weights.set_arrays(model, arrays)
    print(f"{target}: {write_net(target, model, spec.pixel_min)} of {spec.id}")
