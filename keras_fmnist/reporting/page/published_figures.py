"""Describes what the page shows beside each figure and table of the reports."""

from itertools import zip_longest
from pathlib import Path

import numpy as np

from keras_fmnist.claims.catalogue import Exhibit
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import figures, tables
from keras_fmnist.reporting.page import charts, images, results
from keras_fmnist.reporting.page.bilingual import text


def describe_exhibit(shown: Exhibit, groups: dict[str, list[Record]], judged: list[dict]) -> dict:
    """Describes a printed figure or table and what the page shows beside it.

    Args:
        shown: an `Exhibit`.
        groups: what `groups.select_groups` returned.
        judged: what `results.list_verdicts` returned, of this report.
    """
    has = HAS[shown.kind]
    run = {s.id: groups[s.id] for s in shown.specs if s.id in groups and has(groups[s.id][0])}
    found = {
        "kind": shown.kind,
        "metric": shown.metric,
        "shows": SHOWS.get(shown.kind, shown.metric),
        "heading": _heading(shown),
        "names": [spec.name for spec in shown.specs],
        "missing": [spec.id for spec in shown.specs if spec.id not in run],
        "claims": [row for row in judged if shown.label in row["labels"]],
        "commands": [group[0].command for group in run.values()],
        "seeds": _seeds(run, shown.kind),
    }
    if shown.kind == "table":
        names = [f"train_eval_{shown.metric}", f"val_{shown.metric}"]
        rows = results.build_table(shown.specs, groups, names)
        for row in rows:
            name = f"{row['spec'].id}_row"
            row["verdicts"] = [claim["verdict"] for claim in judged if claim["id"] == name]
        return found | {"columns": names, "rows": rows}
    if not run:
        return found
    return found | FILL[shown.kind](run, shown.metric)


def _heading(shown):
    if not shown.label:
        return text(shown.kind)
    kind, number = shown.label.split()
    return text(kind, number=number)


def _seeds(run, kind):
    """Says which seeds are shown: pictures are those of one run, numbers are means."""
    if not run:
        return None
    numbers = {len(group) for group in run.values()}
    if numbers == {1} or kind == "reconstructions":
        seeds = sorted({group[0].seed for group in run.values()})
        return text("one_seed", seed=", ".join(map(str, seeds)))
    least, most = min(numbers), max(numbers)
    return text("mean_of", n=str(most) if least == most else f"{least}–{most}")


def _curves(run, metric):
    trained = {group[0].experiment: group for group in run.values()}
    classifies = next(iter(run.values()))[0].is_classifier
    loss = "cross entropy" if classifies else "mean squared error"
    unit = loss if metric == "loss" else metric
    lines = charts.plot_curves(trained, metric)
    scales = ("linear", "log") if metric == "loss" else ("linear",)
    form = ".2%" if metric == "accuracy" else ".4f"
    columns = [[format(value, form) for value in line["mean"]] for line in lines]
    return {
        "who": ", ".join(trained),
        "plots": {scale: charts.build_plot(lines, metric, unit, scale) for scale in scales},
        "lines": lines,
        "numbers": list(zip_longest(*columns, fillvalue="")),
    }


def _reconstructions(run, metric):
    records = [group[0] for group in run.values()]
    strips = [(text("original"), "", images.join_images(records[0].images["originals"]))]
    for record in records:
        shown = {"reconstructions": (text("rebuilt_by", who=record.experiment), "val_loss")}
        shown["pca"] = (text("pca"), "pca_loss")  # not in older records
        for kind, (title, loss) in shown.items():
            if kind in record.images:
                strip = images.join_images(record.images[kind])
                strips.append((title, results.describe_losses(record, loss), strip))
    return {"strips": strips}


def _confusion(run, metric):
    (group,) = run.values()
    counts = np.mean([record.confusion_matrix for record in group], axis=0)
    rows = [_confusion_row(*row) for row in zip(CLASS_NAMES, counts, strict=True)]
    return {"matrix": rows, "accuracy": f"{np.trace(counts) / counts.sum():.2%}"}


def _confusion_row(name, row):
    shares = row / row.sum()
    cells = [
        {"count": f"{count:.1f}".removesuffix(".0"), "percent": f"{share:.1%}", "share": share}
        for count, share in zip(row.tolist(), shares.tolist(), strict=True)
    ]
    named = sorted(zip(cells, CLASS_NAMES, strict=True), key=lambda one: -one[0]["share"])
    words = (f"{other} {one['count']} ({one['percent']})" for one, other in named if one["share"])
    total = f"{row.sum():g}"
    return {
        "name": name,
        "cells": cells,
        "words": text("row_words", total=total, name=name, words="; ".join(words)),
    }


def _two_by_two(run, metric):
    found = {}
    for group in run.values():
        spec = group[0].spec
        found[spec["pretrained"], spec["frozen"]] = (
            tables.format_cell(group, f"val_{metric}"),
            results.describe_runs(group),
        )
    return {"cells": found}


def _dead_logits(run, metric):
    records = [record for group in run.values() for record in group]
    drawn = figures.render_dead_logits("", records)
    return {"picture": images.embed_png(drawn[Path("dead_logits.png")])}


# The word for what an exhibit shows, if it is not its metric.
SHOWS = {"reconstructions": "reconstructions", "confusion": "confusion", "table": "last_epoch"}
# What a record must hold for an exhibit, and the functions that fill it.
HAS = {
    "curves": lambda record: record.history,
    "reconstructions": lambda record: record.images,
    "confusion": lambda record: record.confusion_matrix,
    "table": lambda record: True,
    "two_by_two": lambda record: True,
    "without_relu": lambda record: True,
    "dead_logits": lambda record: "dead_logits" in record.metrics,
}
FILL = {
    "curves": _curves,
    "reconstructions": _reconstructions,
    "confusion": _confusion,
    "two_by_two": _two_by_two,
    "without_relu": _two_by_two,
    "dead_logits": _dead_logits,
}
