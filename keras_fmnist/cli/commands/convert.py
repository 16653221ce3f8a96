"""`keras-fmnist convert`: a file of weights from one format into another."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import check_target, find_experiment
from keras_fmnist.cli.output import format_table, make_printable
from keras_fmnist.files import read_bounded
from keras_fmnist.settings import SpecError, shorten

if TYPE_CHECKING:
    import keras

    from keras_fmnist.models.weights import Arrays

READ = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")
WRITTEN = (".safetensors", ".pt", ".pth", ".keras")
COLUMNS = ("the file's", "shape", "ours", "shape")
LONGEST_MAP = 1 << 20  # bytes


def convert(
    catalogue: Catalogue,
    source: Annotated[str, "a .pt, .pth, .ckpt, .bin or .safetensors file"],
    target: Annotated[str, "the file to write: .safetensors, .pt (a state_dict) or .keras"],
    experiment: Annotated[str, "whose net it is, such as mansilla/base"],
    *,
    map: Annotated[
        str | None,
        "a text file that says which tensor is which: on each line the file's name and ours",
    ] = None,
) -> None:
    """Turns a file of weights into another format, PyTorch's too (a trained run: export).

    PyTorch's files are taken as people have them: a `state_dict` alone or in a checkpoint, of a
    wrapped net, in another precision, under other names, of the encoder alone. What was done is
    said in a line. Names that are not ours are matched by order and shape where that leaves one
    way, and the way is shown; where it does not, both sides are, and `map` decides.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the source does not hold the weights of this net.
    """
    spec = find_experiment(catalogue.specs, experiment)
    check_target("target", target, *WRITTEN)
    if not isinstance(source, str) or Path(source).suffix not in READ:
        raise SpecError(
            f"source must end in {', '.join(READ[:-1])} or {READ[-1]}, not {shorten(source)}"
        )
    if not os.path.isfile(source):
        raise SpecError(f"source {source} does not exist")
    renamed = None if map is None else read_map(map)
    backends.select_device("cpu")
    from keras_fmnist.inference.export import write_net
    from keras_fmnist.models import networks, weights

    model = networks.build(spec)
    weights.set_arrays(model, read_arrays(source, model, renamed))
    print(f"{target}: {write_net(target, model, spec)} of {spec.id}")


def read_map(path: object) -> dict[str, str]:
    """Reads which tensor is which: `{the file's name: our name}`.

    Each line has both, with a tab or spaces between them. Empty lines, and those that begin with
    #, are passed over.

    Raises:
        SpecError: there is no such file, or a line of it is not of that form.
    """
    if not isinstance(path, str):
        raise SpecError(f"map must name a text file, not {shorten(path)}")
    try:
        lines = read_bounded(path, LONGEST_MAP).decode().splitlines()
    except OSError as error:
        raise SpecError(f"map {path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SpecError(f"map {path} is no text") from None
    renamed = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        names = [name.strip() for name in line.split("\t" if "\t" in line else None)]
        if len(names) != 2:
            raise SpecError(
                f"map {path}, line {number}: it takes two names, as in "
                f"net.0.weight encoder.conv1.weight, not {shorten(line)}"
            )
        if names[0] in renamed or names[1] in renamed.values():
            raise SpecError(f"map {path}, line {number}: a name of {shorten(line)} stands twice")
        renamed[names[0]] = names[1]
    return renamed


def read_arrays(
    source: str, model: "keras.Model", renamed: dict[str, str] | None = None
) -> "Arrays":
    """The weights in a file for a model; a part of it that the file lacks keeps the model's.

    What was done to the file's tensors is printed, and where they do not fit both sides are.

    Args:
        source: a safetensors file with Keras's names, or one with PyTorch's.
        model: the net that they belong to.
        renamed: see `read_map`.

    Raises:
        WeightsError: the file is damaged, or does not hold the weights of this net.
    """
    from keras_fmnist.models import torch_files, torch_weights, weights
    from keras_fmnist.models.matching import MatchError, match

    own = weights.get_arrays(model)
    is_native = Path(source).suffix != ".safetensors"
    if is_native:
        file = torch_files.load_native(source)
        found, notes = file.arrays, file.notes
    else:
        found, notes = weights.to_float32(weights.load(source))
        is_native = not any("/" in name for name in found)  # saved by PyTorch's safetensors
    ours = {torch_weights.native_name(name) if is_native else name: name for name in own}
    wanted = {
        name: torch_weights.native_shape(own[key].shape) if is_native else own[key].shape
        for name, key in ours.items()
    }
    shapes = {name: array.shape for name, array in found.items()}
    try:
        way = match(shapes, wanted, renamed, "." if is_native else "/")
    except MatchError as error:
        if error.rows:
            print(make_printable(format_table(error.rows, COLUMNS)))
        raise weights.WeightsError(f"{source}: {error}") from None
    if notes := [*notes, *way.notes]:
        print(make_printable(f"{source}: {', '.join(notes)}"))
    if way.guessed:
        rows = [(theirs, name) for name, theirs in way.names.items()]
        print(make_printable(format_table(rows, COLUMNS[::2])))
    chosen = {name: found[theirs] for name, theirs in way.names.items()}
    if is_native:
        chosen = torch_weights.from_native(chosen, [ours[name] for name in chosen])
    weights.check(own | chosen, {name: array.shape for name, array in own.items()}, source)
    return own | chosen
