"""TODO."""

from collections.abc import Sequence
from pathlib import Path

from keras_fmnist import backends
from keras_fmnist.cli.arguments import (
    check_int,
    check_records_folder,
    check_target,
    find_experiment,
)
from keras_fmnist.records.run import STUDY
from keras_fmnist.settings import SpecError, shorten
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

EXPORTED = ("keras", "onnx", "safetensors")


def export(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiment: str,
    format: str | None = None,
    target: str | None = None,
    seed: int = 0,
    out: str = STUDY,
) -> None:
    """Writes the net of a run, or its weights, in a format that others read.

    Args:
        specs: those of all experiments.
        experiment: the id of one of them.
        format: keras, onnx or safetensors; the target's ending where it is not given.
        target: the file; `<experiment>.<format>` in the working folder where it is not given.
        seed: of the run.
        out: the folder of the records.

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
        RuntimeError: the ONNX file does not compute what Keras does.
    """
    spec = find_experiment(specs, experiment)
    check_int("seed", seed, 0, 2**31 - 1)
    check_records_folder(out)
    target = _choose_target(spec, format, target)
    backends.select_device("cpu")
    from keras_fmnist.inference import trained
    from keras_fmnist.inference.export import check_onnx, write_net

    if target.endswith(".onnx"):
        check_onnx()
    net = trained.load(out, trained.find(out, spec.id, seed), spec)
    words = write_net(target, net.model, net.spec.darkest)
    print(
        f"{target}: {words} of {spec.id}, seed {seed}; "
        f"images are (n, 28, 28, 1) float32 from {net.spec.darkest:g} to 1"
    )


def _choose_target(spec, format, target):
    """The file to write, which its format and its ending agree on."""
    if format is not None and format not in EXPORTED:
        raise SpecError(f"format must be {' or '.join(EXPORTED)}, not {shorten(format)}")
    if target is None:
        if format is None:
            raise SpecError(
                f"say --format {' or '.join(EXPORTED)}, or --target and a file that ends so"
            )
        target = f"{spec.name}.{format}"
    check_target("target", target, *(f".{ending}" for ending in EXPORTED))
    if format is not None and Path(target).suffix != f".{format}":
        raise SpecError(f"target must end in .{format}, as the format says, not {shorten(target)}")
    return target
