"""What a run may show: curves, as functions of the number of epochs, and the rest of a record."""

import numpy as np

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import pack_images


def falling(last):
    return lambda n: np.linspace(2 * last, last, n)


def rising(n):
    return np.linspace(0.5, 0.9, n)


def stepping(curve):
    """With a step against its trend."""
    return lambda n: np.where(np.arange(n) == n // 2, curve(n)[0], curve(n))


def turning(share):
    """Lowest after this share of the epochs."""
    return lambda n: 0.4 + 0.4 * abs(np.linspace(0, 1, n) - share)


def wobbling(size, curve=lambda n: np.full(n, 0.5)):
    return lambda n: curve(n) + size * (-1.0) ** np.arange(n)


def settling(n):
    return np.minimum(np.linspace(0.5, 1.4, n), 0.8) + 0.01 * (-1.0) ** np.arange(n)


def both(curve, metric="loss"):
    return {f"train_eval_{metric}": curve, f"val_{metric}": curve}


def losses(train, val):
    return {"train_eval_loss": train, "val_loss": val}


def accuracies(train, val):
    return {"train_eval_accuracy": train, "val_accuracy": val}


def explaining(share):
    """Ten pictures whose reconstructions explain this share of their variance."""
    originals = np.full((10, 28, 28, 1), 0.4)
    originals[::2] = 0.6  # their mean is 0.5
    rebuilt = originals + (1 - share) ** 0.5 * (0.5 - originals)
    packed = {"originals": originals, "reconstructions": rebuilt}
    packed = {name: pack_images(images) for name, images in packed.items()}
    return {"images": packed | {"test_rows": list(range(10))}}


def matrix(right=900, errors=(), **other):
    """A confusion matrix: how many are right, but of `other` classes; and true shirts' errors."""
    counts = np.ones((10, 10), int)
    np.fill_diagonal(counts, right)
    for word, count in other.items():
        counts[index(word), index(word)] = count
    for word, count in dict(errors).items():
        counts[index("shirt"), index(word)] = count
    return {"confusion_matrix": counts.tolist()}


def index(word):
    """Of the class whose name begins so, in any case."""
    return next(k for k, name in enumerate(CLASS_NAMES) if name.lower().startswith(word))


def printed(spec, times=1.0):
    return {name: times * value for name, value in spec.published.items()}


def taking(cpu):
    return {"seconds": {"total": 900.0, "cpu": cpu, "per_epoch": [30.0] * 30}}


def val_losses(**values):
    return {name: {"val_loss": value} for name, value in values.items()}


def val_accuracies(**values):
    return {name: {"val_accuracy": value} for name, value in values.items()}


UP = both(turning(0.3))
