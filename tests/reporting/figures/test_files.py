"""Figures: what is drawn is what the record holds, in the same bytes every time, without Keras."""

import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.run import locate_latent_space
from keras_fmnist.reporting import figures
from tests.helpers.figures import PNG, pictures
from tests.helpers.processes import run_without_frameworks


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
