"""Confidence intervals of means, shares and differences."""

import math
import statistics
from collections.abc import Sequence

SHARE_ERROR = 0.05


def share_interval(yes: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's interval for a share, `SHARE_ERROR` on either side."""
    from scipy.special import betaincinv  # a sixth of a second, and few seeds need none

    low = float(betaincinv(yes, n - yes + 1, SHARE_ERROR)) if yes else 0.0
    high = float(betaincinv(yes + 1, n - yes, 1 - SHARE_ERROR)) if yes < n else 1.0
    return low, high


def binomial_reach(count: float, of: int = 1000) -> float:
    """How far a count of `of` images would move with other images of the same kind, at 95 %."""
    return 1.96 * math.sqrt(count * (of - count) / of)


CONFIDENCE = 0.95  # of each of the two one-sided tests


def welch_interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Welch's interval for the difference of two means, one-sided at `CONFIDENCE` either way."""
    from scipy.special import stdtrit  # `--help` needs none of it, and scipy takes its time

    variances = [statistics.variance(side) / len(side) for side in (ours, theirs)]
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    spread = math.sqrt(sum(variances))
    if spread == 0:
        return difference, difference
    freedom = sum(variances) ** 2 / sum(
        v**2 / (len(side) - 1) for v, side in zip(variances, (ours, theirs), strict=True)
    )
    half = float(stdtrit(freedom, CONFIDENCE)) * spread
    return difference - half, difference + half


def mean_interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and half the width of its 95 % confidence interval (Student's t), None for one value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    # scipy.stats takes half a second more to import; one seed needs neither.
    from scipy.special import stdtrit

    spread = statistics.stdev(values) / math.sqrt(len(values))
    return mean, float(stdtrit(len(values) - 1, 0.975)) * spread
