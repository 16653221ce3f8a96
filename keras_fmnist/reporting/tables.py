"""Makes the tables and sentences of the documents from records, without a framework."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from keras_fmnist.claims.alternatives import Alternatives, count_seeds
from keras_fmnist.claims.claim import Claim, count_verdicts, judge_claims
from keras_fmnist.claims.ranking import Rank, rank_readings
from keras_fmnist.records.groups import select_groups
from keras_fmnist.records.intervals import mean_interval
from keras_fmnist.records.record import Record

if TYPE_CHECKING:
    from keras_fmnist.claims.texts import Text
    from keras_fmnist.specs import Spec


COLUMNS = ("experiment", "what it is", "train loss", "val loss", "explained")
COLUMNS += ("train acc", "val acc", "seeds")
OTHERS = {
    "stock": "stock Keras `fit`",
    "native": "native loop",
    "dataloader": "native, DataLoader",
    "compile": "native, `torch.compile`",
    "native_tuned": "native, tuned",
    "tensorflow": "stock Keras on TensorFlow",
    "jax": "stock Keras on JAX",
    "cudagraph": "native CUDA graph",
}
RANK_COLUMNS = ("reading", "epochs", "as it ran", "evaluated", "validation", "off by")
CLAIM_COLUMNS = ("claim", "published", "ours", "verdict", "later seeds", "registered")
SHOWN = ("train_eval_loss", "val_loss", "explained", "train_eval_accuracy", "val_accuracy")


def format_results(specs: "Iterable[Spec]", records: Iterable[Record]) -> str:
    """Formats a Markdown table: last epoch of each experiment in evaluation mode.

    Each number is a mean ± 95 % interval, and below it is the one that the report prints.
    """
    groups = select_groups(records)
    lines = [format_row(COLUMNS), format_row(["---"] * 2 + ["---:"] * 6)]
    for spec in specs:
        group = groups.get(spec.id, [])
        cells = [
            _with_printed(format_cell(group, name), format_printed(spec, name)) for name in SHOWN
        ]
        where = f"{len(group)} ({group[0].backend}, {group[0].device})" if group else "not run yet"
        lines.append(format_row([f"`{spec.id}`", spec.summary, *cells, where]))
    return "\n".join(lines)


def format_row(cells: Iterable[str]) -> str:
    """Formats a row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def _with_printed(ours, printed):
    return "<br>".join(part for part in (ours, printed and f"printed {printed}") if part)


def format_cell(group: Sequence[Record], name: str) -> str:
    """Formats the mean of a metric as `0.0370 ± 0.0012`; empty if a record lacks it.

    Losses have four decimals, accuracies are percentages with two. One seed has no interval.

    Args:
        group: records that may be averaged (`group_alike`).
        name: of the metric.
    """
    values = [record.measured(name) for record in group]
    if not values or None in values:
        return ""
    mean, half = mean_interval(values)
    return format_number(mean, name) + ("" if half is None else f" ± {format_number(half, name)}")


def format_printed(spec: "Spec", name: str) -> str:
    """Formats the number that the report prints for a metric; empty if it prints none."""
    return format_number(spec.published[name], name) if name in spec.published else ""


def format_number(value: float, name: str) -> str:
    """Formats a metric: losses with four decimals, shares in percent, counts as they are."""
    if name.endswith("explained"):
        return f"{value:.1%}"
    if name.startswith("dead_"):
        return f"{value:.0f}"
    return f"{value:.2%}" if name.endswith("accuracy") else f"{value:.4f}"


def describe_verdicts(claims: Sequence[Claim], records: Sequence[Record]) -> str:
    """Counts the claims with each verdict, in a sentence."""
    return count_verdicts(judge_claims(claims, records)).english + "."


def format_claims(claims: Sequence[Claim], records: Sequence[Record]) -> str:
    """Formats a Markdown table for each report: claims, printed numbers, ours, verdicts.

    The last table shows each verdict for half and double the threshold of its claim.
    """
    verdicts = judge_claims(claims, records)
    parts = {}
    for verdict in verdicts:
        parts.setdefault(verdict.claim.report, []).append(format_row(_claim_cells(verdict)))
    head = [format_row(CLAIM_COLUMNS), format_row(["---"] * len(CLAIM_COLUMNS))]
    tables = ["\n".join([f"### {name}", "", *head, *rows]) for name, rows in parts.items()]
    return "\n\n".join([*tables, "\n".join(_thresholds(verdicts))])


def _claim_cells(verdict):
    claim = verdict.claim
    ours = "<br>".join(text.english for text in verdict.describe_ours())
    cells = [claim.claim.english, verdict.describe_published().english, ours, verdict.word]
    commit = f"`{claim.registered[:7]}`" if claim.registered else "not yet"
    return [*cells, verdict.later.verdict, commit]


