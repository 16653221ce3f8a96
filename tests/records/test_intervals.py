"""Confidence intervals, held to tables and to what scipy says by another way."""

import math

import numpy as np
import pytest
from scipy import stats

from keras_fmnist.records.intervals import (
    binomial_reach,
    mean_interval,
    share_interval,
    welch_interval,
)


def test_a_mean_has_students_interval():
    # t(0.975, 2) = 4.302653: mean 2, standard deviation 1, three values
    mean, half = mean_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.302653 / math.sqrt(3), abs=1e-6)
    # t(0.975, 4) = 2.776445: five values
    mean, half = mean_interval([0.9, 0.8, 0.85, 0.95, 0.8])
    assert mean == pytest.approx(0.86)
    assert half == pytest.approx(2.776445 * np.std([0.9, 0.8, 0.85, 0.95, 0.8], ddof=1) / 5**0.5)
    assert mean_interval([0.5, 0.5]) == (0.5, 0.0)
    assert mean_interval([0.5]) == (0.5, None)


def test_a_share_has_the_interval_of_clopper_and_pearson():
    for n in (1, 5, 8, 40):
        for yes in range(n + 1):
            exact = stats.binomtest(yes, n).proportion_ci(confidence_level=0.9, method="exact")
            assert share_interval(yes, n) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert share_interval(0, 5)[0] == 0
    assert share_interval(5, 5)[1] == 1


def test_the_difference_of_two_means_has_welchs_interval():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 0.1, 5).tolist(), rng.normal(1.2, 0.5, 7).tolist()
    exact = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.9)
    assert welch_interval(ours, theirs) == pytest.approx((exact.low, exact.high), abs=1e-9)
    low, high = welch_interval(theirs, ours)
    assert (-high, -low) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_runs_that_do_not_differ_have_an_interval_without_width():
    assert welch_interval([0.5, 0.5], [0.25, 0.25]) == (0.25, 0.25)


def test_the_binomial_margin_of_a_count():
    # 1.96 · √(1000 · 0.713 · 0.287)
    assert binomial_reach(713) == pytest.approx(28.04, abs=0.01)
