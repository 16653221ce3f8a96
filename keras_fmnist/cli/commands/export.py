"""`keras-fmnist export`: the net of a trained run for use elsewhere."""

from pathlib import Path
from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    RecordsFolder,
    SeedOfRun,
    check_int,
    check_records_folder,
    check_target,
    find_experiment,
)
from keras_fmnist.records.run import STUDY
from keras_fmnist.settings import SpecError, shorten
from keras_fmnist.specs import Spec

FORMATS = ("keras", "onnx", "safetensors")


def export(
    catalogue: Catalogue,
    experiment: Annotated[str, "such as mansilla/classifier_full"],
    *,
    format: Annotated[
        str | None, "keras or onnx, the net; or safetensors, its weights alone"
    ] = None,
    target: Annotated[
        str | None, "the file to write; else the experiment's name in this folder"
    ] = None,
    seed: SeedOfRun = 0,
    out: RecordsFolder = STUDY,
) -> None:
    """Writes the net of a trained run for use elsewhere (a file of weights: convert).

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
        RuntimeError: the ONNX file does not compute what Keras does.
    """
    spec = find_experiment(catalogue.specs, experiment)
    check_int("seed", seed, 0, 2**31 - 1)
    check_records_folder(out)
    target = _choose_target(spec, format, target)
    backends.select_device("cpu")
    from keras_fmnist.inference import trained
    from keras_fmnist.inference.export import check_onnx, write_net

    if target.endswith(".onnx"):
        check_onnx()
    net = trained.load(out, trained.find(out, spec.id, seed), spec)
    content = write_net(target, net.model, net.spec.pixel_min)
    print(
        f"{target}: {content} of {spec.id}, seed {seed}; "
        f"images are (n, 28, 28, 1) float32 from {net.spec.pixel_min:g} to 1"
    )


def _choose_target(spec: Spec, format: str | None, target: str | None) -> str:
    """The file to write, which its format and its ending agree on."""
    if format is not None and format not in FORMATS:
        raise SpecError(f"format must be {' or '.join(FORMATS)}, not {shorten(format)}")
    if target is None:
        if format is None:
            raise SpecError(
                f"say --format {' or '.join(FORMATS)}, or --target and a file that ends so"
            )
        target = f"{spec.name}.{format}"
    check_target("target", target, *(f".{ending}" for ending in FORMATS))
    if format is not None and Path(target).suffix != f".{format}":
        raise SpecError(f"target must end in .{format}, as the format says, not {shorten(target)}")
    return target
