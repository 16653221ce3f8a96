"""What is read off a confusion matrix: 1 000 test images a class, rows true, columns named."""

import numpy as np

from keras_fmnist.claims.quantities import Quantity, define
from keras_fmnist.data import CLASS_NAMES

UPPER_GARMENTS = ("T-shirt/top", "Pullover", "Coat", "Shirt")


def _rows(names):
    return [CLASS_NAMES.index(name) for name in names]


def _diagonal(run):
    return np.diag(run.confusion_matrix)


def _errors(run):
    counts = np.array(run.confusion_matrix)
    np.fill_diagonal(counts, 0)
    return counts


def counted_as(true: str, named: str) -> Quantity:
    """How many of the 1 000 test images of a class were taken for a class."""
    row, column = _rows((true, named))
    return define(
        "counted_as",
        lambda run: run.confusion_matrix[row][column],
        {"true": true, "named": named},
        least=0,
        most=1000,
    )


def lead_of_classes(*names: str) -> Quantity:
    """By how many images the worst of these classes is ahead of the best other one."""
    words = {"names": ", ".join(names)}
    return define("lead_of_classes", lambda run: _lead(_diagonal(run), names), words)


def lag_of_classes(*names: str) -> Quantity:
    """By how many images the best of these classes is behind the worst other one."""
    words = {"names": ", ".join(names)}
    return define("lag_of_classes", lambda run: _lead(-_diagonal(run), names), words)


def _lead(counts, names, excepted=()):
    """The least count of some classes minus the largest of the others."""
    rows = _rows(names)
    others = [k for k in range(len(CLASS_NAMES)) if k not in (*rows, *_rows(excepted))]
    return int(min(counts[rows]) - max(counts[others]))


def lead_of_errors(true: str, *names: str) -> Quantity:
    """By how many images a class is taken more often for the rarest of these than for any other."""
    (row,) = _rows((true,))
    return define(
        "lead_of_errors",
        lambda run: _lead(np.array(run.confusion_matrix[row]), names, excepted=(true,)),
        {"true": true, "names": ", ".join(names)},
    )


def _upper_errors(run):
    """Shirts and coats taken for another upper garment, among all that were taken for another."""
    rows = _errors(run)[_rows(("Shirt", "Coat"))]
    return int(rows[:, _rows(UPPER_GARMENTS)].sum()) / int(rows.sum())


def _commonest_error(run):
    return np.maximum(_errors(run).max(1), 1)  # a ratio to no error at all is none


UPPER_ERRORS = define("upper_errors", _upper_errors, least=0, most=1, percent=True)
FEWEST_RIGHT = define("fewest_right", lambda run: int(_diagonal(run).min()), least=0, most=1000)
RIGHT_OVER_ERROR = define(
    "right_over_error",
    lambda run: float((_diagonal(run) / _commonest_error(run)).min()),
    factor=True,
)
LEAST_LOSS = define(
    "least_loss",
    lambda worse, better: int((_diagonal(better) - _diagonal(worse)).min()),
    pair="minus",
)
