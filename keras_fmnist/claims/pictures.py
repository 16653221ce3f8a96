"""What is read off ten test images, one a class, and what an autoencoder made of them.

Pixels are in [0, 1]. A picture has a coarse part, the means of its 7×7 blocks of 4×4 pixels, and a
fine part, what is left of it: patterns and edges.
"""

import numpy as np

from keras_fmnist.claims.quantities import define
from keras_fmnist.records.images import unpack_images

BLOCK = 4


def _pair(run):
    """The ten originals and their reconstructions, each `(10, 28, 28)`."""
    return [
        unpack_images(run.images[name]).astype(float) / 255
        for name in ("originals", "reconstructions")
    ]


def _coarse(images):
    """Means of blocks, `(n, 28, 28)` like the images."""
    size = images.shape[1] // BLOCK
    blocks = images.reshape(-1, size, BLOCK, size, BLOCK).mean((2, 4))
    return blocks.repeat(BLOCK, 1).repeat(BLOCK, 2)


def _fine(images):
    return images - _coarse(images)


def _explained(part):
    """The share of what tells ten originals apart, in one part, that reconstructions show."""

    def of(run):
        originals, rebuilt = (part(images) for images in _pair(run))
        left, all_of_it = (
            ((originals - other) ** 2).sum() for other in (rebuilt, originals.mean(0))
        )
        return 1 - float(left) / float(all_of_it)

    return of


def _relative(measure):
    """What a measure of the reconstructions is, as a share of that of the originals."""

    def of(run):
        originals, rebuilt = (measure(images) for images in _pair(run))
        return float(rebuilt) / float(originals)

    return of


def _total_variation(images):
    return np.abs(np.diff(images, axis=1)).sum() + np.abs(np.diff(images, axis=2)).sum()


def _spread(images):
    """Of the pixels within a picture: its contrast."""
    return images.std(axis=(1, 2)).mean()


def _share(key, of):
    return define(key, of, most=1, compared="difference", percent=True)


# 1 is perfect; 0 is what the same picture ten times reaches, the best of which is their mean.
EXPLAINED = _share("explained", _explained(lambda images: images))
COARSE = _share("coarse", _explained(_coarse))
FINE = _share("fine", _explained(_fine))
TOTAL_VARIATION = define("total_variation", _relative(_total_variation), least=0, percent=True)
CONTRAST = define("contrast", _relative(_spread), least=0, percent=True)
FINE_CONTRAST = define(
    "fine_contrast", _relative(lambda images: _spread(_fine(images))), least=0, percent=True
)
