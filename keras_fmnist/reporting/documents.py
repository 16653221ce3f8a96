"""Fills the generated parts of README.md and docs/ from the records.

A generated part is between `<!-- name -->` and `<!-- /name -->`. `DOCUMENTS` lists the parts of
each document and the function that writes each part.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_fmnist.records.measurements import read_measurements
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import backend_tables, fast_fit_tables, tables
from keras_fmnist.reporting.numbers import fill_numbers

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue


@dataclass(frozen=True)
class Study:
    """What the documents are filled from.

    Args:
        catalogue: the experiments, claims and texts.
        records: of its experiments and readings.
        out: the folder of the records and of the measurements by `bench`, `compare` and
            `benchmarks/kill.py`.
    """

    catalogue: "Catalogue"
    records: Sequence[Record]
    out: Path | str

    @property
    def of_experiments(self) -> list[Record]:
        """The records of experiments, without those of readings."""
        ids = {spec.id for spec in self.catalogue.specs}
        return [record for record in self.records if record.id in ids]

    def measurements(self, kind: str) -> dict[str, dict]:
        """Returns the measurements of a kind: see `read_measurements`."""
        return read_measurements(self.out, kind)


def _main_results(study):
    return tables.format_results(study.catalogue.main_results, study.records)


def _headlines(study):
    lines = (
        fill_numbers(line, study.catalogue, study.records) for line in study.catalogue.headlines
    )
    return "\n".join(f"- {line}" for line in lines)


def _main_job(study):
    return tables.describe_main_job(study.catalogue.main_job, study.records)


def _verdicts(study):
    return tables.describe_verdicts(study.catalogue.claims, study.records)


def _results(study):
    return tables.format_results(study.catalogue.specs, study.records)


def _claims(study):
    return tables.format_claims(study.catalogue.claims, study.records)


def _cost(study):
    return tables.describe_cost(study.of_experiments)


def _open_questions(study):
    return tables.format_open_questions(study.catalogue.deviations)


def _search_findings(study):
    return "\n".join(f"- {one.english}" for one in study.catalogue.findings)


def _ranking(study):
    return tables.format_ranking(study.catalogue.questions, study.records)


def _decoders(study):
    alternatives = study.catalogue.alternatives
    return tables.format_alternatives(alternatives, study.records) if alternatives else ""


def _parity(study):
    return tables.describe_parity(study.measurements("parity"))


def _backends(study):
    return backend_tables.format_backends(study.catalogue.specs, study.records)


def _defaults(study):
    return tables.format_defaults(study.measurements("parity"))


def _speed(study):
    return tables.format_speed(study.measurements("benchmarks"))


def _kills(study):
    return tables.describe_kills(study.measurements("reliability"))


def _models(study):
    return fast_fit_tables.format_models(study.measurements("models"))


def _verification(study):
    return fast_fit_tables.format_verification(study.measurements("models"))


Sections = Mapping[str, Callable[[Study], str]]

# For each document, the function that writes each of its generated parts.
DOCUMENTS: dict[str, Sections] = {
    "README.md": {
        "headlines": _headlines,
        "main-results": _main_results,
        "verdicts": _verdicts,
        "parity": _parity,
        "kills": _kills,
        "main-job": _main_job,
    },
    "docs/results.md": {
        "results": _results,
        "verdicts": _verdicts,
        "claims": _claims,
        "cost": _cost,
    },
    "docs/open_questions.md": {
        "open-questions": _open_questions,
        "search-findings": _search_findings,
        "ranking": _ranking,
        "decoders": _decoders,
    },
    "docs/pytorch.md": {"parity": _parity, "backends": _backends, "defaults": _defaults},
    "docs/speed.md": {"speed": _speed},
    "docs/fast_fit.md": {"models": _models, "verification": _verification},
    "docs/resume.md": {"kills": _kills},
}


def fill_documents(root: Path, study: Study) -> Iterator[tuple[Path, str]]:
    """Fills the generated parts of the documents of a checkout.

    Args:
        root: the folder of README.md and docs/.
        study: what they are filled from.

    Yields:
        The path of each document in `DOCUMENTS`, and its text.

    Raises:
        ValueError: a document lacks one of its markers, or has an unknown one.
        FileNotFoundError: a document is missing.
    """
    for path in sorted({root / "README.md", *(root / "docs").glob("*.md")} | _listed(root)):
        sections = DOCUMENTS.get(path.relative_to(root).as_posix(), {})
        contents = {name: write(study) for name, write in sections.items()}
        text = fill_markers(path.read_text(encoding="utf-8"), contents, path)
        if sections:
            yield path, text


def _listed(root):
    return {root / name for name in DOCUMENTS}


def fill_markers(text: str, contents: Mapping[str, str], path: Path | str) -> str:
    """Returns the text of a document with each content between its pair of markers.

    Args:
        text: with markers such as `<!-- results -->` and `<!-- /results -->`, a line each.
        contents: `{name of a marker: content}`.
        path: of the document, for the error.

    Raises:
        ValueError: the text does not have exactly one pair of each marker, or has other markers.
    """
    found = re.findall(r"^<!-- (/?)([\w-]+) -->$", text, re.MULTILINE)
    if unknown := sorted({name for _, name in found} - contents.keys()):
        raise ValueError(
            f"{path}: unknown marker <!-- {unknown[0]} -->; it may "
            f"have {', '.join(contents) or 'no markers'}"
        )
    for name, content in contents.items():
        pattern = re.compile(rf"^(<!-- {name} -->\n).*?^(<!-- /{name} -->)$", re.M | re.S)
        counts = [found.count((slash, name)) for slash in ("", "/")]
        if counts != [1, 1] or not pattern.search(text):
            raise ValueError(
                f"{path} needs one line <!-- {name} --> and below it one line <!-- /{name} -->"
            )
        text = pattern.sub(lambda m, new=content: f"{m[1]}{new}\n{m[2]}", text)
    return text
