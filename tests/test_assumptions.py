"""Readings of what a report leaves open: which count, in what order, and how far off they are."""

import math
from dataclasses import replace

import pytest

from experiments import assumptions as declared
from experiments import manolucos
from experiments.__main__ import CATALOGUE
from keras_fmnist import assumptions, results
from keras_fmnist.specs import ClassifierSpec, differences, override, settings

ROW = manolucos.BASELINE
FIRST, SECOND, THIRD = declared.QUESTIONS[ROW][:3]
PRINTED = {"train_eval_loss": 0.0858, "val_loss": 0.0726}


def losses(as_it_ran, evaluated, validation):
    return {"loss": as_it_ran, "train_eval_loss": evaluated, "val_loss": validation}


def readings_of(record):
    return assumptions.rank(ROW, (FIRST,), [record])


def test_the_nearest_reading_comes_first_and_what_has_undercut_the_row_last(make_record):
    records = [
        make_record(FIRST, metrics=losses(0.20, 0.20, 0.16)),
        make_record(SECOND, metrics=losses(0.10, 0.10, 0.08)),
        make_record(THIRD, metrics=losses(0.085, 0.085, 0.0725)),
    ]
    ranks = assumptions.rank(ROW, (FIRST, SECOND, THIRD), records)
    assert [one.spec for one in ranks] == [SECOND, FIRST, THIRD]
    assert [one.undercut for one in ranks] == [False, False, True]


@pytest.mark.parametrize(
    ("metrics", "undercut"),
    [
        (losses(0.0859, 0.0857, 0.0727), False),
        (losses(0.0857, 0.0859, 0.0727), True),
        (losses(0.0859, 0.0857, 0.0725), True),
    ],
)
def test_a_row_is_undercut_by_a_validation_loss_or_by_a_training_loss_as_it_ran(
    make_record, metrics, undercut
):
    (one,) = readings_of(make_record(FIRST, metrics=metrics))
    assert one.undercut is undercut


def test_off_by_is_the_typical_ratio_of_losses(make_record):
    assert FIRST.published == PRINTED
    # Twice the printed training loss and half the printed validation loss.
    record = make_record(FIRST, metrics=losses(2 * 0.0858, 9.0, 0.5 * 0.0726))
    (one,) = readings_of(record)
    assert one.factor == pytest.approx(2.0)


@pytest.mark.parametrize("evaluated", [0.05, 0.0858, 0.5])
def test_the_training_loss_is_the_one_that_ran_whatever_the_evaluated_one_is(
    make_record, evaluated
):
    record = make_record(FIRST, metrics=losses(2 * 0.0858, evaluated, 0.0726))
    (one,) = readings_of(record)
    assert one.factor == pytest.approx(2**0.5)
    assert not one.undercut  # though the evaluated one may lie below


def test_accuracies_count_by_their_errors(make_record):
    spec = declared.RATES[0]
    metrics = {
        "accuracy": 1 - 2 * (1 - 0.9465),
        "loss": 0.1529,
        "train_eval_accuracy": 0.5,
        "val_accuracy": 0.9148,
        "train_eval_loss": 5.0,
        "val_loss": 0.2463,
    }
    record = make_record(spec, metrics=metrics)
    (one,) = assumptions.rank(manolucos.CLASSIFIER_FC_SGD, (spec,), [record])
    # Twice the errors in one of four numbers.
    assert one.factor == pytest.approx(math.exp(math.log(2) / 4))


@pytest.mark.parametrize(("training", "undercut"), [(0.16, False), (0.15, True)])
def test_a_classifier_is_undercut_by_its_training_loss_alone(make_record, training, undercut):
    row, spec = manolucos.CLASSIFIER_FC_SGD, declared.RATES[0]
    beside = {"accuracy": 0.9, "train_eval_accuracy": 0.9, "val_accuracy": 0.9}
    metrics = losses(training, 0.15, 0.01) | beside  # printed: 0.1529 and 0.2463
    (one,) = assumptions.rank(row, (spec,), [make_record(spec, metrics=metrics)])
    assert one.undercut is undercut


def test_a_run_with_other_settings_does_not_count(make_record):
    other = make_record(override(FIRST, {"epochs": 1}), metrics=losses(0.0858, 0.0858, 0.0726))
    assert assumptions.rank(ROW, (FIRST,), [other]) == []