def _thresholds(verdicts):
    columns = ("claim", "number", "verdict", "half", "double")
    lines = ["### With half and double the numbers that words were given", ""]
    lines += [format_row(columns), format_row(["---"] * len(columns))]
    for verdict in verdicts:
        if verdict.elsewhere:
            number = f"{verdict.claim.threshold:g}"
            cells = [f"`{verdict.claim.id}`", number, verdict.word, *verdict.elsewhere.values()]
            lines.append(format_row(cells))
    return lines


def describe_cost(records: Iterable[Record], seeds: int = 1000) -> str:
    """Extrapolates the CPU time of so many seeds from that of the records, in sentences.

    Records of a GPU and older ones without a CPU time are left out. Empty if none are left.
    """
    timed = [r for r in records if r.device == "cpu" and "cpu" in r.seconds]
    groups = select_groups(timed)
    means = {
        name: fmean(record.seconds["cpu"] for record in group) for name, group in groups.items()
    }
    if not means:
        return ""
    hours = seeds * sum(means.values()) / 3600
    chains = {
        name: seconds + means.get(_needed(groups[name][0]), 0) for name, seconds in means.items()
    }
    last = max(chains, key=chains.get)
    return (
        f"A seed of the {len(means)} experiments that have been run took "
        f"{sum(means.values()) / 60:.0f} core-minutes, so {seeds} seeds cost {hours:.0f} "
        "core-hours: "
        f"{hours / 16:.0f} hours on one machine of 16 cores, {hours / 1600:.1f} on a hundred, and "
        f"never less than the {chains[last] / 60:.0f} minutes of `{last}` and what it waits for."
    )


def _needed(record):
    """Returns the id of the autoencoder whose encoder a run reuses, or None."""
    if record.spec.get("pretrained"):
        return f"{record.report}/{record.spec['autoencoder']['name']}"
    return None


def describe_main_job(specs: "Iterable[Spec]", records: Iterable[Record]) -> str:
    """Says how much CPU time one seed of some experiments took; empty if none has run."""
    ids = [spec.id for spec in specs]
    groups = select_groups(r for r in records if r.id in ids and "cpu" in r.seconds)
    seconds = [fmean(record.seconds["cpu"] for record in group) for group in groups.values()]
    if not seconds:
        return ""
    return (
        f"In the study these {len(seconds)} trainings took {sum(seconds) / 60:.0f} minutes of one "
        "CPU core, as a mean over the seeds."
    )


def format_ranking(questions: "Mapping[Spec, Sequence[Spec]]", records: Sequence[Record]) -> str:
    """Formats a folded Markdown table of readings for each printed row, the nearest first.

    Args:
        questions: `{spec of the printed row: readings}`.
        records: of any experiments.
    """
    parts = []
    for row, readings in questions.items():
        if not (ranks := rank_readings(row, readings, records)):
            continue
        lines = [format_row(RANK_COLUMNS), format_row(["---"] + ["---:"] * (len(RANK_COLUMNS) - 1))]
        lines += [format_row(describe_rank(row, rank)) for rank in ranks]
        summary = f"<summary>{describe_question(row, readings, ranks)}</summary>"
        parts.append("\n".join(["<details>", summary, "", *lines, "", "</details>"]))
    return "\n\n".join(parts)


def describe_question(row: "Spec", readings: "Sequence[Spec]", ranks: Sequence[Rank]) -> str:
    """Names a printed row, its two losses, and how many of its readings have been run."""
    printed = f"{row.published['train_eval_loss']:.4f} / {row.published['val_loss']:.4f}"
    run = sum(rank.spec != row for rank in ranks)
    return f"{row.id}, printed {printed}; {run} of {len(readings)} other readings run"


def describe_rank(row: "Spec", rank: Rank) -> tuple[str, ...]:
    """Returns the cells below `RANK_COLUMNS` for one reading of a printed row."""
    off_by = f"{rank.factor:.2f}"
    return (
        row.id if rank.spec == row else rank.spec.summary,
        str(rank.epochs),
        f"{rank.metrics['loss']:.4f}",
        f"{rank.metrics['train_eval_loss']:.4f}",
        f"{rank.metrics['val_loss']:.4f}",
        f"{off_by}, undercut" if rank.undercut else off_by,
    )


def format_alternatives(alternatives: Alternatives, records: Sequence[Record]) -> str:
    """Formats a Markdown table: on how many seeds each statement holds for each alternative."""
    columns, rows = list_alternatives(alternatives, records)
    return "\n".join(
        [format_row(columns), format_row(["---"] * len(columns)), *map(format_row, rows)]
    )


