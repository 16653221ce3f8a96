"""Curves: the numbers of the records, one line a metric."""

import matplotlib
import numpy as np

from experiments.mansilla import BASE
from keras_fmnist.reporting.figures.curves import draw_curves
from keras_fmnist.reporting.figures.style import STYLE


def test_the_three_curves_are_the_records_numbers(make_record):
    record = make_record(BASE)
    (axes,) = draw_curves([record], "loss", "mean squared error").axes
    drawn = {line.get_label(): line for line in axes.get_lines()}
    assert {label: line.get_ydata().tolist() for label, line in drawn.items()} == {
        "training, as it ran": record.history["loss"],
        "training, evaluated": record.history["train_eval_loss"],
        "validation": record.history["val_loss"],
    }
    for line in drawn.values():
        assert line.get_xdata().tolist() == [1, 2, 3]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "mean squared error")
    assert axes.get_title(loc="left") == "mansilla/base, seed 0 on torch"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(drawn)
    assert len({line.get_color() for line in drawn.values()}) == 3
    # Dashes too, for those who print in grey; matplotlib itself only says "--" of all of them.
    assert len({str(line._unscaled_dash_pattern) for line in drawn.values()}) == 3


def test_several_seeds_are_drawn_as_their_mean_and_range(make_record):
    records = [make_record(BASE, seed) for seed in range(3)]
    (axes,) = draw_curves(records, "loss", "mean squared error").axes
    curves = np.array([record.history["val_loss"] for record in records])
    drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    np.testing.assert_allclose(drawn["validation"], curves.mean(axis=0))
    assert axes.get_title(loc="left") == "mansilla/base, mean of 3 seeds on torch"
    band = axes.collections[2].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose((band.min(), band.max()), (curves.min(), curves.max()))


def test_one_epoch_is_drawn_as_points(make_record):
    history = {name: [0.5] for name in ("loss", "train_eval_loss", "val_loss")}
    (axes,) = draw_curves([make_record(BASE, history=history)], "loss", "loss").axes
    assert [line.get_marker() for line in axes.get_lines()] == ["o"] * 3
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_curves_fit_a_column_and_their_type_is_readable(make_record):
    with matplotlib.rc_context(STYLE):
        figure = draw_curves([make_record(BASE)], "loss", "loss")
        assert figure.get_size_inches()[0] == 3.4
        shown = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text()]
        assert len(shown) > 5
        assert min(text.get_fontsize() for text in shown) >= 6
