"""What is read off confusion matrices drawn by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_fmnist.claims import confusions
from keras_fmnist.data import CLASS_NAMES


def confusion(matrix):
    return SimpleNamespace(confusion_matrix=np.asarray(matrix).tolist())


SHIRT, COAT = CLASS_NAMES.index("Shirt"), CLASS_NAMES.index("Coat")
MATRIX = np.diag([900] * 10)
MATRIX[SHIRT] = [142, 0, 60, 20, 50, 0, 713, 0, 15, 0]
MATRIX[COAT] = [0, 0, 90, 40, 800, 0, 70, 0, 0, 0]
MATRIX[:, 8] += 5  # a column that nobody may take for a row


def test_the_lead_of_classes_is_from_their_worst_to_the_best_of_the_others():
    run = confusion(np.diag(range(10, 20)))  # T-shirt/top 10, …, Ankle boot 19
    assert confusions.lead_of_classes("Ankle boot", "Bag", "Sneaker").of(run) == 17 - 16
    assert confusions.lead_of_classes("Ankle boot", "Bag", "Shirt").of(run) == 16 - 17
    assert confusions.lag_of_classes("T-shirt/top", "Trouser").of(run) == 12 - 11
    assert confusions.lag_of_classes("T-shirt/top", "Pullover").of(run) == 11 - 12


def test_errors_are_read_from_the_row_of_the_true_class():
    run = confusion(MATRIX)
    assert confusions.counted_as("Shirt", "T-shirt/top").of(run) == 142
    assert confusions.counted_as("T-shirt/top", "Shirt").of(run) == 0
    assert confusions.counted_as("Shirt", "Shirt").of(run) == 713
    lead = confusions.lead_of_errors
    assert lead("Shirt", "Pullover", "Coat", "T-shirt/top").of(run) == 50 - 20
    assert lead("Shirt", "Pullover", "Dress", "T-shirt/top").of(run) == 20 - 50
    # shirts 142 + 60 + 50 of 292, coats 90 + 70 of 205
    assert confusions.UPPER_ERRORS.of(run) == pytest.approx((252 + 160) / (292 + 205))


def test_the_class_that_is_worst_off_counts():
    run = confusion(MATRIX)
    assert confusions.FEWEST_RIGHT.of(run) == 713
    assert confusions.RIGHT_OVER_ERROR.of(run) == pytest.approx(713 / 142)
    assert confusions.RIGHT_OVER_ERROR.of(confusion(np.diag([900] * 10))) == 900  # no error at all


def test_the_least_difference_between_two_matrices_is_signed():
    full = confusion(np.diag([900] * 10))
    lower = np.diag([850] * 10)
    assert confusions.LEAST_LOSS.of(confusion(lower), full) == 50
    lower[SHIRT, SHIRT] = 907
    assert confusions.LEAST_LOSS.of(confusion(lower), full) == -7