def test_what_was_trained_to_the_end_comes_first_and_undercuts_nothing(make_record):
    whole = replace(THIRD, name="to_the_end", epochs=ROW.epochs)
    records = [
        make_record(FIRST, metrics=losses(0.0859, 0.0859, 0.0727)),
        make_record(whole, metrics=losses(0.04, 0.04, 0.04)),
    ]
    first, second = assumptions.rank(ROW, (FIRST, whole), records)
    assert (first.spec, first.short, first.undercut) == (whole, False, False)
    assert (second.spec, second.short) == (FIRST, True)


def test_the_experiment_itself_stands_among_its_readings_and_is_not_counted(make_record):
    records = [
        make_record(FIRST, metrics=losses(0.1, 0.2, 0.16)),
        make_record(ROW, metrics=losses(0.0858, 0.09, 0.0726)),
    ]
    table = assumptions.table({ROW: (FIRST, SECOND)}, records)
    assert "1 of 2 other readings run:" in table
    assert "| `manolucos/baseline` | 30 | 0.0858 | 0.0900 | 0.0726 | 1.00 |" in table


def test_what_is_trained_to_the_end_is_what_the_records_left_standing():
    records = results.read_all(results.STUDY)
    for row, short in declared.SHORT_READINGS.items():
        ranks = [one for one in assumptions.rank(row, short, records) if one.short]
        assert len(ranks) == len(short)
        standing = {one.spec.summary for one in ranks if not one.undercut}
        itself = {
            s.summary for s in short if settings(replace(s, epochs=row.epochs)) == settings(row)
        }
        assert set(declared.STANDING[row]) == standing - itself


def test_the_table_says_what_is_printed_how_many_ran_and_has_the_nearest_first(make_record):
    records = [
        make_record(FIRST, metrics=losses(0.1, 0.2, 0.16)),
        make_record(SECOND, metrics=losses(0.0858, 0.09, 0.0726)),
    ]
    table = assumptions.table({ROW: (FIRST, SECOND, THIRD)}, records)
    assert "`manolucos/baseline`, printed 0.0858 / 0.0726; 2 of 3 other readings run:" in table
    assert f"| {SECOND.summary} | 3 | 0.0858 | 0.0900 | 0.0726 | 1.00 |" in table
    assert table.index(SECOND.summary) < table.index(FIRST.summary)
    assert THIRD.summary not in table
    assert assumptions.table({ROW: (FIRST,)}, []) == ""


def test_every_reading_changes_what_is_open_and_nothing_else():
    open_for = {
        "manolucos/no_dropout": {"epochs", "pixels", "deconv1", "latent", "output", "between"},
        "manolucos/baseline": {
            *("epochs", "pixels", "deconv1", "latent", "dropout_at", "dropout_kind"),
            *("output", "between"),
        },
        "manolucos/classifier_fc_sgd": {"epochs", "learning_rate", "momentum", "autoencoder"},
        "manolucos/classifier_fc_adam": {"epochs", "hidden", "autoencoder"},
    }
    assert open_for.keys() == {row.id for row in CATALOGUE.questions}
    for row, group in CATALOGUE.questions.items():
        assert len({str(settings(spec)) for spec in group}) == len(group)
        for spec in group:
            assert spec.published == row.published
            changed = differences(settings(spec), settings(row))
            names = {"autoencoder" if "autoencoder" in c else c.split()[0] for c in changed}
            assert names <= open_for[row.id]


def test_the_search_of_decoders_is_the_whole_grid_and_both_rows_have_its_published_forms():
    grid = {(s.output_activation, s.latent, s.between) for s in declared.DECODER_SCREENS}
    published = {("linear", 784, "relu_dropout"), ("linear", 784, "nothing")}
    assert grid == {
        ("tanh", 784, "relu_dropout"),
        ("tanh", 784, "nothing"),
        *(("linear", n, b) for n in (0, 128, 256) for b in ("relu_dropout", "nothing")),
    }
    for row, group in declared.DECODERS.items():
        assert {(s.output_activation, s.latent, s.between) for s in group} == published
        assert {(s.epochs, s.dropout, s.pixels) for s in group} == {(30, row.dropout, "signed")}


def test_the_search_is_the_whole_grid():
    # pixel range × dilation × linear layer, and for the row with dropout its four kinds
    sizes = [len(group) for group in declared.SHORT_READINGS.values()]
    assert sizes == [2 * 2 * 2, 2 * 2 * 2 * 4]
    assert {
        spec.autoencoder for spec in CATALOGUE.readings if isinstance(spec, ClassifierSpec)
    } == {declared.ENCODER}
