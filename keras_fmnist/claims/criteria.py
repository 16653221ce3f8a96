"""From several seeds to a verdict: what must be so, and when the seeds are enough to tell.

A verdict follows from an interval alone, never from a mean: `undecided` where seeds are too few or
where the interval holds both sides. Two variants are ranked only where their intervals lie apart;
seeds that both have do not help, for nets of different shape share little but the seed's number.
A ratio or a difference, which is one number a seed, is taken seed by seed.

Every rule has `specs`, the experiments it asks about, and `judge(runs)`, which takes
`{spec id: {backend, device and seed: record}}` and returns a `Finding`.
"""

import math
from dataclasses import dataclass

from keras_fmnist.claims.quantities import Quantity
from keras_fmnist.records.intervals import mean_interval, share_interval
from keras_fmnist.records.record import Record
from keras_fmnist.specs import Spec

REPRODUCED, NOT_REPRODUCED, UNDECIDED = "reproduced", "not reproduced", "undecided"
# Of two seeds that happen to be near, the interval has almost no width.
FEWEST = 3
# Sign test: five seeds that agree are the fewest to exclude, at 5 % on either side, that the other
# outcome is as common: 0.5 ** 5 = 0.03.
FEWEST_VOTES = 5
Runs = dict[str, dict[tuple[str, str, int], Record]]


@dataclass(frozen=True)
class Estimate:
    """A mean or a share over seeds, and its interval; None where there are too few seeds."""

    label: str
    value: float | None
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True)
class Judgement:
    """What records say: a verdict, the reasons for it, and what was measured."""

    verdict: str
    reasons: tuple[str, ...]
    measures: tuple[Estimate, ...]


def _values(reading, specs, runs):
    """What is read, one value for each seed that every one of the specs has.

    A run off which it cannot be read does not count: its curves are too short, it has no pictures,
    or the reading is a share of nothing.
    """
    values = []
    for key in sorted(set.intersection(*(set(runs[spec.id]) for spec in specs))):
        try:
            value = reading.of(*(runs[spec.id][key] for spec in specs))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            continue
        if math.isfinite(value):
            values.append(value)
    return values


def _names(specs):
    return " / ".join(spec.name for spec in specs)


def _mean(reading, specs, runs):
    values = _values(reading, specs, runs)
    label = f"{_names(specs)} {reading.label}"
    if not values:
        return Estimate(label, None, None, 0)
    mean, half = mean_interval(values)
    interval = None
    if len(values) >= FEWEST:  # no accuracy lies above 1, whatever Student's t says
        interval = max(mean - half, reading.least), min(mean + half, reading.most)
    return Estimate(label, mean, interval, len(values))


def _too_few(measures, names, fewest):
    """The finding that seeds are too few, or None where they are not."""
    reasons = tuple(
        f"{name} has {m.n} of at least {fewest} seeds"
        for m, name in zip(measures, names, strict=True)
        if m.n < fewest
    )
    return Judgement(UNDECIDED, reasons, measures) if reasons else None


@dataclass(frozen=True)
class Within:
    """The mean over seeds lies between two bounds, judged by its 95 % interval (Student's t)."""

    reading: Quantity
    specs: tuple[Spec, ...]
    low: float = -math.inf
    high: float = math.inf

    def judge(self, runs: Runs) -> Judgement:
        """What the runs say; see the module."""
        measure = _mean(self.reading, self.specs, runs)
        if few := _too_few((measure,), (_names(self.specs),), FEWEST):
            return few
        low, high = measure.interval
        if self.low <= low and high <= self.high:
            verdict, part = REPRODUCED, "all"
        elif high < self.low or self.high < low:
            verdict, part = NOT_REPRODUCED, "no part"
        else:
            verdict, part = UNDECIDED, "only a part"
        reason = f"{part} of the interval of {measure.label} is {self._bounds(measure.label)}"
        return Judgement(verdict, (reason,), (measure,))

    def _bounds(self, label):
        low, high = format_number(label, self.low), format_number(label, self.high)
        if math.isinf(self.low):
            return f"at most {high}"
        return f"at least {low}" if math.isinf(self.high) else f"from {low} to {high}"


