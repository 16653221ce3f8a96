"""What is read off a run: words of the reports on curves and matrices drawn by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_fmnist.claims import quantities
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import pack_images

FALLING = [0.9, 0.7, 0.6, 0.5, 0.45, 0.4, 0.38, 0.36, 0.35]


def curves(**history):
    return SimpleNamespace(
        history=history, metrics={name: curve[-1] for name, curve in history.items()}
    )


def both_losses(curve, other=FALLING):
    return curves(train_eval_loss=other, val_loss=curve)


def confusion(matrix):
    return SimpleNamespace(confusion_matrix=np.asarray(matrix).tolist())


def test_a_value_is_read_at_the_last_epoch_or_at_one_counted_from_one():
    run = curves(val_loss=[0.3, 0.2, 0.1])
    assert quantities.final("val_loss").of(run) == 0.1
    assert quantities.at_epoch("val_loss", 1).of(run) == 0.3
    assert quantities.at_epoch("val_loss", 1).label == "epoch 1 val_loss"
    assert quantities.ratio("val_loss").of(run, curves(val_loss=[0.4])) == pytest.approx(0.25)


def test_losses_are_higher_later_where_both_are():
    later, up = quantities.higher_later(2, 3), [0.3, 0.1, 0.2]
    assert later.of(both_losses(up, up))
    assert not later.of(both_losses(up, [0.3, 0.1, 0.1]))
    assert not later.of(both_losses([0.3, 0.2, 0.1], up))


def test_losses_are_higher_on_average_where_the_mean_of_what_follows_is():
    rises, up = quantities.higher_on_average(2), [0.9, 0.1, 0.3, 0.05, 0.0, 0.1]  # mean 0.1125
    assert rises.of(both_losses(up, up))
    assert not rises.of(both_losses(up, [0.9, 0.12, 0.3, 0.05, 0.0, 0.1]))
    assert not rises.of(both_losses([0.9, 0.12, 0.3, 0.05, 0.0, 0.1], up))


def test_steps_either_way_count_the_rarer_direction_of_either_loss_from_epoch_5_on():
    early = [0.1, 0.9, 0.1, 0.9]  # before epoch 5, where nothing counts
    twice = [*early, 0.5, 0.6, 0.5, 0.6, 0.5, 0.4]  # up 2, down 3
    thrice = [*early, 0.5, 0.6, 0.7, 0.8, 0.7, 0.6]  # up 3, down 2
    once = [*early, 0.5, 0.6, 0.7, 0.8, 0.9, 0.8]  # up 4, down 1
    assert quantities.STEPS_EITHER_WAY.of(both_losses(twice, thrice)) == 2
    assert quantities.STEPS_EITHER_WAY.of(both_losses(twice, once)) == 1
    assert quantities.STEPS_EITHER_WAY.of(both_losses(once, twice)) == 1


def test_a_difference_is_what_is_read_off_the_first_run_minus_the_second():
    less = quantities.difference(quantities.final("val_loss"))
    assert less.of(curves(val_loss=[0.2]), curves(val_loss=[0.5])) == pytest.approx(-0.3)


def test_gaps_are_validation_minus_training_loss_and_the_reverse_for_accuracies():
    wide = curves(train_eval_loss=[0.2], val_loss=[0.25])
    narrow = curves(train_eval_loss=[0.3], val_loss=[0.4])
    assert quantities.GAP.of(wide) == pytest.approx(0.05)
    assert quantities.GAP_CHANGE.of(wide, narrow) == pytest.approx((0.05 - 0.1) / 0.4)
    accurate = curves(train_eval_accuracy=[0.95], val_accuracy=[0.91])
    assert quantities.ACCURACY_GAP.of(accurate) == pytest.approx(0.04)
    running = curves(loss=[1.0, 0.6], val_loss=[0.4])
    assert quantities.RUNNING_RATIO.of(running) == pytest.approx(1.5)


def test_wobble_is_the_spread_of_the_steps_from_epoch_5_on():
    # steps 0.1, -0.1, 0.1 after whatever came before: standard deviation 0.2 / √3
    run = curves(val_loss=[9, 1, 7, 2, 0.5, 0.6, 0.5, 0.6])
    assert quantities.WOBBLE.of(run) == pytest.approx(0.2 / 3**0.5)
    assert quantities.WOBBLE.of(curves(val_loss=[9, 9, 9, 9, 0.5, 0.4, 0.3, 0.2])) == pytest.approx(
        0
    )


def test_throughout_means_no_step_that_shows_against_the_trend():
    fall = quantities.FALL_THROUGHOUT
    assert fall.of(both_losses(FALLING))
    # the curve is 0.55 high: a twentieth of it is 0.0275
    assert fall.of(both_losses([*FALLING[:8], 0.385]))
    for broken in ([*FALLING[:8], 0.39], FALLING[::-1], [0.5] * 9):
        assert not fall.of(both_losses(broken))
        assert not fall.of(both_losses(FALLING, other=broken))
    rise = quantities.RISE_THROUGHOUT
    up = [1 - value for value in FALLING]
    assert rise.of(curves(train_eval_accuracy=up, val_accuracy=up))
    for broken in ([*up[:8], up[7] - 0.03], FALLING):
        assert not rise.of(curves(train_eval_accuracy=up, val_accuracy=broken))
        assert not rise.of(curves(train_eval_accuracy=broken, val_accuracy=up))


def test_thirds_forgive_a_step_but_not_a_turn():
    stepping = [0.9, 0.7, 0.8, 0.5, 0.6, 0.4, 0.3, 0.5, 0.3]
    turning = [0.9, 0.7, 0.6, 0.3, 0.3, 0.3, 0.35, 0.36, 0.37]
    assert quantities.SINK.of(both_losses(stepping))
    assert not quantities.FALL_THROUGHOUT.of(both_losses(stepping))
    assert not quantities.SINK.of(both_losses(turning))
    assert not quantities.SINK.of(both_losses(FALLING, other=turning))
    for curve, keeps in ((stepping, True), (turning, False), ([0.5] * 9, True)):
        assert quantities.KEEPS.of(both_losses(curve)) is keeps
        assert quantities.OVERFITS.of(both_losses(curve)) is not keeps


@pytest.mark.parametrize(
    ("lowest", "turns"), [(0, False), (2, False), (3, True), (5, True), (6, False), (8, False)]
)
def test_a_curve_turns_halfway_where_its_lowest_epoch_is_in_the_middle_third(lowest, turns):
    curve = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9]  # higher at the end in any case
    curve[lowest] = 0.1
    assert quantities.TURNS_HALFWAY.of(both_losses(curve)) is turns


def test_a_curve_that_is_lowest_halfway_and_stays_low_does_not_turn():
    curve = [0.9, 0.9, 0.9, 0.6, 0.3, 0.6, 0.4, 0.4, 0.4]
    assert not quantities.TURNS_HALFWAY.of(both_losses(curve))


@pytest.mark.parametrize(
    ("curve", "flattens"),
    [
        ([0.5, 0.6, 0.7, 0.74, 0.73, 0.74, 0.73, 0.75, 0.73], True),
        ([0.5, 0.6, 0.7, 0.74, 0.75, 0.76, 0.77, 0.78, 0.79], False),  # goes on rising
        ([0.5, 0.6, 0.7, 0.74, 0.74, 0.74, 0.74, 0.74, 0.74], False),  # does not wobble
        ([0.8, 0.6, 0.7, 0.74, 0.73, 0.74, 0.73, 0.75, 0.73], False),  # does not rise
        ([0.5, 0.6, 0.7, 0.74, 0.73, 0.74, 0.79, 0.81, 0.79], False),  # a step up, then flat
    ],
)
def test_accuracies_flatten_where_both_gain_less_than_they_vary(curve, flattens):
    flat = [0.5, 0.6, 0.7, 0.74, 0.73, 0.74, 0.73, 0.75, 0.73]
    for both in ((curve, flat), (flat, curve)):
        run = curves(**dict(zip(quantities.ACCURACIES, both, strict=True)))
        assert bool(quantities.FLATTENS.of(run)) is flattens


def pictures(originals, rebuilt):
    packed = {"originals": originals, "reconstructions": rebuilt}
    return SimpleNamespace(images={n: pack_images(i) for n, i in packed.items()})


def test_pictures_explain_all_or_nothing_or_less_than_their_mean_does():
    originals = np.random.default_rng(0).uniform(0.3, 0.7, (10, 28, 28, 1))
    mean = np.broadcast_to(originals.mean(0), originals.shape)
    explained = quantities.EXPLAINED.of
    assert explained(pictures(originals, originals)) == 1
    assert explained(pictures(originals, mean)) == pytest.approx(0, abs=0.01)
    halfway = (originals + mean) / 2
    assert explained(pictures(originals, halfway)) == pytest.approx(0.75, abs=0.01)
    assert explained(pictures(originals, np.zeros_like(originals))) < -1


def test_best_and_worst_classes_are_those_of_the_diagonal():
    matrix = np.diag(range(10, 20))  # T-shirt/top 10, …, Ankle boot 19
    run = confusion(matrix)
    assert quantities.best_classes("Ankle boot", "Bag", "Sneaker").of(run)
    assert quantities.best_classes("Sneaker", "Ankle boot", "Bag").of(run)
    assert not quantities.best_classes("Ankle boot", "Bag", "Shirt").of(run)
    assert quantities.worst_classes("T-shirt/top", "Trouser").of(run)
    assert not quantities.worst_classes("T-shirt/top", "Pullover").of(run)


def test_errors_are_read_from_the_row_of_the_true_class():
    matrix = np.zeros((10, 10), int)
    shirt, coat = CLASS_NAMES.index("Shirt"), CLASS_NAMES.index("Coat")
    matrix[shirt] = [142, 0, 60, 20, 50, 0, 713, 0, 15, 0]
    matrix[coat] = [0, 0, 90, 40, 800, 0, 70, 0, 0, 0]
    matrix[:, 8] += 5  # a column that no row reading may take for a row
    run = confusion(matrix)
    assert quantities.counted_as("Shirt", "T-shirt/top").of(run) == 142
    assert quantities.counted_as("T-shirt/top", "Shirt").of(run) == 0
    assert quantities.counted_as("Shirt", "Shirt").of(run) == 713
    assert quantities.commonest_errors("Shirt", "Pullover", "Coat", "T-shirt/top").of(run)
    assert not quantities.commonest_errors("Shirt", "Pullover", "Dress", "T-shirt/top").of(run)
    # shirts 142 + 60 + 50 of 292, coats 90 + 70 of 205
    assert quantities.UPPER_ERRORS.of(run) == pytest.approx((252 + 160) / (292 + 205))


def test_all_ten_classes_must_be_lower():
    full = confusion(np.diag([900] * 10))
    lower = np.diag([899] * 10)
    assert quantities.ALL_CLASSES_LOWER.of(confusion(lower), full)
    lower[6, 6] = 900
    assert not quantities.ALL_CLASSES_LOWER.of(confusion(lower), full)
