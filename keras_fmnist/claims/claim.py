"""What the reports claim, as data beside their experiments, and what the records say of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from keras_fmnist.claims.criteria import (
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Every,
    MostSeeds,
    Near,
    Ranked,
    Within,
    format_number,
)
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
    """

    name: str
    claim: str
    where: str
    published: str
    holds: Within | Near | Ranked | MostSeeds | Every

    @property
    def report(self) -> str:
        """Whose claim it is: that of the experiments it is about."""
        return self.holds.specs[0].report

    @property
    def id(self) -> str:
        """`report/name`."""
        return f"{self.report}/{self.name}"


def _counted(spec, records):
    """The runs that can decide a claim about an experiment, by backend, device and seed.

    They have its declared settings, saw every training image, and belong together.
    """
    able = [r for r in records if is_declared(r, spec) and _is_whole(r, spec)]
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


def judge_claims(claims: Sequence[Claim], records: Sequence[Record]) -> list[dict]:
    """What the records say of each claim.

    Returns:
        A list of JSON-ready dicts `{id, report, claim, published, ours, interval, n, verdict,
        why}`. `ours` holds what was measured, a mean or a share by its label, `interval` for each
        label `[low, high]` or None, and `n` the fewest seeds behind any of them.
    """
    specs = {spec.id: spec for claim in claims for spec in claim.holds.specs}
    runs = {name: _counted(spec, records) for name, spec in specs.items()}
    return [_row(claim, claim.holds.judge(runs)) for claim in claims]


def _row(claim, finding):
    return {
        "id": claim.id,
        "report": claim.report,
        "claim": claim.claim,
        "published": f"{claim.published} ({claim.where})",
        "ours": {m.label: m.value for m in finding.measures},
        "interval": {m.label: m.interval and list(m.interval) for m in finding.measures},
        "n": min(m.n for m in finding.measures),
        "verdict": finding.verdict,
        "why": "; ".join(finding.reasons),
    }


def describe_ours(row: dict) -> list[str]:
    """What was measured for a claim, a text a label: `base val_loss: 0.037 [0.036, 0.038]`."""
    if not any(value is not None for value in row["ours"].values()):
        return ["not run yet"]
    words = [
        _measured(label, value, row["interval"][label]) for label, value in row["ours"].items()
    ]
    return [*words, f"n = {row['n']}"]


def _measured(label, value, interval):
    if value is None:
        return f"{label}: not run yet"
    between = ", ".join(format_number(label, bound) for bound in interval or ())
    return f"{label}: {format_number(label, value)}" + (f" [{between}]" if interval else "")


def count_verdicts(rows: Sequence[dict]) -> str:
    """A line: how many claims, and how many of each verdict."""
    counts = Counter(row["verdict"] for row in rows)
    verdicts = (REPRODUCED, NOT_REPRODUCED, UNDECIDED)
    return f"{len(rows)} claims: " + ", ".join(f"{counts[v]} {v}" for v in verdicts)
