"""What the reports claim, as data beside their experiments, and what the records say of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from keras_fmnist.claims.criteria import (
    VERDICTS,
    Criterion,
    Judgement,
    format_number,
    name_verdict,
)
from keras_fmnist.claims.places import Place
from keras_fmnist.claims.quantities import WORDS
from keras_fmnist.claims.texts import Text, join_texts
from keras_fmnist.records.groups import is_declared, select_largest
from keras_fmnist.records.record import Record


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a report claims.

    Attributes:
        name: its name within the report.
        claim: what its words are taken to mean, in one line.
        where: section, figure or table.
        published: what is printed there.
        holds: what must be so in the records.
        seeds: how many seeds decide, 0 and up; no more and no fewer.
        seen: so many of them had been run when the claim was last written.
        threshold: the number that a word of the report was given, or None.
        elsewhere: what would have to be so with half and with double that number.
        registered: the commit that registered the rule; see `registration`.
    """

    name: str
    claim: Text
    where: Place
    published: Text
    holds: Criterion
    seeds: int
    seen: int
    threshold: float | None = None
    elsewhere: dict[str, Criterion] = field(default_factory=dict)
    registered: str | None = None

    @property
    def report(self) -> str:
        """Whose claim it is: that of the experiments it is about."""
        return self.holds.specs[0].report

    @property
    def id(self) -> str:
        """`report/name`."""
        return f"{self.report}/{self.name}"


def give_words_a_number(threshold: float, rule: Callable[[float], Criterion]) -> dict:
    """The arguments of a `Claim` whose word, such as "much", stands for a number of ours.

    Args:
        threshold: the number.
        rule: what must be so, given the number.
    """
    return {
        "threshold": threshold,
        "holds": rule(threshold),
        "elsewhere": {"half": rule(threshold / 2), "double": rule(2 * threshold)},
    }


@dataclass(frozen=True)
class Verdict:
    """What the records say of a claim.

    Attributes:
        claim: the claim.
        judgement: by all its seeds.
        later: by the seeds alone that had not been run when the claim was written.
        elsewhere: the verdicts with half and with double a number that we gave to a word.
    """

    claim: Claim
    judgement: Judgement
    later: Judgement
    elsewhere: dict[str, str]

    @property
    def word(self) -> str:
        """One of `criteria.VERDICTS`."""
        return self.judgement.verdict

    @property
    def n(self) -> int:
        """The fewest seeds behind any number."""
        return min(m.n for m in self.judgement.measures)

    def describe_ours(self) -> list[Text]:
        """What was measured, a text a number: `base validation loss: 0.037 [0.036, 0.038]`."""
        measures = self.judgement.measures
        if not any(m.n for m in measures):
            return [WORDS("not_run")]
        return [*(_describe_estimate(m) for m in measures), WORDS("seeds_counted", n=self.n)]

    def describe_published(self) -> Text:
        """What is printed, and where."""
        return WORDS("published", words=self.claim.published, where=self.claim.where.words)

    def describe_why(self) -> Text:
        """The reasons for the verdict."""
        return join_texts(self.judgement.reasons, "; ")

    def describe_beside(self) -> list[Text]:
        """What stands beside the verdict: later seeds, other thresholds, the registration."""
        claim = self.claim
        later = name_verdict(self.later.verdict)
        found = [WORDS("later", first=claim.seen, last=claim.seeds - 1, verdict=later)]
        if claim.threshold is not None:
            words = {word: name_verdict(verdict) for word, verdict in self.elsewhere.items()}
            found.append(WORDS("elsewhere", threshold=f"{claim.threshold:g}", **words))
        if claim.registered:
            return [*found, WORDS("registered", commit=claim.registered[:7])]
        return [*found, WORDS("not_registered")]

    def to_json(self) -> dict:
        """`{id, report, claim, published, ours, interval, n, verdict, why, ...}` in English.

        `ours` holds what was measured, a mean or a share by its label, `interval` for each label
        `[low, high]` or None, `seeds` how many seeds decide, `seen` how many of them had been run
        when the claim was written, `later` the verdict of the others alone, `elsewhere` those with
        half and double the `threshold`, and `registered` the commit that registered the rule.
        """
        claim, measures = self.claim, self.judgement.measures
        return {
            "id": claim.id,
            "report": claim.report,
            "claim": claim.claim.english,
            "published": self.describe_published().english,
            "ours": {m.label.english: m.value for m in measures},
            "interval": {m.label.english: m.interval and list(m.interval) for m in measures},
            "n": self.n,
            "verdict": self.word,
            "why": self.describe_why().english,
            "seeds": claim.seeds,
            "seen": claim.seen,
            "later": self.later.verdict,
            "threshold": claim.threshold,
            "elsewhere": self.elsewhere,
            "registered": claim.registered,
        }


def _describe_estimate(measure):
    if measure.value is None:
        return WORDS("not_measured", label=measure.label)
    value, *bounds = (
        format_number(number, measure.percent)
        for number in (measure.value, *(measure.interval or ()))
    )
    if not bounds:
        return WORDS("measured", label=measure.label, value=value)
    low, high = bounds
    return WORDS("measured_within", label=measure.label, value=value, low=low, high=high)


def _counted(spec, records, seeds):
    """The runs that can decide a claim about an experiment, by backend, device and seed.

    They have its declared settings and one of the seeds, saw every training image, and belong
    together.
    """
    able = [r for r in records if r.seed in seeds and is_declared(r, spec) and _is_whole(r, spec)]
    leading = select_largest(able) if able else []
    return {(record.backend, record.device, record.seed): record for record in leading}


def _is_whole(record, spec):
    """Whether a record holds what can be read off a run; one of another make may not."""
    names = [prefix + metric for metric in spec.metrics for prefix in ("train_eval_", "val_")]
    curves = [record.history.get(name, ()) for name in ("loss", *names)] if spec.epochs else []
    return (
        record.metrics.keys() >= set(names)
        and all(len(curve) == spec.epochs for curve in curves)
        and (record.is_classifier or record.images is not None)
    )


def judge_claims(claims: Sequence[Claim], records: Sequence[Record]) -> list[Verdict]:
    """What the records say of each claim."""
    asked = {(spec.id, claim.seeds): spec for claim in claims for spec in claim.holds.specs}
    counted = {(name, n): _counted(spec, records, range(n)) for (name, n), spec in asked.items()}
    return [
        _judge(claim, {spec.id: counted[spec.id, claim.seeds] for spec in claim.holds.specs})
        for claim in claims
    ]


def _judge(claim, runs):
    every = range(claim.seeds)
    return Verdict(
        claim,
        claim.holds.judge(runs, every),
        claim.holds.judge(runs, every[claim.seen :]),
        {word: rule.judge(runs, every).verdict for word, rule in claim.elsewhere.items()},
    )


def count_verdicts(verdicts: Sequence[Verdict]) -> Text:
    """A line: how many claims, and how many of each verdict."""
    counts = Counter(verdict.word for verdict in verdicts)
    words = [WORDS("counted", n=counts[word], verdict=name_verdict(word)) for word in VERDICTS]
    return WORDS("claims_counted", n=len(verdicts), verdicts=join_texts(words, ", "))


def describe_expected_errors(claims: Sequence[Claim]) -> Text:
    """A line: how many verdicts would be wrong on average, did every claim lie at its bound."""
    wrong = sum(claim.holds.error for claim in claims)
    return WORDS("expected_errors", n=len(claims), wrong=f"{wrong:.1f}")
