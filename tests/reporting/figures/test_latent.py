"""Latent spaces drawn: every image in its place, every class by its name."""

import dataclasses
import itertools

import matplotlib
import numpy as np
import pytest

from experiments.mansilla import BASE
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.run import locate_latent_space
from keras_fmnist.reporting import figures
from keras_fmnist.reporting.figures import style
from keras_fmnist.reporting.figures.latent import TEN, draw_lines, draw_maps
from tests.helpers.figures import texts


def test_a_latent_space_is_drawn_where_its_weights_are_those_of_a_record(out, space, monkeypatch):
    # Which takes a second each.
    monkeypatch.setattr(style, "render_files", lambda figure, stem: {stem.with_suffix(".png"): b""})
    write_dataclass(locate_latent_space(out, BASE.id), space)
    names = ["base_loss", "base_reconstructions", "base_latent", "base_line"]
    assert [path.stem for path in figures.draw(out, BASE.id)] == names
    stale = dataclasses.replace(space, weights_sha256="d" * 64)
    write_dataclass(locate_latent_space(out, BASE.id), stale)
    assert [path.stem for path in figures.draw(out, BASE.id)] == names[:2]


def test_a_damaged_latent_space_is_named(out):
    path = locate_latent_space(out, BASE.id)
    path.write_text("{}")
    with pytest.raises(RecordError, match=str(path)):
        figures.draw(out, BASE.id)


def test_both_maps_show_every_image_in_its_place_and_the_colour_of_its_class(space):
    figure = draw_maps(space)
    left, right = figure.axes
    for axes, points in ((left, space.pca), (right, space.tsne)):
        (dots,) = axes.collections
        places = np.column_stack([points["x"], points["y"]])
        np.testing.assert_array_equal(dots.get_offsets(), places)
        colours = [matplotlib.colors.to_hex(colour) for colour in dots.get_facecolors()]
        assert colours == [TEN[label] for label in space.labels]
        assert sorted(text.get_text() for text in axes.texts) == sorted(CLASS_NAMES)
    assert (left.get_xlabel(), left.get_ylabel()) == ("25% of the variance", "10% of the variance")
    assert (left.get_title(), right.get_title()) == ("PCA", "t-SNE")
    assert "mansilla/base, seed 1 on torch, 40 test images" in texts(figure)
    assert len(set(TEN)) == len(CLASS_NAMES)


def test_a_class_is_named_in_its_middle_and_no_name_covers_another(space):
    # Every class has a place of its own, but for two, which share one.
    places = {label: (20.0 * label, 0.0) for label in range(9)} | {9: (160.0, 0.0)}
    points = {axis: [places[label][k] for label in space.labels] for k, axis in enumerate("xy")}
    points["y"][0] = 50.0  # one far out does not move the middle
    figure = draw_maps(dataclasses.replace(space, tsne=points))
    found = {text.get_text(): text.get_position() for text in figure.axes[1].texts}
    assert [found[name][0] for name in CLASS_NAMES] == [places[label][0] for label in range(10)]
    assert found["T-shirt/top"] == (0, 0)
    assert found["Bag"] != found["Ankle boot"]
    for one, other in itertools.combinations(found.values(), 2):
        # a fifth of the width and 6 % of the height hold the longest name
        assert abs(one[0] - other[0]) >= 0.2 * 160 or abs(one[1] - other[1]) >= 0.06 * 50


def test_lines_are_drawn_image_by_image(space):
    figure = draw_lines(space)
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    expected = np.concatenate([unpack_images(line["images"]) for line in space.lines])
    np.testing.assert_array_equal(drawn, expected)
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0, 255)}
    assert texts(figure).count("original") == 2