def list_alternatives(
    alternatives: Alternatives, records: Sequence[Record]
) -> tuple[list[str], list[list[str]]]:
    """Returns headings and rows: on how many seeds each statement holds for each alternative.

    The last row holds the sums.
    """
    counts = count_seeds(alternatives, records)
    rows = [
        [one.where, one.says, *(_format_votes(*column[k]) for column in counts.values())]
        for k, one in enumerate(alternatives.statements)
    ]
    sums = [map(sum, zip(*column, strict=True)) for column in counts.values()]
    rows.append(["", "all of it", *(_format_votes(*pair) for pair in sums)])
    return ["said of", "what", *counts], rows


def _format_votes(holds, seeds):
    return f"{holds} of {seeds}" if seeds else ""


def format_speed(measured: dict[str, dict]) -> str:
    """Formats a Markdown table of the time of a step, ours and that of others relative to ours.

    Args:
        measured: what `read_measurements` returned for `benchmarks`.
    """
    rows = [
        (f"`{experiment}`{words}, {machine}", one)
        for machine, found in measured.items()
        for kind, words in (("experiments", ""), ("runs", ", a step's share of a whole run"))
        for experiment, one in found.get(kind, {}).items()
        if "ours" in one["ms_per_step"]
    ]
    names = [name for name in OTHERS if any(name in one["ms_per_step"] for _, one in rows)]
    lines = [format_row(["experiment", "ours", *(OTHERS[name] for name in names)])]
    lines.append("| --- |" + " ---: |" * (1 + len(names)))
    for label, one in rows:
        cells = [_times(one["quartiles"].get(f"{name}_over_ours")) for name in names]
        ours = f"{one['ms_per_step']['ours']:.1f} ms"
        lines.append(format_row([label, ours, *cells]))
    return "\n".join(lines)


def _times(quartiles):
    if quartiles is None:
        return ""
    low, median, high = quartiles
    return f"{median:.2f} × ({low:.2f} to {high:.2f})"


def describe_parity(measured: dict[str, dict]) -> str:
    """Says what `compare` found, a paragraph for each file; empty if it has not been run."""
    lines = []
    for found in measured.values():
        rows, sides = found["rows"], found["equivalence"]
        within = sum(share_of_tolerance(row) <= 1 for row in rows)
        lines.append(
            f"`{found['experiment']}` on {found['backend']}: {within} of {len(rows)} comparisons "
            "(outputs, loss, gradients, steps) lie within their tolerance. Trained side by side, "
            f"{sides['seeds']} seeds of {sides['epochs']} epochs on {sides['examples']} images, "
            f"the verdict is: {sides['verdict']}."
        )
        if rounding := found.get("rounding"):
            lines[-1] += (
                f" After 100 steps of Adam in float32 ours and native end {rounding['ours']:.2g} "
                f"apart, and native ends {rounding['native']:.2g} apart from itself where each "
                "batch comes in another order."
            )
    return "\n\n".join(lines)


def format_defaults(measured: dict[str, dict]) -> str:
    """Formats a Markdown table of the defaults in which Keras and PyTorch differ.

    They are those of the packages with which `compare` ran; empty if it has not been run.
    """
    rows = next((found["defaults"] for found in measured.values()), [])
    if not rows:
        return ""
    names = {"what": "", "keras": "Keras", "pytorch": "PyTorch", "ours": "here"}
    lines = [format_row(names.values()), format_row(["---"] * len(names))]
    return "\n".join([*lines, *(format_row([row[name] for name in names]) for row in rows)])


def share_of_tolerance(row: dict) -> float:
    """Returns a difference that `compare` found over its tolerance; infinite for NaN."""
    return math.inf if row["max_abs"] is None else row["max_abs"] / row["tolerance"]


def describe_kills(measured: dict[str, dict]) -> str:
    """Says what `benchmarks/kill.py` counted; empty if it has not been run."""
    sentences = []
    for found in measured.values():
        keras = found["backup_and_restore"]
        sentences.append(
            f"Of {found['kills']} kills {found['resumed']} were resumed and {found['identical']} "
            f"ended identical, with {found['epochs_lost']:.0f} epochs run twice in all; of "
            f"{keras['kills']} under `BackupAndRestore` {keras['resumed']} were resumed and "
            f"{keras['identical']} ended identical."
        )
    return " ".join(sentences)


def format_open_questions(deviations: "Iterable[Text]") -> str:
    """Formats a numbered Markdown list of what the reports leave open or get wrong."""
    return "\n".join(f"{number}. {one.english}" for number, one in enumerate(deviations, 1))
