"""Tables from records; no number in them is typed by hand, and nothing here needs a framework."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from keras_fmnist import grouping, results
from keras_fmnist.claims import Claim, count_verdicts, judge, ours_words
from keras_fmnist.results import Record

if TYPE_CHECKING:
    from keras_fmnist.catalogue import Catalogue, Text
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
CLAIM_COLUMNS = ("claim", "published", "ours", "verdict")
SHOWN = ("train_eval_loss", "val_loss", "explained", "train_eval_accuracy", "val_accuracy")


def results_table(specs: "Iterable[Spec]", records: Iterable[Record]) -> str:
    """A Markdown table: each experiment's last epoch in evaluation mode, mean ± 95 % interval.

    Below each number stands what the report prints.
    """
    by_id = grouping.by_experiment(records)
    lines = [_row(COLUMNS), _row(["---"] * 2 + ["---:"] * 6)]
    for spec in specs:
        group = grouping.leading(by_id[spec.id]) if spec.id in by_id else []
        cells = [_with_printed(cell(group, name), printed(spec, name)) for name in SHOWN]
        where = f"{len(group)} ({group[0].backend}, {group[0].device})" if group else "not run yet"
        lines.append(_row([f"`{spec.id}`", spec.summary, *cells, where]))
    return "\n".join(lines)


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _with_printed(ours, printed):
    return "<br>".join(part for part in (ours, printed and f"printed {printed}") if part)


def cell(group: Sequence[Record], name: str) -> str:
    """What records that may be averaged measured, `0.0370 ± 0.0012`; empty where they did not.

    Losses have four decimals, accuracies two in percent; one seed has no interval.
    """
    values = [record.measured(name) for record in group]
    if not values or None in values:
        return ""
    mean, half = grouping.mean_interval(values)
    return _digits(mean, name) + ("" if half is None else f" ± {_digits(half, name)}")


def printed(spec: "Spec", name: str) -> str:
    """The same number as the report prints it; empty where it prints none."""
    return _digits(spec.published[name], name) if name in spec.published else ""


def _digits(value, name):
    if name == "explained":
        return f"{value:.1%}"
    return f"{value:.2%}" if name.endswith("accuracy") else f"{value:.4f}"


def claims_table(claims: Sequence[Claim], records: Sequence[Record]) -> str:
    """Markdown: the verdicts counted; folded, each claim, what is printed, what the records say."""
    rows = judge(claims, records)
    lines = [_row(CLAIM_COLUMNS), _row(["---"] * len(CLAIM_COLUMNS))]
    for row in rows:
        ours = "<br>".join(ours_words(row))
        lines.append(_row([row["claim"], row["published"], ours, row["verdict"]]))
    folded = ["<details>", "<summary>Each of them</summary>", "", *lines, "", "</details>"]
    return "\n".join([count_verdicts(rows) + ".", "", *folded])


def cost_of_seeds(records: Iterable[Record], seeds: int = 1000) -> str:
    """A sentence: what so many seeds cost on paper, by what the processors took of each run.

    Older records do not say it, and those of a GPU are left out; empty where that leaves none.
    """
    told = [r for r in records if r.device == "cpu" and "cpu" in r.seconds]
    means = {
        name: fmean(record.seconds["cpu"] for record in group)
        for name, group in grouping.by_experiment(told).items()
    }
    if not means:
        return ""
    hours = seeds * sum(means.values()) / 3600
    slowest = max(means.values()) / 60
    return (
        f"A seed of the {len(means)} experiments that have been run took "
        f"{sum(means.values()) / 60:.0f} core-minutes, so {seeds} seeds cost {hours:.0f} "
        "core-hours: "
        f"{hours / 16:.0f} hours on one machine of 16 cores, {hours / 1600:.1f} on a hundred, and "
        f"never less than the {slowest:.0f} minutes of the slowest run and what it waits for."
    )


def speed_table(measured: dict[str, dict]) -> str:
    """A Markdown table of what a step costs, and how many times longer than ours the others take.

    Args:
        measured: what `bench` found, as `results.read_measurements` gives it.
    """
    rows = [
        (f"`{experiment}`{words}, {machine}", one)
        for machine, found in measured.items()
        for kind, words in (("experiments", ""), ("runs", ", a step's share of a whole run"))
        for experiment, one in found.get(kind, {}).items()
        if "ours" in one["ms_per_step"]
    ]
    names = [name for name in OTHERS if any(name in one["ms_per_step"] for _, one in rows)]
    lines = [_row(["experiment", "ours", *(OTHERS[name] for name in names)])]
    lines.append("| --- |" + " ---: |" * (1 + len(names)))
    for words, one in rows:
        cells = [_times(one["quartiles"].get(f"{name}_over_ours")) for name in names]
        ours = f"{one['ms_per_step']['ours']:.1f} ms"
        lines.append(_row([words, ours, *cells]))
    return "\n".join(lines)


def _times(quartiles):
    if quartiles is None:
        return ""
    low, median, high = quartiles
    return f"{median:.2f} × ({low:.2f} to {high:.2f})"


def parity_sentences(measured: dict[str, dict]) -> str:
    """What `compare` found, a line for each file; empty where it has not been run."""
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
    return "\n\n".join(lines)


def share_of_tolerance(row: dict) -> float:
    """A difference that `compare` found, as a share of its tolerance; no number exceeds any."""
    return math.inf if row["max_abs"] is None else row["max_abs"] / row["tolerance"]


def kills_sentence(measured: dict[str, dict]) -> str:
    """What `benchmarks/kill.py` counted, in a sentence; empty where it has not been run."""
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


def fill(text: str, mark: str, content: str) -> str:
    """Puts content between `<!-- mark -->` and `<!-- /mark -->`.

    Raises:
        ValueError: the text has no such pair of markers.
    """
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    filled, times = pattern.subn(lambda m: f"{m[1]}{content}\n{m[2]}", text)
    if times != 1:
        raise ValueError(f"there must be one pair of markers <!-- {mark} -->, not {times}")
    return filled


def renew(text: str, catalogue: "Catalogue", records: Sequence[Record], out: Path | str) -> str:
    """A README with everything between its markers as a study gives it.

    Args:
        text: of the README.
        catalogue: a `Catalogue`.
        records: of its experiments and readings.
        out: the folder in which `bench`, `compare` and `benchmarks/kill.py` left theirs.
    """
    reported = {spec.id for spec in catalogue.specs}
    text = fill(text, "results", results_table(catalogue.specs, records))
    text = fill(text, "claims", claims_table(catalogue.claims, records))
    text = fill(text, "deviations", deviations_list(catalogue.deviations))
    text = fill(text, "speed", speed_table(results.read_measurements(out, "benchmarks")))
    text = fill(text, "kills", kills_sentence(results.read_measurements(out, "reliability")))
    text = fill(text, "parity", parity_sentences(results.read_measurements(out, "parity")))
    text = fill(text, "findings", "\n".join(f"- {one.english}" for one in catalogue.findings))
    return fill(text, "cost", cost_of_seeds([r for r in records if r.id in reported]))


def deviations_list(deviations: "Iterable[Text]") -> str:
    """A numbered list in Markdown of what the reports leave open or get wrong."""
    return "\n".join(f"{number}. {one.english}" for number, one in enumerate(deviations, 1))
