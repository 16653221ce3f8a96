"""Fills the appendix of the page: parity, speed, open questions, checklist, commands."""

import json
from collections.abc import Sequence
from pathlib import Path

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.ranking import rank_readings
from keras_fmnist.claims.texts import Text
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.measurements import read_measurements
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import tables
from keras_fmnist.reporting.page.bilingual import text, translate
from keras_fmnist.specs import Spec

DEFAULTS = ("what", "keras", "pytorch", "ours")
# The variants of a training step; the others are compared with the first.
VARIANTS = ("ours", *tables.OTHERS)


def _describe_files(out, kind, make):
    """Applies `make` to every file of a kind; an error names the damaged file."""
    made = []
    for name, content in read_measurements(out, kind).items():
        try:
            made.append(make(name, content))
        except (AttributeError, LookupError, TypeError, ValueError, ZeroDivisionError):
            path = Path(out, kind, f"{name}.json")
            raise RecordError(f"{path} is not what its command writes") from None
    return made


def describe_parity(out: Path | str) -> list[dict]:
    """Describes what `compare` found, a dict for each of its files."""
    return _describe_files(out, "parity", _parity)


def _parity(name, found):
    return {
        "experiment": found["experiment"],
        "backend": found["backend"],
        "kinds": _kinds(found["rows"]),
        "equivalence": _equivalence(found["equivalence"]),
        "verdict": text(found["equivalence"]["verdict"]),
        "defaults": [
            {column: translate(row[column]) for column in DEFAULTS} for row in found["defaults"]
        ],
    }


def _kinds(rows):
    """Sums up the rows of each kind: how many, and the one nearest to its tolerance."""
    kinds = {}
    for row in rows:
        kinds.setdefault(row["kind"], []).append(row)
    return [
        {
            "kind": translate(kind),
            "tensors": len(group),
            "worst": _number(worst["max_abs"], ".2g"),
            "where": worst["name"],
            "tolerance": _number(worst["tolerance"], ".2g"),
            "within": tables.share_of_tolerance(worst) <= 1,
        }
        for kind, group in kinds.items()
        for worst in [max(group, key=tables.share_of_tolerance)]
    ]


def _number(value, form):
    """Formats a number; null in JSON was NaN or infinite."""
    return "–" if value is None else format(value, form)


def _equivalence(found):
    losses = [found[side]["val_loss"] for side in ("ours", "native")]
    ours, native = (f"{_number(m['mean'], '.4f')} (sd {_number(m['sd'], '.4f')})" for m in losses)
    low, high = (_number(bound, "+.4f") for bound in found["interval"])
    sizes = {name: found[name] for name in ("seeds", "epochs", "examples")}
    margin = _number(found["margin"], ".4f")
    return text("equivalence", ours=ours, native=native, low=low, high=high, margin=margin, **sizes)


def describe_speed(out: Path | str) -> list[dict]:
    """Describes what `bench` found, a dict for each of its files."""
    return _describe_files(out, "benchmarks", _speed)


def _speed(name, found):
    # Older files do not name their backend, which was torch.
    backends = {found.get("backend", "torch"): found["experiments"], **found.get("backends", {})}
    tables = [
        {"caption": text("on_backend", backend=backend), **_times(one)}
        for backend, one in backends.items()
    ]
    if "runs" in found:
        tables.append({"caption": text("of_runs"), **_times(found["runs"])})
    return {
        "name": name,
        "machine": text("machine", **found["machine"]),
        "versions": _versions([found["versions"]]),
        "tables": tables,
        "growth": _growth(found, next(iter(backends))),
    }


def _growth(found, backend):
    """Describes what `bench --growth` adds: growth of the cost, memory; None without it."""
    if "growth" not in found:
        return None
    growth, memory = found["growth"], found["peak_memory_mib"]
    rows = [
        (text("ms_per_image", batch=batch), times, ".2f")
        for batch, times in growth["ms_per_image"].items()
    ]
    rows += [
        (
            text("seconds_per_epoch", images=f"{int(images):,}".replace(",", "\N{NO-BREAK SPACE}")),
            times,
            ".1f",
        )
        for images, times in growth["seconds_per_epoch"].items()
    ]
    if memory:  # not every system reports it
        rows.append((text("peak_memory"), memory, ".0f"))
    columns = [name for name in VARIANTS if any(name in taken for _, taken, _ in rows)]
    cells = [
        (label, [format(taken[name], form) if name in taken else "" for name in columns])
        for label, taken, form in rows
    ]
    caption = text("growth", name=next(iter(found["experiments"])), backend=backend)
    return {"caption": caption, "columns": columns, "rows": cells}


