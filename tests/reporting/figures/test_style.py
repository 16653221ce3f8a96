"""Style and bytes: whose figure it is, and the same file from the same drawing."""

import pytest
from matplotlib import pyplot as plt

from experiments.mansilla import BASE
from keras_fmnist.reporting.figures.style import (
    BLUE,
    GREEN,
    METADATA,
    ORANGE,
    STYLE,
    hold_style,
    render_figure,
    render_files,
    title_axes,
)
from tests.helpers.figures import PNG


def test_a_users_own_settings_change_no_figure():
    theirs = {"text.usetex": True, "font.size": 30, "axes.facecolor": "red", "savefig.dpi": 7}
    drawn = []
    for settings in ({}, theirs):
        with plt.rc_context(settings):
            with hold_style():
                drawn.append(render_figure(draw(), "svg"))
            assert plt.rcParams["font.size"] == settings.get("font.size", 10)
    assert drawn[0] == drawn[1]


def draw():
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.plot([0, 1], [0, 1], color=BLUE)
    return figure


@pytest.mark.parametrize("ending", METADATA)
def test_a_figure_has_the_same_bytes_whenever_it_is_drawn(ending):
    with plt.rc_context(STYLE):
        first, second = render_figure(draw(), ending), render_figure(draw(), ending)
    assert first == second
    assert b"Matplotlib v" not in first
    assert first.startswith(PNG if ending == "png" else b"<?xml")


def test_a_figure_becomes_two_files_and_is_closed(tmp_path):
    figure = draw()
    files = render_files(figure, tmp_path / "base_loss")
    assert [path.name for path in files] == ["base_loss.svg", "base_loss.png"]
    assert files[tmp_path / "base_loss.png"].startswith(PNG)
    assert not plt.fignum_exists(figure.number)


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
