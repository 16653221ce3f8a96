"""The page that answers: the trained nets, run by TensorFlow.js, with their weights inside."""

import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from markupsafe import Markup

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference.live_data import COMPONENTS, LiveData, find_live_data
from keras_fmnist.models import weights
from keras_fmnist.records.latent_space import find_latent_space
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.latent import TEN
from keras_fmnist.reporting.page import bilingual, nets
from keras_fmnist.specs import IMAGE_SIZE

UNITS = 8  # sliders: more would not stand beside the picture
ENGINE = ("tf-core.min.js", "tf-backend-cpu.min.js")  # @tensorflow/tfjs-*, see vendor/README.md
SCRIPTS = (
    "arrays",
    "nets",
    "pillow",
    "exif",
    "backgrounds",
    "photo",
    "canvas",
    "trial",
    "rebuilt",
    "drawing",
    "walk",
    "start",
)


def build_content(catalogue: Catalogue, records: Sequence[Record], out: Path | str) -> dict | None:
    """What the template shows; the same records, weights and measurements give the same.

    Args:
        catalogue: a `Catalogue`.
        records: of its experiments.
        out: the folder in which they lie, with the weights and what `keras-fmnist live` has left.

    Returns:
        None where that is missing, or is not of weights that the records name.

    Raises:
        RecordError: it is damaged.
        WeightsError: weights are missing or damaged.
    """
    found = _find(catalogue, records, out)
    if found is None:
        return None
    held, tables = _content(out, found)
    return tables | {
        "content": json.dumps(held, sort_keys=True),
        "words": json.dumps(_script_words(), sort_keys=True),
        "engine": _engine(),
        "engine_version": re.search(r'version_core="([\d.]+)"', _engine())[1],
        "scripts": [f"live/{name}.js" for name in SCRIPTS],
    }


def has_live_page(catalogue: Catalogue, records: Sequence[Record], out: Path | str) -> bool:
    """Whether there is a live page, to which the first one then leads.

    Raises:
        RecordError: what `keras-fmnist live` has left is damaged.
    """
    return _find(catalogue, records, out) is not None


def _find(catalogue, records, out):
    chosen = (*catalogue.live.classifiers, *catalogue.live.autoencoders)
    return find_live_data(out, chosen, records)


def _content(out, found: LiveData):
    """What the script reads, and what the template shows of the same nets."""
    store = nets.Store()
    classifiers, autoencoders = [], []
    for run in found.nets.values():
        path = run.record.files(out).weights
        arrays = weights.load(path, run.record.weights_sha256["final"])
        if run.record.is_classifier:
            classifiers.append(_classifier(run, arrays, found.arrays, store))
        else:
            autoencoders.append(_autoencoder(run, arrays, found.arrays, store, out))
    images = {name: store.add(found.arrays[name]) for name in ("images", "labels", "rows")}
    pca = {name: store.add(found.arrays[f"pca_{name}"]) for name in ("mean", "components")}
    content = {
        "classifiers": classifiers,
        "autoencoders": autoencoders,
        "images": images,
        "pca": pca,
        "classes": CLASS_NAMES,
        "colours": TEN,
        "arrays": store.entries,
    }
    rows, labels = (found.arrays[name].tolist() for name in ("rows", "labels"))
    tables = {
        "runs": list(found.nets.values()),
        "classifiers": classifiers,
        "autoencoders": autoencoders,
        "layers": _layers(
            next(run.spec for run in found.nets.values() if not run.record.is_classifier)
        ),
        "choices": [
            (number, CLASS_NAMES[label], row)
            for number, (row, label) in enumerate(zip(rows, labels, strict=True))
        ],
    }
    return content, tables


def _classifier(run, arrays, measured, store):
    most = measured[f"{run.record.id}/most"]
    return {
        "id": run.record.id,
        "name": run.spec.name,
        "steps": nets.classifier(run.spec, arrays, store),
        "pixel_min": run.spec.pixel_min,
        "dead": np.flatnonzero(most == 0).tolist() if run.spec.relu_logits else [],
    }


def _autoencoder(run, arrays, measured, store, out):
    name, spec = run.record.id, run.spec
    part = {
        kind: measured[f"{name}/{kind}"] for kind in ("mean", "axes", "least", "most", "spread")
    }
    order = np.argsort(-part["spread"], kind="stable")[:UNITS]
    space = find_latent_space(out, [run.record])
    return {
        "id": name,
        "name": spec.name,
        "numbers": spec.code_size,
        # Where the code is as long as the image its PCA is the image itself.
        "pca": spec.code_size if spec.code_size <= COMPONENTS else None,
        "exact": spec.code_size >= IMAGE_SIZE**2,
        "pixel_min": spec.pixel_min,
        "dropout": spec.dropout,
        "encoder": nets.encoder(spec, arrays, store, spec.dropout),
        "decoder": nets.decoder(spec, arrays, store),
        "plane": {kind: store.add(part[kind]) for kind in ("mean", "axes")},
        "map": space and _map(space, store),
        "units": [
            {"unit": int(k), "least": float(part["least"][k]), "most": float(part["most"][k])}
            for k in order
        ],
        "never": int((part["least"] == part["most"]).sum()),
    }


def _layers(spec):
    """Of an encoder what its parts give, for the words below their pictures."""
    first, second = spec.kernels
    return {
        "first": {"count": first, "side": (IMAGE_SIZE - 2) // 2},
        "second": {"count": second, "side": spec.map_size},
        "code": {"count": spec.code_size},
    }


def _map(space, store):
    points = {axis: store.add(np.float32(space.pca[axis])) for axis in "xy"}
    labels = store.add(np.array(space.labels, np.uint8))
    return points | {"labels": labels, "share": space.pca["share"]}


def _engine():
    """TensorFlow.js as it is published; a map of its source would be asked of the disk."""
    folder = resources.files(__package__).joinpath("live", "vendor")
    texts = (folder.joinpath(name).read_text("utf-8") for name in ENGINE)
    lines = (line for text in texts for line in text.splitlines())
    return Markup("\n".join(line for line in lines if not line.startswith("//# sourceMappingURL")))


def _script_words():
    """What the script says, for each language: the texts whose names begin with `live_js_`."""
    keys = [key for key in bilingual.text.templates if key.startswith("live_js_")]
    return {
        language: {
            key.removeprefix("live_js_"): bilingual.text.templates[key][language] for key in keys
        }
        for language in ("en", "es")
    }