def _times(experiments):
    """Returns columns and rows of one backend: milliseconds, and ratios with quartiles."""
    taken = {name: one["ms_per_step"] for name, one in experiments.items()}
    columns = [name for name in VARIANTS if any(name in times for times in taken.values())]
    rows = []
    for experiment, times in taken.items():
        cells = []
        for name in columns:
            quartiles = experiments[experiment]["quartiles"].get(f"{name}_over_{columns[0]}")
            low, ratio, high = (f"{value:.2f}" for value in quartiles or (1, 1, 1))
            cells.append(
                {
                    "ms": f"{times[name]:.1f}" if name in times else "",
                    "times": quartiles and text("times", ratio=ratio, low=low, high=high),
                }
            )
        rows.append({"experiment": experiment, "cells": cells})
    return {"columns": columns, "rows": rows}


def describe_readings(catalogue: Catalogue, records: Sequence[Record]) -> list[dict]:
    """Describes the readings of every printed row that have been run, the nearest first."""
    found = []
    for row, specs in catalogue.questions.items():
        if ranks := rank_readings(row, specs, records):
            losses = f"{row.published['train_eval_loss']:.4f} / {row.published['val_loss']:.4f}"
            counted = {"run": sum(one.spec != row for one in ranks), "all": len(specs)}
            heading = text("reading_of", row=row.id, printed=losses, **counted)
            found.append({"heading": heading, "row": row, "ranks": ranks})
    return found


def build_checklist(
    catalogue: Catalogue, records: Sequence[Record], groups: dict[str, list[Record]]
) -> list[tuple[str, bool, str | Text]]:
    """Builds the checklist of reproducibility: `[(item, whether it is met, text)]`.

    Args:
        catalogue: a `Catalogue`.
        records: of its experiments.
        groups: what `groups.select_groups` returned for them.
    """
    sizes = [len(group) for group in groups.values()]
    many = sum(size > 1 for size in sizes)
    commits = sorted({record.commit or "" for record in records})
    clean = all(commits) and not any(commit.endswith("-dirty") for commit in commits)
    hours = sum(record.seconds["total"] for record in records) / 3600
    count = {"done": len(groups), "all": len(catalogue.specs)}
    where = sorted({f"{record.backend}, {record.device}" for record in records})
    digests = sorted({record.data_sha256 for record in records})
    states = {
        "runs": (count["done"] == count["all"], text("said_runs", runs=len(records), **count)),
        "seeds": (
            min(sizes) > 1,
            text("said_seeds", n="–".join(map(str, sorted({min(sizes), max(sizes)})))),
        ),
        "statistic": (many == count["all"], text("said_statistic", many=many, **count)),
        "settings": (True, text("said_settings")),
        "versions": (True, _versions([record.versions for record in records])),
        "commit": (clean, " ".join(commit[:12] + commit[40:] for commit in commits)),
        "data": (len(digests) == 1, "SHA-256 " + " ".join(digests)),
        "device": (True, "; ".join(where)),
        "weights": (all("final" in r.weights_sha256 for r in records), text("said_weights")),
        "time": (True, text("said_time", hours=f"{hours:.1f}")),
    }
    return [(f"check_{item}", *state) for item, state in states.items()]


def _versions(found):
    """Formats the versions of several records: `keras 3.15.1, torch 2.13.0 or 2.14.0`."""
    names = dict.fromkeys(name for versions in found for name in versions)
    numbers = {name: sorted({v[name] for v in found if name in v}) for name in names}
    return ", ".join(f"{name} {' or '.join(values)}" for name, values in numbers.items())


def list_runs(
    catalogue: Catalogue, records: Sequence[Record]
) -> list[tuple[Spec, str, list[Record]]]:
    """Lists what it takes to repeat the runs of each experiment: `[(spec, settings, records)]`."""
    return [
        (spec, format_settings(group[0].spec), group)
        for spec in catalogue.specs
        if (group := [record for record in records if record.id == spec.id])
    ]


def format_settings(settings: dict) -> str:
    """Formats the settings of a record in one line: `batch_size 100, batchnorm false`."""
    parts = []
    for name, value in sorted(settings.items()):
        if isinstance(value, dict):
            parts.append(f"{name} ({format_settings(value)})")
        else:
            parts.append(f"{name} {value if isinstance(value, str) else json.dumps(value)}")
    return ", ".join(parts)
