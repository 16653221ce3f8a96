"""From a fixed number of seeds to a verdict: what must be so, and what decides it.

Every rule has `specs`, the experiments it asks about; `error`, the largest chance that it decides
wrongly; and `judge(runs, seeds)`, which takes `{spec id: {backend, device and seed: record}}` and
the seeds that were fixed before any of them was run. While one of them is missing, nothing is read
off. Two variants are compared seed by seed: the same seed gives both the same order of batches.
docs/protocol.md says the same in words.
"""

import math
from dataclasses import dataclass, replace

from keras_fmnist.claims.quantities import WORDS, Quantity, compare
from keras_fmnist.claims.texts import Text
from keras_fmnist.records.intervals import (
    adjust_holm,
    find_p_below_half,
    find_p_beyond,
    find_p_one_more,
    mean_interval,
    prediction_interval,
)
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec

REPRODUCED, CONSISTENT = "reproduced", "consistent with one run"
VARIES, NOT_REPRODUCED = "varies with the seed", "not reproduced"
UNDECIDED = "undecided"
VERDICTS = (REPRODUCED, CONSISTENT, VARIES, NOT_REPRODUCED, UNDECIDED)
ONE_SIDED = 0.025  # of a bound, whose interval is of 95 %
TWO_TESTS = 0.05  # each of the two one-sided tests, whose interval is of 90 %
VOTE = 0.05  # sign test; 7 or 8 of 8 decide, and 5 of 5
PREDICTION = 0.05
# Of two seeds that happen to be near, the interval has almost no width.
FEWEST = 3
LARGEST = 700  # about the logarithm of the largest float
Runs = dict[str, dict[tuple[str, str, int], Record]]


@dataclass(frozen=True)
class Estimate:
    """A mean or a share over seeds, and its interval; None where there are too few seeds."""

    label: Text
    value: float | None
    interval: tuple[float, float] | None
    n: int
    percent: bool = False


@dataclass(frozen=True)
class Judgement:
    """What records say: a verdict, the reasons for it, and what was measured.

    `p` is the p-value of a refutation as a share of the error that its rule allows: at most 1
    refutes. `otherwise` is what a refutation becomes that does not stand among the parts of a
    whole, and `complete` whether every seed was there.
    """

    verdict: str
    reasons: tuple[Text, ...]
    measures: tuple[Estimate, ...]
    p: float = math.inf
    otherwise: str = UNDECIDED
    complete: bool = True


def _read(quantity, specs, runs, seeds):
    """What is read, one value for each of the seeds that every one of the specs has.

    A run off which it cannot be read does not count: its curves are too short, it has no pictures,
    or the quantity is a share of nothing.
    """
    values = []
    for key in sorted(set.intersection(*(set(runs[spec.id]) for spec in specs))):
        if key[2] not in seeds:
            continue
        try:
            value = quantity.of(*(runs[spec.id][key] for spec in specs))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            continue
        if math.isfinite(value) and (value > 0 or not quantity.factor):
            values.append(value)
    return values


def _names(specs):
    return " / ".join(dict.fromkeys(spec.name for spec in specs))


def _estimate(quantity, specs, values, confidence=0.95):
    """Mean and interval; of a ratio both on the scale of logarithms."""
    label, n = quantity.measure(*(spec.name for spec in specs)), len(values)
    if not values:
        return Estimate(label, None, None, 0, quantity.percent)
    scaled = [math.log(value) for value in values] if quantity.factor else values
    mean, half = mean_interval(scaled, confidence)
    interval = None
    if n >= FEWEST:
        interval = mean - half, mean + half
    if quantity.factor:
        mean, interval = _exp(mean), interval and tuple(map(_exp, interval))
    if interval:  # no accuracy lies above 1, whatever Student's t says
        interval = max(interval[0], quantity.least), min(interval[1], quantity.most)
    return Estimate(label, mean, interval, n, quantity.percent)


def _exp(value):
    return math.exp(min(value, LARGEST))


def _incomplete(measures, names, seeds):
    """The judgement that seeds are missing, or None where none is."""
    reasons = tuple(
        WORDS("too_few", names=name, n=m.n, seeds=len(seeds))
        for m, name in zip(measures, names, strict=True)
        if m.n < max(len(seeds), FEWEST)
    )
    return Judgement(UNDECIDED, reasons, measures, complete=False) if reasons else None


def _varies(yes, n):
    """Whether neither answer can be called that of most seeds, by the sign test either way.

    So it is with 2 to 6 of 8, and with 1 to 4 of 5. Seeds that all agree do not vary, however few.
    """
    return 0 < yes < n and find_p_below_half(min(yes, n - yes), n) > VOTE


