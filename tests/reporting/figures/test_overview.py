"""The overview: a row an autoencoder."""

import dataclasses

import numpy as np

from experiments.mansilla import BASE, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist.records.images import unpack_images
from keras_fmnist.reporting import figures
from keras_fmnist.reporting.figures.overview import draw_overview


def test_the_overview_has_a_row_an_autoencoder_and_the_variance_that_it_explains(make_record):
    older = make_record(BASE, metrics={"val_loss": 0.02})
    worse = dataclasses.replace(
        make_record(UNTRAINED, metrics={"val_loss": 0.15, "mean_image_loss": 0.1}),
        images=older.images | {"reconstructions": older.images["originals"]},
    )
    figure = draw_overview([worse, older])
    names = [axes.get_ylabel() for axes in figure.axes]
    assert names == ["original", "mansilla/untrained\nseed 0: −50%", "mansilla/base\nseed 0"]
    strips = [axes.images[0].get_array() for axes in figure.axes]
    for strip, packed in zip(
        strips,
        (older.images["originals"], older.images["originals"], older.images["reconstructions"]),
        strict=True,
    ):
        seen = np.split(np.asarray(strip), 10, axis=1)
        for image, expected in zip(seen, unpack_images(packed), strict=True):
            np.testing.assert_array_equal(image[:, 2:-2], expected)
            assert not image[:, [0, 1, -2, -1]].any()


def test_there_is_no_overview_of_nets_without_pictures(make_record, tmp_path):
    assert figures.render_overview(tmp_path, [make_record(CLASSIFIER_FULL)]) == {}
    assert figures.render_overview(tmp_path, []) == {}
