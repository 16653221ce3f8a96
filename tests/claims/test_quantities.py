"""What is read off metrics and curves: words of the reports on curves drawn by hand."""

from types import SimpleNamespace

import pytest

from keras_fmnist.claims import quantities

FALLING = [0.9, 0.7, 0.6, 0.5, 0.45, 0.4, 0.38, 0.36, 0.35]


def curves(**history):
    return SimpleNamespace(
        history=history, metrics={name: curve[-1] for name, curve in history.items()}
    )


def both_losses(curve, other=FALLING):
    return curves(train_eval_loss=other, val_loss=curve)


def both_accuracies(curve, other):
    return curves(train_eval_accuracy=other, val_accuracy=curve)


def test_a_value_is_read_at_the_end_or_at_an_epoch_counted_from_one():
    run = curves(val_loss=[0.9, 0.3, 0.2, 0.1, 0.4, 0.5])
    assert quantities.final("val_loss").of(run) == 0.5
    assert quantities.at_epoch("val_loss", 1).of(run) == 0.9
    assert quantities.level("val_loss").of(run) == pytest.approx(0.3)  # of the last five
    assert quantities.running("val_loss").of(run) == 0.5
    assert quantities.at_epoch("val_loss", 1).label.english == "validation loss at epoch 1"
    assert quantities.level("val_loss").label.spanish == "pérdida de validación, últimas 5 épocas"


def test_losses_are_compared_by_their_ratio_and_accuracies_by_their_difference():
    one, other = (
        curves(val_loss=[0.4], val_accuracy=[0.5]),
        curves(val_loss=[0.1], val_accuracy=[0.9]),
    )
    assert quantities.compare(quantities.final("val_loss")).of(other, one) == pytest.approx(4)
    accuracy = quantities.compare(quantities.final("val_accuracy"))
    assert accuracy.of(one, other) == pytest.approx(0.4)
    assert accuracy.measure("a", "b").english == "validation accuracy, b minus a"


def test_gaps_are_validation_minus_training_loss_and_the_reverse_for_accuracies():
    wide = curves(train_eval_loss=[0.2], val_loss=[0.25])
    narrow = curves(train_eval_loss=[0.3], val_loss=[0.4])
    assert quantities.GAP.of(wide) == pytest.approx(0.05)
    assert quantities.GAP_CHANGE.of(narrow, wide) == pytest.approx((0.05 - 0.1) / 0.4)
    accurate = curves(train_eval_accuracy=[0.95], val_accuracy=[0.91])
    assert quantities.ACCURACY_GAP.of(accurate) == pytest.approx(0.04)
    running = curves(loss=[1.0, 0.6], val_loss=[0.4])
    assert quantities.RUNNING_RATIO.of(running) == pytest.approx(1.5)
    over = SimpleNamespace(metrics={"val_loss": 0.02, "mean_image_loss": 0.08})
    assert quantities.OVER_MEAN_IMAGE.of(over) == pytest.approx(0.25)
    over = SimpleNamespace(metrics={"val_loss": 0.03, "pca_loss": 0.02})
    assert quantities.OVER_PCA.of(over) == pytest.approx(1.5)


def test_wobble_is_the_spread_of_the_steps_from_epoch_5_on():
    # steps 0.1, -0.1, 0.1 after whatever came before: standard deviation 0.2 / √3
    run = curves(val_loss=[9, 1, 7, 2, 0.5, 0.6, 0.5, 0.6])
    assert quantities.WOBBLE.of(run) == pytest.approx(0.2 / 3**0.5)
    assert quantities.WOBBLE.of(curves(val_loss=[9, 9, 9, 9, 0.5, 0.4, 0.3, 0.2])) == pytest.approx(
        0
    )


def test_a_curve_first_falls_to_epoch_5_and_rises_by_its_mean_after_it():
    rising = [1.0, 0.9, 0.8, 0.7, 0.5, 0.6, 0.5, 0.7]
    run = both_losses(rising, other=rising)
    assert quantities.FIRST_FALL.of(run) == pytest.approx(2)
    assert quantities.RISE.of(run) == pytest.approx(0.6 / 0.5)
    assert quantities.STEPS_UP.of(run) == 2
    # Of both losses the one counts that speaks more against it.
    falls = both_losses(rising)
    assert quantities.FIRST_FALL.of(falls) == pytest.approx(2)
    assert quantities.RISE.of(falls) == pytest.approx((0.4 + 0.38 + 0.36 + 0.35) / 4 / 0.45)
    assert quantities.STEPS_UP.of(falls) == 0


