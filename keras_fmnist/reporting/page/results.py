"""Makes the tables, verdicts and pictures of the page."""

from collections.abc import Iterable, Sequence

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.claims.texts import Text, join_texts
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import tables
from keras_fmnist.reporting.page import images
from keras_fmnist.reporting.page.bilingual import text
from keras_fmnist.specs import Spec


def list_verdicts(catalogue: Catalogue, records: Sequence[Record]) -> list[dict]:
    """Lists every claim with its verdict, and the figures and tables that it names."""
    return [
        {
            "id": verdict.claim.id,
            "report": verdict.claim.report,
            "verdict": verdict.word,
            "claim": verdict.claim.claim,
            "published": verdict.describe_published(),
            "measured": join_texts(verdict.describe_ours(), "; "),
            "why": verdict.describe_why(),
            "beside": join_texts(verdict.describe_beside(), "; "),
            "n": verdict.n,
            # "": shown with the claims that name no figure or table
            "labels": verdict.claim.where.labels or {""},
        }
        for verdict in judge_claims(catalogue.claims, records)
    ]


def list_pictures(catalogue: Catalogue, groups: dict[str, list[Record]]) -> dict | None:
    """Collects ten test images and their reconstructions by each autoencoder.

    Returns:
        `{originals, rows, first}`, where `first` is the best autoencoder whose code is shorter than
        the image; None if no autoencoder has been run.
    """
    runs = {spec.id: groups[spec.id][0] for spec in catalogue.specs if spec.id in groups}
    runs = {name: record for name, record in runs.items() if record.images}
    if not runs:
        return None
    # With a code as long as the image, a good reconstruction means little.
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
    """Describes a mean squared error of a record."""
    value = record.metrics[name]
    return text("validation_mse", value=f"{value:.4f}") if value else text("exact")


def build_table(
    specs: Iterable[Spec], groups: dict[str, list[Record]], names: Sequence[str]
) -> list[dict]:
    """Builds rows `{spec, cells: [(ours, published)], runs}`, a cell for each metric."""
    rows = []
    for spec in specs:
        group = groups.get(spec.id, [])
        cells = [
            (tables.format_cell(group, name), tables.format_printed(spec, name)) for name in names
        ]
        rows.append({"spec": spec, "cells": cells, "runs": group and describe_runs(group)})
    return rows


def describe_runs(group: list[Record]) -> Text:
    """Says how many seeds were run, and on which backend and device."""
    return text("seeds_on", n=len(group), backend=group[0].backend, device=group[0].device)
