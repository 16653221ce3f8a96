"""Style and bytes: whose figure it is, and the same file from the same drawing."""

import matplotlib
import pytest
from matplotlib import pyplot

from experiments.mansilla import BASE
from keras_fmnist.reporting.figures.style import (
    BLUE,
    GREEN,
    METADATA,
    ORANGE,
    STYLE,
    hold_style,
    make_subplots,
    render_figure,
    render_files,
    title_axes,
)
from tests.helpers.figures import PNG
from tests.helpers.source import FILES, TREES, imported_names


def test_a_users_own_settings_change_no_figure():
    theirs = {"text.usetex": True, "font.size": 30, "axes.facecolor": "red", "savefig.dpi": 7}
    drawn = []
    for settings in ({}, theirs):
        with matplotlib.rc_context(settings):
            with hold_style():
                drawn.append(render_figure(draw(), "svg"))
            assert matplotlib.rcParams["font.size"] == settings.get("font.size", 10)
    assert drawn[0] == drawn[1]


def draw():
    with matplotlib.rc_context(STYLE):
        figure, axes = make_subplots(figsize=(1, 1))
        axes.plot([0, 1], [0, 1], color=BLUE)
    return figure


@pytest.mark.parametrize("ending", METADATA)
def test_a_figure_has_the_same_bytes_whenever_it_is_drawn(ending):
    with matplotlib.rc_context(STYLE):
        first, second = render_figure(draw(), ending), render_figure(draw(), ending)
    assert first == second
    assert b"Matplotlib v" not in first
    assert first.startswith(PNG if ending == "png" else b"<?xml")


def test_a_figure_becomes_two_files(tmp_path):
    files = render_files(draw(), tmp_path / "base_loss")
    assert [path.name for path in files] == ["base_loss.svg", "base_loss.png"]
    assert files[tmp_path / "base_loss.png"].startswith(PNG)


def test_no_figure_goes_through_pyplot():
    """It would keep every figure in memory, and change how a notebook shows its own."""
    users = [name for name in FILES if "matplotlib.pyplot" in imported_names(TREES[name])]
    assert users == []
    figure, grid = make_subplots(2, 3, figsize=(3, 2), squeeze=False, width_ratios=(1, 2, 1))
    assert grid.shape == (2, 3)
    assert figure.get_size_inches() == pytest.approx((3, 2))
    assert pyplot.get_fignums() == []


def test_a_title_says_whose_figure_it_is(make_record):
    records = [make_record(BASE, seed, backend="jax") for seed in range(3)]
    assert title_axes(records[1:2]) == "mansilla/base, seed 1 on jax"
    assert title_axes(records) == "mansilla/base, mean of 3 seeds on jax"


def test_the_colours_differ_in_brightness_too():
    """So that they can be told apart in grey."""

    def brightness(colour):
        red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    levels = sorted(map(brightness, (BLUE, GREEN, ORANGE)))
    assert len(set(levels)) == 3
