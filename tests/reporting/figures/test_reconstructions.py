"""Reconstructions below their originals, and PCA's below them."""

import numpy as np
import pytest

from experiments.mansilla import BASE
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import pack_images, unpack_images
from keras_fmnist.reporting.figures.reconstructions import draw_reconstructions
from tests.helpers.figures import texts


def test_reconstructions_stand_below_their_originals(make_record):
    record = make_record(BASE)
    figure = draw_reconstructions(record)
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    originals = unpack_images(record.images["originals"])
    rebuilt = unpack_images(record.images["reconstructions"])
    assert len(drawn) == 20
    np.testing.assert_array_equal(drawn[:10], originals)
    np.testing.assert_array_equal(drawn[10:], rebuilt)
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0, 255)}
    assert [axes.get_title() for axes in figure.axes[:10]] == list(CLASS_NAMES)
    assert f"mansilla/base, seed 0 on torch, validation MSE {record.metrics['val_loss']:.4f}" in (
        texts(figure)
    )


@pytest.mark.parametrize(
    ("pca_loss", "words"), [(0.0104, "0.0104"), (0.0, "exact")], ids=["smaller", "as long"]
)
def test_pca_of_the_same_size_stands_below_where_the_record_has_it(make_record, pca_loss, words):
    older = make_record(BASE)
    pixels = unpack_images(older.images["originals"])[::-1] / 255
    record = make_record(
        BASE,
        images=older.images | {"pca": pack_images(pixels)},
        metrics=older.metrics | {"pca_loss": pca_loss, "mean_image_loss": 0.0866},
    )
    figure = draw_reconstructions(record)
    assert len(figure.axes) == 30
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(
        drawn[:20], [axes.images[0].get_array() for axes in draw_reconstructions(older).axes]
    )
    np.testing.assert_array_equal(drawn[20:], drawn[9::-1])
    assert [axes.get_ylabel() for axes in figure.axes[::10]] == ["original", "rebuilt", "PCA"]
    (title,) = (text for text in texts(figure) if "validation MSE" in text)
    assert title.endswith(f"; PCA of the same size {words}, mean image 0.0866")
