"""`keras-fmnist export`: the net of a trained run for use elsewhere."""

from pathlib import Path
from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    RecordsFolder,
    SeedOfRun,
    check_int,
    check_target,
    find_experiment,
    find_records_folder,
    say_where_records_are,
)
from keras_fmnist.files import write_whole
from keras_fmnist.settings import SpecError, shorten
from keras_fmnist.specs import Spec

ENDINGS = {"keras": ".keras", "onnx": ".onnx", "safetensors": ".safetensors", "pytorch": ".pt"}


def export(
    catalogue: Catalogue,
    experiment: Annotated[str, "such as mansilla/classifier_full"],
    *,
    format: Annotated[
        str | None,
        "keras or onnx, the net; pytorch, a state_dict and its net's source beside it; or "
        "safetensors, the weights alone",
    ] = None,
    target: Annotated[
        str | None, "the file to write; else the experiment's name in this folder"
    ] = None,
    seed: SeedOfRun = 0,
    out: RecordsFolder = None,
) -> None:
    """Writes the net of a trained run for use elsewhere (a file of weights: convert).

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
        RuntimeError: the ONNX file does not compute what Keras does.
    """
    spec = find_experiment(catalogue.specs, experiment)
    check_int("seed", seed, 0, 2**31 - 1)
    out = find_records_folder(out)
    target = _choose_target(spec, format, target)
    backends.select_device("cpu")
    from keras_fmnist.inference import trained
    from keras_fmnist.inference.export import check_onnx, write_net

    if target.endswith(".onnx"):
        check_onnx()
    record = trained.find(out, spec.id, seed)
    say_where_records_are(out)
    net = trained.load(out, record, spec)
    shape = "(n, 28, 28, 1)"
    if target.endswith(".pt"):
        shape = "(n, 1, 28, 28)"
        print(_write_source(target, net.spec))
    content = write_net(target, net.model, net.spec)
    print(
        f"{target}: {content} of {spec.id}, seed {seed}; "
        f"images are {shape} float32 from {net.spec.pixel_min:g} to 1"
    )


def _write_source(target: str, spec: Spec) -> str:
    """Writes the source of a PyTorch net beside its weights, and says so."""
    from keras_fmnist.pytorch.standalone import FIRST_LINE, write_source

    path = Path(target).with_suffix(".py")
    try:
        is_ours = path.read_bytes().startswith(FIRST_LINE.encode())
    except FileNotFoundError:
        is_ours = True
    if not is_ours:
        raise SpecError(f"{path} is there and no net of ours: name another target")
    write_whole(path, write_source(spec, path.stem).encode())
    return f"{path}: the net in plain PyTorch; its load() gives it with these weights"


def _choose_target(spec: Spec, format: str | None, target: str | None) -> str:
    """The file to write, which its format and its ending agree on."""
    if format is not None and format not in list(ENDINGS):  # a dict has no hash
        raise SpecError(f"format must be {' or '.join(ENDINGS)}, not {shorten(format)}")
    if target is None:
        if format is None:
            raise SpecError(
                f"say --format {' or '.join(ENDINGS)}, or --target and a file of such a format"
            )
        target = spec.name + ENDINGS[format]
    check_target("target", target, *ENDINGS.values())
    if format is not None and Path(target).suffix != ENDINGS[format]:
        raise SpecError(
            f"target must end in {ENDINGS[format]}, as the format says, not {shorten(target)}"
        )
    return target
