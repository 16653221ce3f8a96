"""Intervals and p-values, against numbers worked out by hand or found another way."""

import math

import pytest
from scipy import stats

from keras_fmnist.records.intervals import (
    adjust_holm,
    find_p_below_half,
    find_p_beyond,
    find_p_one_more,
    mean_interval,
    prediction_interval,
    welch_interval,
)

# mean 2, standard deviation 1; t(0.975, 2) = 4.302653 and t(0.95, 2) = 2.919986
SEEDS = [1.0, 2.0, 3.0]


def test_the_interval_of_a_mean_is_students():
    mean, half = mean_interval(SEEDS)
    assert (mean, half) == (2, pytest.approx(4.302653 / math.sqrt(3), abs=1e-6))
    _, half = mean_interval(SEEDS, 0.90)
    assert half == pytest.approx(2.919986 / math.sqrt(3), abs=1e-6)
    assert mean_interval([0.5]) == (0.5, None)
    assert mean_interval([0.5, 0.5]) == (0.5, 0.0)


@pytest.mark.parametrize("bound", [-1.0, 0.5, 1.9, 3.0])
def test_the_p_value_of_a_mean_beyond_a_bound_is_that_of_a_one_sided_test(bound):
    below = stats.ttest_1samp(SEEDS, bound, alternative="less").pvalue
    above = stats.ttest_1samp(SEEDS, bound, alternative="greater").pvalue
    assert find_p_beyond(SEEDS, bound, math.inf) == pytest.approx(below)
    assert find_p_beyond(SEEDS, -math.inf, bound) == pytest.approx(above)
    assert find_p_beyond(SEEDS, bound, bound) == pytest.approx(min(below, above))


def test_values_without_spread_leave_nothing_to_chance():
    assert find_p_beyond([2.0] * 3, 1, 3) == 1
    assert find_p_beyond([2.0] * 3, 2.1, 3) == 0
    assert prediction_interval([2.0] * 3) == (2, 2)
    assert find_p_one_more([2.0] * 3, 2.0) == 1
    assert find_p_one_more([2.0] * 3, 2.1) == 0
    assert welch_interval([2.0] * 3, [1.0] * 3) == (1, 1)


def test_one_more_value_spreads_wider_than_the_mean():
    # √(1 + 1/3) standard deviations
    half = 4.302653 * math.sqrt(4 / 3)
    assert prediction_interval(SEEDS) == pytest.approx((2 - half, 2 + half), abs=1e-5)
    assert find_p_one_more(SEEDS, 2 + half) == pytest.approx(0.05, abs=1e-6)
    assert find_p_one_more(SEEDS, 2) == 1


@pytest.mark.parametrize(("yes", "n", "p"), [(0, 5, 1 / 32), (1, 8, 9 / 256), (2, 8, 37 / 256)])
def test_a_share_below_half_is_the_tail_of_a_fair_coin(yes, n, p):
    assert find_p_below_half(yes, n) == pytest.approx(p)


def test_the_interval_of_a_difference_is_welchs_at_90_percent():
    other = [2.0, 4.0, 9.0, 5.0]
    # variances 1/3 and 8.667/4: Welch and Satterthwaite's 4.0556 degrees of freedom
    spread = math.sqrt(1 / 3 + 26 / 3 / 4)
    freedom = (1 / 3 + 26 / 12) ** 2 / ((1 / 3) ** 2 / 2 + (26 / 12) ** 2 / 3)
    half = stats.t.ppf(0.95, freedom) * spread
    assert welch_interval(SEEDS, other) == pytest.approx((-3 - half, -3 + half))


@pytest.mark.parametrize(
    ("values", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.02], [0.02]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.03, math.inf], [0.06, math.inf]),
    ],
)
def test_holm_takes_the_smallest_times_all_and_never_falls(values, adjusted):
    assert adjust_holm(values) == pytest.approx(adjusted)
