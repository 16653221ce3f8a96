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


def rising_later(n):
    """Down to epoch 5, and slightly up after it, with a wobble."""
    up = 0.01 * np.maximum(np.arange(n) - 4, 0)
    return np.maximum(np.linspace(0.6, 0.6 - 0.02 * (n - 1), n), 0.52) + up


def settling(n):
    return np.minimum(np.linspace(0.5, 1.4, n), 0.8) + 0.01 * (-1.0) ** np.arange(n)


def both(curve, metric="loss"):
    return {f"train_eval_{metric}": curve, f"val_{metric}": curve}


def losses(train, val):
    return {"train_eval_loss": train, "val_loss": val}


def accuracies(train, val):
    return {"train_eval_accuracy": train, "val_accuracy": val}


def explaining(share, fine=None):
    """Ten pictures whose reconstructions explain these shares of coarse shapes and fine detail."""
    fine = share if fine is None else fine
    coarse = np.full((10, 28, 28, 1), -0.1)
    coarse[::2] = 0.1
    stripes = np.tile([0.1, -0.1], 14)[:, None] * np.ones((28, 28, 1)) * np.sign(coarse)
    originals = 0.5 + coarse + stripes
    rebuilt = 0.5 + (1 - (1 - share) ** 0.5) * coarse + (1 - (1 - fine) ** 0.5) * stripes
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


def ordered(metric, high, middle, low):
    """The three classifiers, by where a metric of theirs ends."""
    names = ("classifier_baseline", "classifier_fc_adam", "classifier_fc_sgd")
    return {name: {metric: value} for name, value in zip(names, (high, middle, low), strict=True)}


def ran(spec, times=1.0):
    """As printed, but as it ran during the epoch."""
    return {
        name.removeprefix("train_eval_"): times * value
        for name, value in spec.published.items()
        if name.startswith("train_eval_")
    }


MEAN_IMAGE = 0.08  # its loss
PCA = 0.02  # its loss
UP = both(turning(0.3))
