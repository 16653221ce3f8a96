"""What a latent space looks like, as a small JSON from which its figures are drawn without Keras.

Two maps of the codes of the first 2 000 test images, and what the decoder makes of the codes on a
straight line between two images.
"""

from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist.data import CLASS_NAMES, Dataset
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.records.images import pack_images
from keras_fmnist.records.latent_space import STEPS, LatentSpace

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

    from keras_fmnist.inference.trained import Trained


IMAGES = 2000  # t-SNE takes ten seconds for so many, and grows faster than their number
PAIRS = (("T-shirt/top", "Dress"), ("Sneaker", "Ankle boot"), ("Trouser", "Bag"))


def measure_latent_space(trained: "Trained", dataset: Dataset) -> LatentSpace:
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
    firsts = dataset.find_first_of_each_class()
    rows = [firsts[CLASS_NAMES.index(name)] for name in pair]
    ends = dataset.test_images[rows]
    codes = trained.encode(ends)
    along = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
    rebuilt = trained.decode(codes[:1] + along * (codes[1:] - codes[:1]))
    first, last = scale_pixels(ends[:1]), scale_pixels(ends[1:])
    images = np.concatenate([first, rebuilt, last])
    return {"test_rows": rows, "images": pack_images(images)}