@dataclass(frozen=True)
class Near:
    """The mean over seeds lies within `reach` of a printed number.

    What is printed is one run. So the number is refuted only where, besides, one more run of ours
    would not be expected there: outside the 95 % prediction interval.
    """

    reading: Quantity
    spec: Spec
    printed: float
    reach: float

    @property
    def specs(self) -> tuple[Spec]:
        """The experiment that it is printed for."""
        return (self.spec,)

    def judge(self, runs: Runs) -> Judgement:
        """What the runs say; see the module."""
        bounds = self.printed - self.reach, self.printed + self.reach
        found = Within(self.reading, self.specs, *bounds).judge(runs)
        if found.verdict != NOT_REPRODUCED:
            return found
        mean, half = mean_interval(_values(self.reading, self.specs, runs))
        # Half of a mean's interval is t·s/√n, that of one more run t·s·√(1 + 1/n).
        one_more = half * math.sqrt(found.measures[0].n + 1)
        if abs(mean - self.printed) > one_more:
            return found
        reason = f"{found.reasons[0]}, but one more run might be"
        return Judgement(UNDECIDED, (reason,), found.measures)


@dataclass(frozen=True)
class Ranked:
    """One variant's mean, times a factor, lies below another's; both intervals must lie apart."""

    reading: Quantity
    smaller: Spec
    larger: Spec
    times: float = 1

    @property
    def specs(self) -> tuple[Spec, Spec]:
        """The two variants."""
        return (self.smaller, self.larger)

    def judge(self, runs: Runs) -> Judgement:
        """What the runs say; see the module."""
        measures = tuple(_mean(self.reading, (spec,), runs) for spec in self.specs)
        if few := _too_few(measures, (self.smaller.name, self.larger.name), FEWEST):
            return few
        low, high = (self.times * bound for bound in measures[0].interval)
        factor = "" if self.times == 1 else f"{self.times:g} times "
        names = f"{factor}{self.smaller.name} and {self.larger.name}"
        if high < measures[1].interval[0]:
            return Judgement(REPRODUCED, (f"{names} lie apart",), measures)
        if measures[1].interval[1] < low:
            return Judgement(NOT_REPRODUCED, (f"{names} lie apart, the other way round",), measures)
        return Judgement(UNDECIDED, (f"{names}: intervals overlap, no ranking",), measures)


@dataclass(frozen=True)
class MostSeeds:
    """More than half of all seeds say yes, judged by the share's Clopper-Pearson interval."""

    reading: Quantity
    specs: tuple[Spec, ...]

    def judge(self, runs: Runs) -> Judgement:
        """What the runs say; see the module."""
        votes = _values(self.reading, self.specs, runs)
        n, yes = len(votes), sum(votes)
        label = f"{_names(self.specs)} {self.reading.label} (share of seeds)"
        interval = share_interval(yes, n) if n >= FEWEST_VOTES else None
        measure = Estimate(label, yes / n if n else None, interval, n)
        if few := _too_few((measure,), (_names(self.specs),), FEWEST_VOTES):
            return few
        low, high = interval
        verdict = REPRODUCED if low > 0.5 else NOT_REPRODUCED if high < 0.5 else UNDECIDED
        words = f"{self.reading.label}: {yes} of {n} seeds"
        if verdict is UNDECIDED:
            words += ", too near half"
        return Judgement(verdict, (words,), (measure,))


@dataclass(frozen=True)
class Every:
    """Several things at once: one that is not reproduced is enough to refute all."""

    parts: tuple[Within | Near | Ranked | MostSeeds, ...]

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Those of every part."""
        return tuple(spec for part in self.parts for spec in part.specs)

    def judge(self, runs: Runs) -> Judgement:
        """What the runs say; see the module."""
        findings = [part.judge(runs) for part in self.parts]
        verdicts = {finding.verdict for finding in findings}
        verdict = next(v for v in (NOT_REPRODUCED, UNDECIDED, REPRODUCED) if v in verdicts)
        reasons = dict.fromkeys(r for f in findings if f.verdict == verdict for r in f.reasons)
        measures = {m.label: m for f in findings for m in f.measures}
        return Judgement(verdict, tuple(reasons), tuple(measures.values()))


def format_number(label: str, value: float) -> str:
    """A measured value as text: an accuracy in percent, anything else with three digits."""
    return f"{value:.2%}" if label.endswith("accuracy") else f"{value:.3g}"
