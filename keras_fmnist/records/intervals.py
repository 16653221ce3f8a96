"""Confidence intervals and tests of means and differences; all of them are scipy's.

scipy.stats takes half a second to import, so each function imports it for itself.
"""

import math
import statistics
from collections.abc import Sequence

EQUIVALENCE_CONFIDENCE = 0.90  # two one-sided tests at 5 % each


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float | None]:
    """Mean and half the width of its confidence interval (Student's t), None for one value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    from scipy import stats

    return mean, float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))


def find_p_beyond(values: Sequence[float], low: float, high: float) -> float:
    """One-sided p-value of Student's t for a mean below `low`, or above `high`: the smaller one."""
    from scipy import stats

    mean, spread = statistics.fmean(values), float(stats.sem(values))
    if spread == 0:  # nothing is left to chance
        return float(low <= mean <= high)
    beyond = max((low - mean) / spread, (mean - high) / spread)
    return float(stats.t.sf(beyond, len(values) - 1))


def prediction_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Where one more value would lie, were it drawn like these (Student's t)."""
    from scipy import stats

    mean, spread = _one_more(values)
    if spread == 0:
        return mean, mean
    low, high = stats.t.interval(confidence, len(values) - 1, loc=mean, scale=spread)
    return float(low), float(high)


def find_p_one_more(values: Sequence[float], value: float) -> float:
    """Two-sided p-value of a value against the prediction interval of these."""
    from scipy import stats

    mean, spread = _one_more(values)
    if spread == 0:
        return float(value == mean)
    return float(2 * stats.t.sf(abs(value - mean) / spread, len(values) - 1))


def _one_more(values):
    """Mean, and the standard deviation of one more value around it."""
    return statistics.fmean(values), statistics.stdev(values) * math.sqrt(1 + 1 / len(values))


def find_p_below_half(yes: int, n: int) -> float:
    """Exact one-sided p-value (sign test) for a share below one half."""
    from scipy import stats

    return float(stats.binomtest(yes, n, alternative="less").pvalue)


def welch_interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Welch's interval for the difference of two means, one-sided at 95 % either way."""
    from scipy import stats

    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    if statistics.pstdev(ours) == statistics.pstdev(theirs) == 0:
        return difference, difference
    found = stats.ttest_ind(ours, theirs, equal_var=False)
    low, high = found.confidence_interval(EQUIVALENCE_CONFIDENCE)
    return float(low), float(high)


def paired_interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Interval for the mean of the differences of pairs, one-sided at 95 % either way."""
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean, half = mean_interval(differences, EQUIVALENCE_CONFIDENCE)
    return mean - half, mean + half


def judge_equivalence(low: float, high: float, margin: float) -> str:
    """Says what an interval for a difference means: equivalent, different or undecided.

    Inside ±`margin`, both one-sided tests reject at 5 % (Schuirmann 1987).
    """
    if -margin < low and high < margin:
        return "equivalent"
    return "different" if low > margin or high < -margin else "undecided"


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given and not cut at 1.

    Where each is a share of the error that its test allows, so is what comes out.
    """
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, (len(p_values) - rank) * p_values[k])
        adjusted[k] = largest
    return adjusted