def test_the_largest_step_against_the_trend_is_a_share_of_the_curves_height():
    up, down = quantities.LARGEST_STEP_UP, quantities.LARGEST_STEP_DOWN
    broken = [*FALLING[:8], 0.415]  # a tenth of its height of 0.54 above what came before
    assert up.of(both_losses(broken)) == pytest.approx(0.055 / 0.54)
    assert up.of(both_losses(FALLING, other=broken)) == pytest.approx(0.055 / 0.54)
    assert up.of(both_losses(FALLING)) == pytest.approx(-0.01 / 0.55)  # its smallest step down
    rises, stumbles = [1 - value for value in FALLING], [1 - value for value in broken]
    assert down.of(both_accuracies(rises, rises)) == pytest.approx(-0.01 / 0.55)
    for pair in ((rises, stumbles), (stumbles, rises)):
        assert down.of(both_accuracies(*pair)) == pytest.approx(0.055 / 0.54)


def test_thirds_forgive_a_step_but_not_a_turn():
    stepping = [0.9, 0.7, 0.8, 0.5, 0.6, 0.4, 0.3, 0.5, 0.3]
    turning = [0.9, 0.7, 0.6, 0.3, 0.3, 0.3, 0.35, 0.36, 0.37]
    least = quantities.LEAST_FALL.of
    assert least(both_losses(stepping, other=stepping)) == pytest.approx(1.5 / 1.1)
    assert least(both_losses(turning)) == pytest.approx(0.9 / 1.08)
    assert least(both_losses(FALLING, other=turning)) == pytest.approx(0.9 / 1.08)
    assert quantities.LAST_OVER_MIDDLE.of(both_losses(turning)) == pytest.approx(1.2)
    assert quantities.LAST_OVER_MIDDLE.of(both_losses(stepping)) == pytest.approx(1.1 / 1.5)


def test_the_lowest_epoch_is_counted_from_one():
    assert quantities.LOWEST_EPOCH.of(both_losses([0.5, 0.4, 0.1, 0.3])) == 3


def test_accuracies_gain_settle_and_wobble():
    settled = [0.5, 0.6, 0.7, 0.74, 0.73, 0.74, 0.73, 0.75, 0.73]
    rising = [0.5, 0.6, 0.7, 0.74, 0.75, 0.76, 0.77, 0.78, 0.79]
    run = both_accuracies(settled, settled)
    assert quantities.GAIN.of(run) == pytest.approx(2.21 / 3 - 0.5)
    # middle 0.73667, last 0.73667 with a standard deviation of 0.011547
    assert quantities.SETTLES.of(run) == pytest.approx(0.011547, abs=1e-6)
    assert quantities.STEPS_DOWN.of(run) == 3
    for pair in ((settled, rising), (rising, settled)):
        other = both_accuracies(*pair)
        assert quantities.SETTLES.of(other) == pytest.approx(0.01 - 0.03)
        assert quantities.STEPS_DOWN.of(other) == 0


def test_the_first_epoch_with_anothers_final_accuracy_is_one_past_the_last_where_none_has_it():
    slow = curves(val_accuracy=[0.1, 0.8, 0.8, 0.8, 0.8, 0.8])
    reaches = curves(val_accuracy=[0.5, 0.7, 0.9, 0.6])
    assert quantities.FIRST_EPOCH_AT.of(reaches, slow) == 3
    assert quantities.FIRST_EPOCH_AT.of(curves(val_accuracy=[0.5, 0.7]), slow) == 3
    assert quantities.FIRST_EPOCH_AT.measure("a", "b").english.endswith("accuracy, a against b")


def test_what_the_processor_took_is_read_off_a_run_on_a_cpu():
    run = SimpleNamespace(device="cpu", seconds={"cpu": 12.5})
    assert quantities.CPU_SECONDS.of(run) == 12.5
    with pytest.raises(LookupError, match="beside a GPU"):
        quantities.CPU_SECONDS.of(SimpleNamespace(device="gpu", seconds={"cpu": 12.5}))