@dataclass(frozen=True)
class Within:
    """The mean over seeds lies between two bounds.

    One bound is judged by the 95 % interval (Student's t), two by the two one-sided tests of
    equivalence, which is the interval of 90 %. Where the interval holds a bound and seeds lie on
    both sides of it, too even for a vote, the verdict is that it varies with the seed.
    """

    quantity: Quantity
    specs: tuple[Spec, ...]
    low: float = -math.inf
    high: float = math.inf

    @property
    def error(self) -> float:
        """Of either verdict, at the bound."""
        return TWO_TESTS if math.isfinite(self.low) and math.isfinite(self.high) else ONE_SIDED

    def judge(self, runs: Runs, seeds: range) -> Judgement:
        """What the runs say; see the module."""
        values = _read(self.quantity, self.specs, runs, seeds)
        measure = _estimate(self.quantity, self.specs, values, 1 - 2 * self.error)
        if missing := _incomplete((measure,), (_names(self.specs),), seeds):
            return missing
        low, high = measure.interval
        within = sum(self.low <= value <= self.high for value in values)
        words = {"measure": measure.label, "bounds": self._bounds()}
        if self.low <= low and high <= self.high:
            verdict, key = REPRODUCED, "all_within"
        elif high < self.low or self.high < low:
            verdict, key = NOT_REPRODUCED, "none_within"
        elif _varies(within, len(values)):
            verdict, key = VARIES, "varies_within"
            words |= {"yes": within, "n": len(values)}
        else:
            verdict, key = UNDECIDED, "partly_within"
        return Judgement(verdict, (WORDS(key, **words),), (measure,), self._p(values))

    def _p(self, values):
        bounds = self.low, self.high
        if self.quantity.factor:
            values = [math.log(value) for value in values]
            bounds = tuple(math.log(bound) if bound > 0 else -math.inf for bound in bounds)
        return find_p_beyond(values, *bounds) / self.error

    def _bounds(self):
        low, high = (format_number(bound, self.quantity.percent) for bound in (self.low, self.high))
        if math.isinf(self.low):
            return WORDS("at_most", high=high)
        return (
            WORDS("at_least", low=low)
            if math.isinf(self.high)
            else WORDS("between", low=low, high=high)
        )


@dataclass(frozen=True)
class Near:
    """The mean over seeds lies within `reach` of a printed number, which is that of one run.

    Reproduced where the 90 % interval is within the reach; else consistent with one run of ours
    where the number lies in the 95 % prediction interval; else not reproduced.
    """

    quantity: Quantity
    spec: Spec
    printed: float
    reach: float
    error = PREDICTION

    @property
    def specs(self) -> tuple[Spec]:
        """The experiment that it is printed for."""
        return (self.spec,)

    def judge(self, runs: Runs, seeds: range) -> Judgement:
        """What the runs say; see the module."""
        bounds = self.printed - self.reach, self.printed + self.reach
        near = Within(self.quantity, self.specs, *bounds).judge(runs, seeds)
        if not near.complete or near.verdict == REPRODUCED:
            return replace(near, p=math.inf)
        values = _read(self.quantity, self.specs, runs, seeds)
        p = find_p_one_more(values, self.printed) / self.error
        verdict = NOT_REPRODUCED if p <= 1 else CONSISTENT
        low, high = (
            format_number(bound, self.quantity.percent) for bound in prediction_interval(values)
        )
        reason = WORDS(
            "outside_one_more" if p <= 1 else "inside_one_more",
            printed=format_number(self.printed, self.quantity.percent),
            quantity=near.measures[0].label,
            low=low,
            high=high,
        )
        return Judgement(verdict, (reason,), near.measures, p, otherwise=CONSISTENT)


@dataclass(frozen=True)
class Ranked:
    """One variant's mean, times a factor, lies below another's, compared seed by seed."""

    quantity: Quantity
    smaller: Spec
    larger: Spec
    times: float = 1
    error = ONE_SIDED

    @property
    def specs(self) -> tuple[Spec, Spec]:
        """The two variants."""
        return (self.smaller, self.larger)

    def judge(self, runs: Runs, seeds: range) -> Judgement:
        """What the runs say; see the module."""
        low = self.times if self.quantity.compared == "ratio" else 0
        found = Within(compare(self.quantity), self.specs, low=low).judge(runs, seeds)
        sides = tuple(
            _estimate(self.quantity, (spec,), _read(self.quantity, (spec,), runs, seeds))
            for spec in self.specs
        )
        return replace(found, measures=(*sides, *found.measures))


@dataclass(frozen=True)
class Every:
    """Several things at once: one that is refuted is enough, after Holm's correction for all."""

    parts: tuple[Within | Near | Ranked, ...]

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Those of every part."""
        return tuple(dict.fromkeys(spec for part in self.parts for spec in part.specs))

    @property
    def error(self) -> float:
        """That all hold is wrongly said no more often than of one part; Holm keeps the rest."""
        return max(part.error for part in self.parts)

    def judge(self, runs: Runs, seeds: range) -> Judgement:
        """What the runs say; see the module."""
        found = [part.judge(runs, seeds) for part in self.parts]
        adjusted = adjust_holm([one.p for one in found])
        found = [
            _without_refutation(one) if one.verdict == NOT_REPRODUCED and p > 1 else one
            for one, p in zip(found, adjusted, strict=True)
        ]
        measures = tuple({m.label: m for one in found for m in one.measures}.values())
        missing = [one for one in found if not one.complete]
        verdicts = {one.verdict for one in missing or found}
        order = (NOT_REPRODUCED, VARIES, UNDECIDED, CONSISTENT, REPRODUCED)
        verdict = next(verdict for verdict in order if verdict in verdicts)
        reasons = dict.fromkeys(
            reason for one in missing or found if one.verdict == verdict for reason in one.reasons
        )
        return Judgement(
            verdict,
            tuple(reasons),
            measures,
            min(adjusted),
            complete=not missing,
        )


def _without_refutation(found):
    """What is left of a refutation that does not stand among so many parts."""
    reasons = tuple(WORDS("not_after_holm", reason=reason) for reason in found.reasons)
    return replace(found, verdict=found.otherwise, reasons=reasons)


Criterion = Within | Near | Ranked | Every


def format_number(value: float, percent: bool = False) -> str:
    """A measured value as text: a share in percent, anything else with three digits."""
    return f"{value:.2%}" if percent else f"{value:.3g}"


def name_verdict(verdict: str) -> Text:
    """A verdict in both languages."""
    return WORDS("verdict_" + verdict.replace(" ", "_"))
