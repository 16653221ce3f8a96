"""What the live page needs of the data set and cannot be read off the records, as one file.

`<out>/live.safetensors` holds test images to leaf through, the principal components that every
reconstruction is held to, and for each net what its codes or logits do over all test images. With
it and the weights beside the records the page is written without a framework and without the data.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist.data import CLASS_NAMES, Dataset
from keras_fmnist.inference.latent import IMAGES, fit_plane
from keras_fmnist.models import baselines, weights
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.record import Record
from keras_fmnist.specs import CLASSES, IMAGE_SIZE, AutoencoderSpec, ClassifierSpec, restored

if TYPE_CHECKING:
    from keras_fmnist.inference.trained import Trained

IMAGES_A_CLASS = 10
COMPONENTS = 256  # as many as the longest code that is shorter than an image has
MOST_BYTES = 16 << 20
PIXELS = IMAGE_SIZE * IMAGE_SIZE


@dataclass(frozen=True, eq=False)
class LiveNet:
    """A net of the page: its spec with the run's settings, and the record of that run."""

    spec: AutoencoderSpec | ClassifierSpec
    record: Record


@dataclass(frozen=True, eq=False)
class LiveData:
    """Arrays by name, and the nets that they were computed with.

    Arrays: `images` `(100, 28, 28)` uint8, `labels` and `rows` `(100,)` int32, the first images of
    each class and their places in the test set; `pca_mean` `(784,)` and `pca_components`
    `(256, 784)` float16, fitted on all training images in [0, 1]. Of each autoencoder, under its
    id: `/mean` `(n,)` and `/axes` `(2, n)`, the plane of its map of codes; `/least`, `/most` and
    `/spread` `(n,)`, each number of the code over all test images. Of each classifier `/most`
    `(10,)`, the largest logit of each class over all of them. These are float32.
    """

    arrays: weights.Arrays
    nets: dict[str, LiveNet]


def locate_live_data(out: Path | str) -> Path:
    """Where it lies in a folder of records."""
    return Path(out, "live.safetensors")


def measure_live_data(trained: "Iterable[Trained]", dataset: Dataset) -> LiveData:
    """Computes all of it; a minute on one core, most of which the principal components take."""
    rows = _first_of_each_class(dataset.test_labels)
    pca = baselines.fit_pca(dataset.train_images, COMPONENTS)
    arrays = {
        "images": dataset.test_images[rows, ..., 0],
        "labels": dataset.test_labels[rows].astype(np.int32),
        "rows": rows.astype(np.int32),
        "pca_mean": pca.mean_.astype(np.float16),
        "pca_components": pca.components_.astype(np.float16),
    }
    nets = {}
    for net in trained:
        found = _of_net(net, dataset.test_images)
        arrays |= {f"{net.record.id}/{name}": np.float32(array) for name, array in found.items()}
        nets[net.record.id] = LiveNet(net.spec, net.record)
    return LiveData(arrays, nets)


def _first_of_each_class(labels):
    """Places of the first images of each class, one of each class in turn."""
    found = [np.flatnonzero(labels == label)[:IMAGES_A_CLASS] for label in range(len(CLASS_NAMES))]
    return np.stack(found, axis=1).ravel()


def _of_net(net, images):
    if net.record.is_classifier:
        return {"most": net.logits(images).max(axis=0)}
    codes = net.encode(images)
    plane = fit_plane(codes[:IMAGES])
    return {
        "mean": plane.mean_,
        "axes": plane.components_,
        "least": codes.min(axis=0),
        "most": codes.max(axis=0),
        "spread": codes.std(axis=0, dtype=np.float64),
    }


def write_live_data(out: Path | str, found: LiveData) -> Path:
    """Writes it into a folder of records, whole or not at all."""
    path = locate_live_data(out)
    digests = {name: net.record.weights_sha256["final"] for name, net in found.nets.items()}
    weights.save(path, found.arrays, {"weights_sha256": json.dumps(digests, sort_keys=True)})
    return path


def find_live_data(
    out: Path | str, specs: Iterable[AutoencoderSpec | ClassifierSpec], records: Iterable[Record]
) -> LiveData | None:
    """What `keras-fmnist live` has left, if records name the weights of each net in it.

    Args:
        out: the folder of the records.
        specs: the nets of the page.
        records: of any experiments.

    Raises:
        RecordError: it is damaged; the message names the file.
    """
    path = locate_live_data(out)
    if not path.exists():
        return None
    try:
        arrays = weights.load(path, most=MOST_BYTES)
        digests = json.loads(weights.metadata(path).get("weights_sha256", "{}"))
        nets = _find_nets(specs, records, digests)
        if nets is not None:
            _check(arrays, nets)
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordError(f"{path} is not what keras-fmnist live writes ({error})") from None
    return nets and LiveData(arrays, nets)


def _find_nets(specs, records, digests):
    """Of each net its spec and the run with the weights that are named; None where one lacks."""
    named = {(record.id, record.weights_sha256.get("final")): record for record in records}
    found = {}
    for spec in specs:
        record = named.get((spec.id, digests.get(spec.id)))
        if record is None:
            return None
        found[spec.id] = LiveNet(restored(spec, record.spec), record)
    return found


def _check(arrays, nets):
    """Holds the arrays to what the page takes for granted."""
    count = IMAGES_A_CLASS * len(CLASS_NAMES)
    wanted = {
        "images": (np.uint8, (count, IMAGE_SIZE, IMAGE_SIZE)),
        "labels": (np.int32, (count,)),
        "rows": (np.int32, (count,)),
        "pca_mean": (np.float16, (PIXELS,)),
        "pca_components": (np.float16, (COMPONENTS, PIXELS)),
    }
    for name, net in nets.items():
        if net.record.is_classifier:
            shapes = {"most": (CLASSES,)}
        else:
            size = net.spec.code_size
            shapes = {
                "axes": (2, size),
                **dict.fromkeys(("mean", "least", "most", "spread"), (size,)),
            }
        wanted |= {f"{name}/{part}": (np.float32, shape) for part, shape in shapes.items()}
    for name, (kind, shape) in wanted.items():
        array = arrays.get(name)
        if array is None or array.dtype != kind or array.shape != shape:
            raise ValueError(f"{name} must be {np.dtype(kind)} of shape {shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite")
    if not ((arrays["labels"] >= 0) & (arrays["labels"] < len(CLASS_NAMES))).all():
        raise ValueError("labels must be from 0 to 9")
