"""What the page says, from records: results, and what belongs beside each printed figure."""

import re
from statistics import fmean

from keras_fmnist import claims, report, results
from keras_fmnist.catalogue import Text
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.page import charts, pictures
from keras_fmnist.page.words import text

METRICS = ("train_eval_loss", "val_loss", "train_eval_accuracy", "val_accuracy")


def leading(records):
    """`{experiment's id: the records that stand for it}`."""
    ids = dict.fromkeys(record.id for record in records)
    return {i: results.leading_group([r for r in records if r.id == i]) for i in ids}


def verdicts(catalogue, records):
    """Every claim as the page shows it: what `judge` says, and which figures and tables it names."""
    rows = claims.judge(catalogue.claims, records)
    return [
        row
        | {
            "measured": claims.ours_words(row),
            "published": claim.published,
            "where": claim.where,
            "labels": _labels(claim.where),
        }
        for claim, row in zip(catalogue.claims, rows, strict=True)
    ]


def _labels(where):
    """`section 4, tables 4 and 5, figure 8` names three; without any it is a name like the rest."""
    found = re.findall(r"(figure|table)s? (\d+)(?: and (\d+))?", where)
    return {f"{kind} {number}" for kind, *numbers in found for number in numbers if number} or {""}


def pictures_of(catalogue, groups):
    """The ten images, and what each autoencoder makes of them, the nearest one first.

    Returns:
        None where no autoencoder has been run, else `{originals, rows, first}`.
    """
    runs = {spec.id: groups[spec.id][0] for spec in catalogue.specs if spec.id in groups}
    runs = {name: record for name, record in runs.items() if record.images}
    if not runs:
        return None
    kinds = {"reconstructions": ("rebuilt", "val_loss"), "pca": ("pca", "pca_loss")}
    return {
        "originals": pictures.separate(next(iter(runs.values())).images["originals"]),
        "first": min(runs, key=lambda name: pictures.distance(runs[name].images)),
        "rows": [
            {
                "id": name,
                "strips": {
                    word: (pictures.separate(record.images[kind]), _loss(record, loss))
                    for kind, (word, loss) in kinds.items()
                    if kind in record.images
                },
            }
            for name, record in runs.items()
        ],
    }


def _loss(record, name):
    value = record.metrics[name]
    return text("validation_mse", value=f"{value:.4f}") if value else text("exact")


def table(specs, groups, names):
    """Rows of published numbers beside ours: `{spec, cells: [(ours, published)], runs}`."""
    rows = []
    for spec in specs:
        group = groups.get(spec.id)
        cells = [(report.cell(group, name) if group else "", _printed(spec, name)) for name in names]
        rows.append({"spec": spec, "cells": cells, "runs": group and _runs(group)})
    return rows


def _printed(spec, name):
    if name not in spec.published:
        return ""
    form = ".2%" if name.endswith("accuracy") else ".4f"
    return f"{spec.published[name]:{form}}"


def _runs(group):
    return text("seeds_on", n=len(group), backend=group[0].backend, device=group[0].device)


def exhibit(shown, groups, said):
    """A printed figure or table with what belongs beside it.

    Args:
        shown: an `Exhibit`.
        groups: what `leading` returned.
        said: the report's part of `verdicts`.
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
        "claims": [row for row in said if shown.label in row["labels"]],
        "commands": [group[0].command for group in run.values()],
        "seeds": _seeds(run, shown.kind),
    }
    if shown.kind == "table":
        names = [f"train_eval_{shown.metric}", f"val_{shown.metric}"]
        rows = table(shown.specs, groups, names)
        for row in rows:
            name = f"{row['spec'].id}_row"
            row["verdicts"] = [claim["verdict"] for claim in said if claim["id"] == name]
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
    """Whose numbers are shown: pictures are those of one run, all else is a mean."""
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
    unit = "accuracy" if metric == "accuracy" else ("mean squared error", "cross entropy")[classifies]
    lines = charts.curves(trained, metric)
    scales = ("linear", "log") if metric == "loss" else ("linear",)
    form = ".2%" if metric == "accuracy" else ".4f"
    return {
        "who": ", ".join(trained),
        "unit": unit,
        "plots": {scale: charts.plot(lines, metric, unit, scale) for scale in scales},
        "lines": lines,
        "numbers": [
            [format(line["mean"][epoch], form) if epoch < len(line["mean"]) else "" for line in lines]
            for epoch in range(max(len(line["mean"]) for line in lines))
        ],
    }


def _reconstructions(run, metric):
    records = [group[0] for group in run.values()]
    strips = [(text("original"), "", pictures.strip(records[0].images["originals"]))]
    for record in records:
        rebuilt = pictures.strip(record.images["reconstructions"])
        strips.append((text("rebuilt_by", who=record.experiment), _loss(record, "val_loss"), rebuilt))
        if "pca" in record.images:
            pca = pictures.strip(record.images["pca"])
            strips.append((text("pca"), _loss(record, "pca_loss"), pca))
    return {"strips": strips}


def _pair(words):
    return words.english, words.spanish


def _confusion(run, metric):
    (group,) = run.values()
    matrices = [record.confusion_matrix for record in group]
    counts = [
        [fmean(matrix[true][predicted] for matrix in matrices) for predicted in range(len(CLASS_NAMES))]
        for true in range(len(CLASS_NAMES))
    ]
    rows = []
    for name, row in zip(CLASS_NAMES, counts, strict=True):
        total = sum(row)
        shares = [count / total for count in row]
        ranked = sorted(zip(row, CLASS_NAMES, strict=True), reverse=True)
        words = "; ".join(
            f"{other} {_count(count)} ({count / total:.1%})" for count, other in ranked if count
        )
        prefix = text("row_words", total=_count(total), name=name)
        rows.append(
            {
                "name": name,
                "cells": [
                    {"count": _count(count), "percent": f"{share:.1%}", "share": round(share, 3)}
                    for count, share in zip(row, shares, strict=True)
                ],
                "words": Text(*(f"{part} {words}." for part in _pair(prefix))),
            }
        )
    right = sum(counts[label][label] for label in range(len(counts)))
    return {"matrix": rows, "accuracy": f"{right / sum(map(sum, counts)):.2%}"}


def _count(value):
    """A mean of counts: 713, or 713.4 over several seeds."""
    return f"{value:.1f}".removesuffix(".0")


def _two_by_two(run, metric):
    found = {}
    for group in run.values():
        spec = group[0].spec
        found[spec["pretrained"], spec["frozen"]] = (report.cell(group, f"val_{metric}"), _runs(group))
    return {"cells": found}


# The word for what an exhibit shows, where it is not its metric.
SHOWS = {"reconstructions": "reconstructions", "confusion": "confusion", "table": "last_epoch"}
# What a record must hold for an exhibit, and what then stands in it.
HAS = {
    "curves": lambda record: record.history,
    "reconstructions": lambda record: record.images,
    "confusion": lambda record: record.confusion_matrix,
    "table": lambda record: True,
    "two_by_two": lambda record: True,
}
FILL = {
    "curves": _curves,
    "reconstructions": _reconstructions,
    "confusion": _confusion,
    "two_by_two": _two_by_two,
}
