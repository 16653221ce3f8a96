"""What the page says of all results together: tables, verdicts and pictures."""

import re
from collections.abc import Iterable, Sequence

from keras_fmnist.claims.catalogue import Catalogue, Text
from keras_fmnist.claims.claim import describe_ours, judge_claims
from keras_fmnist.records.groups import group_by_experiment, select_largest
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import tables
from keras_fmnist.reporting.page import images
from keras_fmnist.reporting.page.bilingual import text
from keras_fmnist.reporting.page.translations import in_both
from keras_fmnist.specs import Spec


def select_groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    """`{experiment's id: the records that stand for it}`."""
    found = group_by_experiment(records)
    return {name: select_largest(group) for name, group in found.items()}


def list_verdicts(catalogue: Catalogue, records: Sequence[Record]) -> list[dict]:
    """Every claim as the page shows it: what `judge` says, and the figures and tables it names."""
    rows = judge_claims(catalogue.claims, records)
    return [
        row
        | {
            "measured": in_both("; ".join(describe_ours(row))),
            "why": in_both(row["why"]),
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


def list_pictures(catalogue: Catalogue, groups: dict[str, list[Record]]) -> dict | None:
    """The ten images, and what each autoencoder makes of them, the nearest short code first.

    Returns:
        None where no autoencoder has been run, else `{originals, rows, first}`.
    """
    runs = {spec.id: groups[spec.id][0] for spec in catalogue.specs if spec.id in groups}
    runs = {name: record for name, record in runs.items() if record.images}
    if not runs:
        return None
    # Where the code is as long as the image a good picture says little.
    shorter = [name for name, record in runs.items() if record.metrics.get("pca_loss") != 0]
    kinds = {"reconstructions": ("rebuilt", "val_loss"), "pca": ("pca", "pca_loss")}
    return {
        "originals": images.split_images(next(iter(runs.values())).images["originals"]),
        "first": min(
            shorter or runs, key=lambda name: images.measure_difference(runs[name].images)
        ),
        "rows": [
            {
                "id": name,
                "strips": {
                    word: (images.split_images(record.images[kind]), describe_losses(record, loss))
                    for kind, (word, loss) in kinds.items()
                    if kind in record.images
                },
            }
            for name, record in runs.items()
        ],
    }


def describe_losses(record: Record, name: str) -> Text:
    """A mean squared error of a record, in words."""
    value = record.metrics[name]
    return text("validation_mse", value=f"{value:.4f}") if value else text("exact")


def build_table(
    specs: Iterable[Spec], groups: dict[str, list[Record]], names: Sequence[str]
) -> list[dict]:
    """Rows of published numbers beside ours: `{spec, cells: [(ours, published)], runs}`."""
    rows = []
    for spec in specs:
        group = groups.get(spec.id, [])
        cells = [
            (tables.format_cell(group, name), tables.format_printed(spec, name)) for name in names
        ]
        rows.append({"spec": spec, "cells": cells, "runs": group and describe_runs(group)})
    return rows


def describe_runs(group: list[Record]) -> Text:
    """How many seeds, and on what."""
    return text("seeds_on", n=len(group), backend=group[0].backend, device=group[0].device)
