"""Figures: what is drawn is what the record holds, in the same bytes every time, without Keras."""

import dataclasses
import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

from experiments.mansilla import BASE, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference.photos import Photo
from keras_fmnist.inference.prediction import Prediction
from keras_fmnist.records.images import pack_images, unpack_images
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.run import locate_latent_space
from keras_fmnist.reporting import figures
from keras_fmnist.reporting.figures import style
from keras_fmnist.reporting.figures.confusion import draw_confusion
from keras_fmnist.reporting.figures.curves import draw_curves
from keras_fmnist.reporting.figures.latent import TEN, draw_lines, draw_maps
from keras_fmnist.reporting.figures.overview import draw_overview
from keras_fmnist.reporting.figures.prediction import draw_predictions
from keras_fmnist.reporting.figures.reconstructions import draw_reconstructions
from keras_fmnist.reporting.figures.style import STYLE
from tests.helpers import made_up_study
from tests.helpers.processes import run_without_frameworks

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_users_own_settings_of_matplotlib_change_no_figure(out, make_record):
    records = [make_record(BASE, 0)]
    expected = figures.render(out, records)
    theirs = {"text.usetex": True, "font.size": 30, "axes.facecolor": "red", "savefig.dpi": 7}
    with matplotlib.rc_context(theirs):
        assert figures.render(out, records) == expected
        assert matplotlib.rcParams["text.usetex"]


@pytest.fixture
def space():
    return made_up_study.latent_space()


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


DRAW = """
import sys
from keras_fmnist.reporting import figures
for experiment_id in sys.argv[2:]:
    figures.draw(sys.argv[1], experiment_id)
"""


def test_the_same_records_give_the_same_bytes_and_need_no_keras(out, space):
    write_dataclass(locate_latent_space(out, BASE.id), space)
    once = {}
    for spec in (BASE, CLASSIFIER_FULL):
        figures.draw(out, spec.id)
        once[spec.id] = pictures(out / spec.id)
        for name in once[spec.id]:
            (out / spec.id / name).unlink()
    run_without_frameworks(DRAW, str(out), BASE.id, CLASSIFIER_FULL.id)
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
    with pytest.raises(RecordError, match="holds no record of mansilla/sgd"):
        figures.draw(out, "mansilla/sgd")


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


def test_curves_fit_a_column_and_their_type_is_readable(make_record):
    with matplotlib.rc_context(STYLE):
        figure = draw_curves([make_record(BASE)], "loss", "loss")
        assert figure.get_size_inches()[0] == 3.4
        shown = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text()]
        assert len(shown) > 5
        assert min(text.get_fontsize() for text in shown) >= 6


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


def test_a_prediction_is_a_png_whatever_its_name_and_nothing_stays_open(tmp_path, predicted):
    photo = dataclasses.replace(predicted.photo, name=r"$\no_math$")
    predicted = dataclasses.replace(predicted, photo=photo)
    figures.write_predictions(tmp_path / "p.png", [predicted])
    assert (tmp_path / "p.png").read_bytes().startswith(PNG)
    assert plt.get_fignums() == []
