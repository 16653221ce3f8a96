"""Readings of what a report leaves open: which count, in what order, and how far off they are."""

import math
from dataclasses import replace

import pytest

from experiments import assumptions as declared
from experiments import manolucos
from keras_fmnist.claims.ranking import rank_readings
from keras_fmnist.specs import override
from tests.helpers.readings import FIRST, ROW, SECOND, THIRD, losses

PRINTED = {"train_eval_loss": 0.0858, "val_loss": 0.0726}


def readings_of(record):
    return rank_readings(ROW, (FIRST,), [record])


def test_the_nearest_reading_comes_first_and_what_has_undercut_the_row_last(make_record):
    records = [
        make_record(FIRST, metrics=losses(0.20, 0.20, 0.16)),
        make_record(SECOND, metrics=losses(0.10, 0.10, 0.08)),
        make_record(THIRD, metrics=losses(0.085, 0.085, 0.0725)),
    ]
    ranks = rank_readings(ROW, (FIRST, SECOND, THIRD), records)
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
    (one,) = rank_readings(manolucos.CLASSIFIER_FC_SGD, (spec,), [record])
    # Twice the errors in one of four numbers.
    assert one.factor == pytest.approx(math.exp(math.log(2) / 4))


@pytest.mark.parametrize(("training", "undercut"), [(0.16, False), (0.15, True)])
def test_a_classifier_is_undercut_by_its_training_loss_alone(make_record, training, undercut):
    row, spec = manolucos.CLASSIFIER_FC_SGD, declared.RATES[0]
    beside = {"accuracy": 0.9, "train_eval_accuracy": 0.9, "val_accuracy": 0.9}
    metrics = losses(training, 0.15, 0.01) | beside  # printed: 0.1529 and 0.2463
    (one,) = rank_readings(row, (spec,), [make_record(spec, metrics=metrics)])
    assert one.undercut is undercut


def test_a_run_with_other_settings_does_not_count(make_record):
    other = make_record(override(FIRST, {"epochs": 1}), metrics=losses(0.0858, 0.0858, 0.0726))
    assert rank_readings(ROW, (FIRST,), [other]) == []


def test_what_was_trained_to_the_end_comes_first_and_undercuts_nothing(make_record):
    whole = replace(THIRD, name="to_the_end", epochs=ROW.epochs)
    records = [
        make_record(FIRST, metrics=losses(0.0859, 0.0859, 0.0727)),
        make_record(whole, metrics=losses(0.04, 0.04, 0.04)),
    ]
    first, second = rank_readings(ROW, (FIRST, whole), records)
    assert (first.spec, first.short, first.undercut) == (whole, False, False)
    assert (second.spec, second.short) == (FIRST, True)
