"""Figures: what is drawn is what the record holds, in the same bytes every time, without Keras."""

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

from experiments.mansilla import BASE, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist import figures, results
from keras_fmnist.data import CLASS_NAMES

ROOT = Path(__file__).resolve().parent.parent
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def out(tmp_path, make_record, put_record):
    """Records of two seeds of the autoencoder and of one classifier."""
    for record in (make_record(BASE, 0), make_record(BASE, 1), make_record(CLASSIFIER_FULL)):
        put_record(tmp_path, record)
    return tmp_path


def pictures(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"}


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (BASE, ["base_loss", "base_reconstructions"]),
        (
            CLASSIFIER_FULL,
            ["classifier_full_accuracy", "classifier_full_confusion", "classifier_full_loss"],
        ),
    ],
    ids=["autoencoder", "classifier"],
)
def test_every_figure_lies_beside_its_record_as_png_and_svg(out, spec, names):
    drawn = figures.draw(out, spec.id)
    folder = out / spec.id
    assert sorted(drawn) == [folder / f"{name}.png" for name in names]
    found = pictures(folder)
    assert sorted(found) == sorted(f"{name}.{end}" for name in names for end in ("png", "svg"))
    for name, content in found.items():
        if name.endswith("png"):
            assert content.startswith(PNG)
        else:
            assert content.rstrip().endswith(b"</svg>")
        assert len(content) > 5000
    assert plt.get_fignums() == []  # a study of many would fill the memory


DRAW_WITHOUT_KERAS = """
import sys
for name in ("keras", "torch", "jax", "tensorflow"):
    sys.modules[name] = None  # an import of it fails
from keras_fmnist import figures
for experiment_id in sys.argv[2:]:
    figures.draw(sys.argv[1], experiment_id)
"""


def test_the_same_records_give_the_same_bytes_and_need_no_keras(out):
    once = {}
    for spec in (BASE, CLASSIFIER_FULL):
        figures.draw(out, spec.id)
        once[spec.id] = pictures(out / spec.id)
        for name in once[spec.id]:
            (out / spec.id / name).unlink()
    command = [sys.executable, "-c", DRAW_WITHOUT_KERAS, str(out), BASE.id, CLASSIFIER_FULL.id]
    subprocess.run(command, check=True, cwd=ROOT, timeout=120)
    for spec in (BASE, CLASSIFIER_FULL):
        assert pictures(out / spec.id) == once[spec.id]


def test_other_records_give_other_pictures(out, make_record, put_record):
    figures.draw(out, CLASSIFIER_FULL.id)
    before = pictures(out / CLASSIFIER_FULL.id)
    put_record(
        out, make_record(CLASSIFIER_FULL, confusion_matrix=(50 * np.eye(10, dtype=int)).tolist())
    )
    figures.draw(out, CLASSIFIER_FULL.id)
    changed = {
        name
        for name, content in pictures(out / CLASSIFIER_FULL.id).items()
        if content != before[name]
    }
    assert changed == {f"classifier_full_confusion.{end}" for end in ("png", "svg")}


def test_what_was_never_trained_has_reconstructions_and_no_curves(
    tmp_path, make_record, put_record
):
    record = make_record(UNTRAINED, history={})
    put_record(tmp_path, record)
    assert [path.name for path in figures.draw(tmp_path, record.id)] == [
        "untrained_reconstructions.png"
    ]


def test_an_experiment_without_a_record_is_named(out):
    with pytest.raises(results.RecordError, match="holds no record of mansilla/sgd"):
        figures.draw(out, "mansilla/sgd")


def test_the_three_curves_are_the_records_numbers(make_record):
    record = make_record(BASE)
    (axes,) = figures.curves([record], "loss", "mean squared error").axes
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
    (axes,) = figures.curves(records, "loss", "mean squared error").axes
    curves = np.array([record.history["val_loss"] for record in records])
    drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    np.testing.assert_allclose(drawn["validation"], curves.mean(axis=0))
    assert axes.get_title(loc="left") == "mansilla/base, mean of 3 seeds on torch"
    band = axes.collections[2].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose((band.min(), band.max()), (curves.min(), curves.max()))


def test_one_epoch_is_drawn_as_points(make_record):
    history = {name: [0.5] for name in ("loss", "train_eval_loss", "val_loss")}
    (axes,) = figures.curves([make_record(BASE, history=history)], "loss", "loss").axes
    assert [line.get_marker() for line in axes.get_lines()] == ["o"] * 3
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_seeds_that_ran_for_other_epochs_do_not_spoil_a_drawing(tmp_path, make_record, put_record):
    history = {name: [0.5] for name in ("loss", "train_eval_loss", "val_loss")}
    longer = make_record(BASE, 0)
    put_record(tmp_path, longer)
    put_record(tmp_path, make_record(BASE, 1, history=history, spec=longer.spec | {"epochs": 1}))
    assert len(figures.draw(tmp_path, BASE.id)) == 2


def test_seeds_that_stopped_earlier_do_not_spoil_a_drawing(tmp_path, make_record, put_record):
    history = {name: [0.5] for name in ("loss", "train_eval_loss", "val_loss")}
    put_record(tmp_path, make_record(BASE, 0))
    put_record(tmp_path, make_record(BASE, 1, history=history))
    assert len(figures.draw(tmp_path, BASE.id)) == 2


def test_an_older_record_without_images_has_its_curves_drawn(tmp_path, make_record, put_record):
    path = put_record(tmp_path, make_record(BASE, images=None))
    assert figures.draw(tmp_path, BASE.id) == [path.with_name("base_loss.png")]


def test_a_confusion_matrix_shows_every_count_and_class(make_record):
    counts = np.arange(100).reshape(10, 10)
    record = make_record(CLASSIFIER_FULL, confusion_matrix=counts.tolist())
    figure = figures.confusion(record)
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


def test_reconstructions_stand_below_their_originals(make_record):
    record = make_record(BASE)
    figure = figures.reconstructions(record)
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    originals = results.unpack_images(record.images["originals"])
    rebuilt = results.unpack_images(record.images["reconstructions"])
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
    pixels = results.unpack_images(older.images["originals"])[::-1] / 255
    record = make_record(
        BASE,
        images=older.images | {"pca": results.pack_images(pixels)},
        metrics=older.metrics | {"pca_loss": pca_loss, "mean_image_loss": 0.0866},
    )
    figure = figures.reconstructions(record)
    assert len(figure.axes) == 30
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(
        drawn[:20], [axes.images[0].get_array() for axes in figures.reconstructions(older).axes]
    )
    np.testing.assert_array_equal(drawn[20:], drawn[9::-1])
    assert [axes.get_ylabel() for axes in figure.axes[::10]] == ["original", "rebuilt", "PCA"]
    (title,) = (text for text in texts(figure) if "validation MSE" in text)
    assert title.endswith(f"; PCA of the same size {words}, mean image 0.0866")


def test_curves_fit_a_column_and_their_type_is_readable(make_record):
    with matplotlib.rc_context(figures.STYLE):
        figure = figures.curves([make_record(BASE)], "loss", "loss")
        assert figure.get_size_inches()[0] == 3.4
        shown = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text()]
        assert len(shown) > 5
        assert min(text.get_fontsize() for text in shown) >= 6
