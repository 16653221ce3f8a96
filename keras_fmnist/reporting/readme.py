"""README.md: what stands between its markers comes from the records."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_fmnist.records.measurements import read_measurements
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.tables import (
    describe_cost,
    describe_kills,
    describe_parity,
    format_claims,
    format_open_questions,
    format_results,
    format_speed,
)

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue


def fill_marked(text: str, mark: str, content: str) -> str:
    """Puts content between `<!-- mark -->` and `<!-- /mark -->`.

    Raises:
        ValueError: the text has no such pair of markers.
    """
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    filled, times = pattern.subn(lambda m: f"{m[1]}{content}\n{m[2]}", text)
    if times != 1:
        raise ValueError(f"there must be one pair of markers <!-- {mark} -->, not {times}")
    return filled


def renew_readme(
    text: str, catalogue: "Catalogue", records: Sequence[Record], out: Path | str
) -> str:
    """A README with everything between its markers as a study gives it.

    Args:
        text: of the README.
        catalogue: a `Catalogue`.
        records: of its experiments and readings.
        out: the folder in which `bench`, `compare` and `benchmarks/kill.py` left theirs.
    """
    reported = {spec.id for spec in catalogue.specs}
    text = fill_marked(text, "results", format_results(catalogue.specs, records))
    text = fill_marked(text, "claims", format_claims(catalogue.claims, records))
    text = fill_marked(text, "deviations", format_open_questions(catalogue.deviations))
    text = fill_marked(text, "speed", format_speed(read_measurements(out, "benchmarks")))
    text = fill_marked(text, "kills", describe_kills(read_measurements(out, "reliability")))
    text = fill_marked(text, "parity", describe_parity(read_measurements(out, "parity")))
    text = fill_marked(
        text, "findings", "\n".join(f"- {one.english}" for one in catalogue.findings)
    )
    return fill_marked(text, "cost", describe_cost([r for r in records if r.id in reported]))
