"""What a latent space looks like, as a small JSON from which its figures are drawn without Keras.

Two maps of the codes of the first 2 000 test images, and what the decoder makes of the codes on a
straight line between two images.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist import results, schema
from keras_fmnist.data import CLASS_NAMES, Dataset

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

    from keras_fmnist.trained import Trained

IMAGES = 2000  # t-SNE takes ten seconds for so many, and grows faster than their number
PAIRS = (("T-shirt/top", "Dress"), ("Sneaker", "Ankle boot"), ("Trouser", "Bag"))
STEPS = 9  # codes on a line, both ends included


@dataclass(frozen=True, kw_only=True)
class LatentSpace:
    """Two maps of test images and the lines between some of them.

    `labels` are the classes of the first test images, in their order. `pca` and `tsne` hold one `x`
    and one `y` for each; `pca` also the `share` of the variance on each axis. A line holds the two
    rows of the test set and, packed, the first image, its `STEPS` decoded codes and the last image.
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


def measure(trained: "Trained", dataset: Dataset) -> LatentSpace:
    """The latent space of an autoencoder.

    Args:
        trained: a `trained.Trained`.
        dataset: a `data.Dataset`.

    Raises:
        RuntimeError: every image has the same code.
    """
    codes = trained.encode(dataset.test_images[:IMAGES])
    if np.ptp(codes, axis=0).max() == 0:
        raise RuntimeError(f"{trained.record.id} gives every image the same code: nothing to map")
    pca, tsne = _maps(codes)
    record = trained.record
    return LatentSpace(
        report=record.report,
        experiment=record.experiment,
        seed=record.seed,
        backend=record.backend,
        device=record.device,
        weights_sha256=record.weights_sha256["final"],
        labels=dataset.test_labels[:IMAGES].tolist(),
        pca=pca,
        tsne=tsne,
        lines=[_line(trained, dataset, pair) for pair in PAIRS],
    )


def _maps(codes):
    from sklearn.manifold import TSNE  # a second to import

    pca = fit_plane(codes)
    flat = pca.transform(codes)
    near = TSNE(init="pca", random_state=0).fit_transform(codes)
    share = {"share": _digits(pca.explained_variance_ratio_)}
    return _axes(flat) | share, _axes(near)


def fit_plane(codes: np.ndarray) -> "PCA":
    """The plane in which codes `(n, numbers)` vary most; the map of PCA shows them in it."""
    from sklearn.decomposition import PCA

    return PCA(2, random_state=0).fit(codes)


def _axes(points):
    return {"x": _digits(points[:, 0]), "y": _digits(points[:, 1])}


def _digits(values):
    """Four digits: more would be on no screen."""
    return [float(f"{value:.4g}") for value in values]


def _line(trained, dataset, pair):
    rows = [int(np.argmax(dataset.test_labels == CLASS_NAMES.index(name))) for name in pair]
    ends = dataset.test_images[rows]
    codes = trained.encode(ends)
    along = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
    rebuilt = trained.decode(codes[:1] + along * (codes[1:] - codes[:1]))
    first, last = ends[:1] / 255, ends[1:] / 255
    images = np.concatenate([first, rebuilt, last])
    return {"test_rows": rows, "images": results.pack_images(images)}


def read(path: Path | str) -> LatentSpace:
    """Reads what `results.write` has written of a `LatentSpace`.

    Raises:
        RecordError: it is damaged; the message names the file.
    """
    values = schema.read_object(path)
    try:
        space = LatentSpace(**values)
        for field in dataclasses.fields(LatentSpace):
            if not isinstance(getattr(space, field.name), field.type):
                raise TypeError(f"{field.name} must be a {field.type.__name__}")
        _check(space)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise results.RecordError(f"{path} is no latent space ({error})") from None
    return space


def find(out: Path | str, records: Sequence[results.Record]) -> LatentSpace | None:
    """What `keras-fmnist latent` has left, if it is of weights that one of the records names.

    Args:
        out: the folder of the records.
        records: of one autoencoder.

    Raises:
        RecordError: it is damaged.
    """
    path = results.latent_path(out, records[0].id)
    if not path.exists():
        return None
    space = read(path)
    digests = {record.weights_sha256["final"] for record in records}
    return space if space.weights_sha256 in digests else None


def _check(space):
    """Holds a latent space to what its figures take for granted."""
    axes = [space.pca["x"], space.pca["y"], space.tsne["x"], space.tsne["y"]]
    if not all(len(axis) == len(space.labels) > 0 for axis in axes):
        raise ValueError("every image must have a label and a place on both maps")
    if not all(math.isfinite(value) for axis in (*axes, space.pca["share"]) for value in axis):
        raise ValueError("every number must be finite")
    if not all(isinstance(k, int) and 0 <= k < len(CLASS_NAMES) for k in space.labels):
        raise ValueError("a label must be a whole number from 0 to 9")
    if len(space.pca["share"]) != 2:
        raise ValueError("pca must have a share for each axis")
    for line in space.lines:
        if not all(isinstance(k, int) and 0 <= k < len(space.labels) for k in line["test_rows"]):
            raise ValueError("a line must be between two of the images")
        if len(line["test_rows"]) != 2 or len(results.unpack_images(line["images"])) != STEPS + 2:
            raise ValueError(f"a line must have two rows and {STEPS + 2} images")
