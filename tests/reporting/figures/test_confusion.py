"""A confusion matrix: every count, every class."""

import numpy as np

from experiments.mansilla import CLASSIFIER_FULL
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.reporting.figures.confusion import draw_confusion


def test_a_confusion_matrix_shows_every_count_and_class(make_record):
    counts = np.arange(100).reshape(10, 10)
    record = make_record(CLASSIFIER_FULL, confusion_matrix=counts.tolist())
    figure = draw_confusion(record)
    (axes,) = figure.axes
    shown = {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in axes.texts
    }
    assert shown == {
        (row, column): str(10 * row + column) if row + column else "·"
        for row in range(10)
        for column in range(10)
    }
    assert [label.get_text() for label in axes.get_xticklabels()] == list(CLASS_NAMES)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(CLASS_NAMES)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert axes.get_title(loc="left").endswith(f"accuracy {495 / 4950:.2%}")
    np.testing.assert_array_equal(axes.images[0].get_array(), counts)
