"""The JSON file of a latent space, from which its figures are drawn without Keras."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.json_files import RecordError, read_object
from keras_fmnist.records.record import Record
from keras_fmnist.records.run import locate_latent_space
from keras_fmnist.specs import CLASSES

STEPS = 9  # codes on a line, including both ends


@dataclass(frozen=True, kw_only=True)
class LatentSpace:
    """Two maps of test images and the lines between some of them.

    `labels` are the classes of the first test images, in their order. `pca` and `tsne` hold an `x`
    and a `y` for each of them, and `pca` also the `share` of the variance on each axis. Each line
    holds two `test_rows` and packed `images`: the first original, the `STEPS` images decoded
    between the two codes, and the second original.
    """

    report: str
    experiment: str
    seed: int
    backend: str
    device: str
    weights_sha256: str
    labels: list
    pca: dict
    tsne: dict
    lines: list

    @property
    def id(self) -> str:
        """`report/experiment`."""
        return f"{self.report}/{self.experiment}"


def read_latent_space(path: Path | str) -> LatentSpace:
    """Reads and checks the file of a `LatentSpace`.

    Raises:
        RecordError: the file is damaged; the message names it.
    """
    values = read_object(path)
    try:
        space = LatentSpace(**values)
        for field in dataclasses.fields(LatentSpace):
            if not isinstance(getattr(space, field.name), field.type):
                raise TypeError(f"{field.name} must be a {field.type.__name__}")
        _check(space)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise RecordError(f"{path} is not a latent space ({error})") from None
    return space


def find_latent_space(out: Path | str, records: Sequence[Record]) -> LatentSpace | None:
    """Returns what `keras-fmnist latent` measured, if it used the weights of one of the records.

    Args:
        out: the folder of the records.
        records: of one autoencoder.

    Raises:
        RecordError: the file is damaged.
    """
    path = locate_latent_space(out, records[0].id)
    if not path.exists():
        return None
    space = read_latent_space(path)
    digests = {record.weights_sha256["final"] for record in records}
    return space if space.weights_sha256 in digests else None


def _check(space):
    """Checks what the figures rely on."""
    axes = [space.pca["x"], space.pca["y"], space.tsne["x"], space.tsne["y"]]
    if not all(len(axis) == len(space.labels) > 0 for axis in axes):
        raise ValueError("every image must have a label and a place on both maps")
    if not all(math.isfinite(value) for axis in (*axes, space.pca["share"]) for value in axis):
        raise ValueError("every number must be finite")
    if not all(isinstance(k, int) and 0 <= k < CLASSES for k in space.labels):
        raise ValueError("a label must be a whole number from 0 to 9")
    if len(space.pca["share"]) != 2:
        raise ValueError("pca must have a share for each axis")
    for line in space.lines:
        if not all(isinstance(k, int) and 0 <= k < len(space.labels) for k in line["test_rows"]):
            raise ValueError("a line must be between two of the images")
        if len(line["test_rows"]) != 2 or len(unpack_images(line["images"])) != STEPS + 2:
            raise ValueError(f"a line must have two rows and {STEPS + 2} images")
