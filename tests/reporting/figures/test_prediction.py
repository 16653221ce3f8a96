"""A prediction drawn: from the picture to the bars."""

import dataclasses

import numpy as np
import pytest

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference.photos import Photo
from keras_fmnist.inference.prediction import Prediction
from keras_fmnist.reporting import figures
from keras_fmnist.reporting.figures.prediction import draw_predictions
from tests.helpers.figures import PNG


@pytest.fixture
def predicted(dataset):
    """What could have been said of a picture."""
    rng = np.random.default_rng(0)
    photo = Photo(
        name="a very long name of a picture.png",
        original=rng.integers(0, 256, (40, 30, 3), np.uint8),
        pixels=dataset.test_images[0],
        steps=(),
    )
    return Prediction(
        photo=photo,
        probabilities=rng.permutation([0.4, 0.3, 0.1, 0.1, 0.05, 0.05, 0, 0, 0, 0]),
        rebuilt=rng.random((28, 28)),
        neighbours=dataset.train_images[:5, ..., 0],
        labels=np.array([3, 3, 1, 0, 9]),
    )


def test_a_prediction_is_drawn_from_the_picture_to_the_bars(predicted):
    figure = draw_predictions([predicted, predicted])
    for row in (figure.axes[:11], figure.axes[11:]):
        shown = [axes.images[0] for axes in row if axes.images]
        assert {image.get_cmap().name for image in shown} == {"gray"}  # as the net sees it
        assert {image.get_clim() for image in shown} == {(0, 255)}
        pictures = [image.get_array() for image in shown]
        np.testing.assert_array_equal(pictures[0], predicted.photo.original)
        np.testing.assert_array_equal(pictures[1], predicted.photo.pixels[..., 0])
        np.testing.assert_allclose(pictures[2], 255 * predicted.rebuilt)
        np.testing.assert_array_equal(pictures[3:], predicted.neighbours)
        names = [axes.get_xlabel() for axes in row[4:9]]
        assert names == [CLASS_NAMES[label] for label in predicted.labels]
        assert row[0].get_xlabel() == "…a picture.png"
        bars = row[10]
        assert [bar.get_width() for bar in bars.patches] == [0.4, 0.3, 0.1, 0.1, 0.05]
        likeliest = bars.get_yticklabels()[0].get_text()
        assert likeliest == CLASS_NAMES[predicted.probabilities.argmax()]
        assert [text.get_text() for text in bars.texts[:2]] == ["40%", "30%"]


def test_a_prediction_is_a_png_whatever_its_name(tmp_path, predicted):
    photo = dataclasses.replace(predicted.photo, name=r"$\no_math$")
    predicted = dataclasses.replace(predicted, photo=photo)
    figures.write_predictions(tmp_path / "p.png", [predicted])
    assert (tmp_path / "p.png").read_bytes().startswith(PNG)
