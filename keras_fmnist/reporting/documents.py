"""README.md and docs/: what stands between their markers comes from the records.

A part that is generated stands between `<!-- name -->` and `<!-- /name -->`. `DOCUMENTS` says which
document has which parts, and what writes each of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_fmnist.records.measurements import read_measurements
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import tables
from keras_fmnist.reporting.numbers import fill_numbers

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue


@dataclass(frozen=True)
class Study:
    """What the documents are filled from.

    Args:
        catalogue: the experiments, and what is said of them.
        records: of its experiments and readings.
        out: the folder of the records, in which `bench`, `compare` and `benchmarks/kill.py` left
            their measurements too.
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
        """What was measured beside the study: see `read_measurements`."""
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


def _parity(study):
    return tables.describe_parity(study.measurements("parity"))


def _defaults(study):
    return tables.format_defaults(study.measurements("parity"))


def _speed(study):
    return tables.format_speed(study.measurements("benchmarks"))


def _kills(study):
    return tables.describe_kills(study.measurements("reliability"))


Sections = Mapping[str, Callable[[Study], str]]

# Each document, and the function that writes what stands between each of its markers.
DOCUMENTS: dict[str, Sections] = {
    "README.md": {
        "headlines": _headlines,
        "main-results": _main_results,
        "verdicts": _verdicts,
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
    },
    "docs/pytorch.md": {"parity": _parity, "defaults": _defaults},
    "docs/speed.md": {"speed": _speed},
    "docs/resume.md": {"kills": _kills},
}


def fill_documents(root: Path, study: Study) -> Iterator[tuple[Path, str]]:
    """The documents of a checkout with everything between their markers as a study gives it.

    Args:
        root: the folder of README.md and docs/.
        study: what they are filled from.

    Yields:
        The path of each document in `DOCUMENTS`, and its text.

    Raises:
        ValueError: a marker that a document must have is missing, or nothing is known that belongs
            between a marker that it has.
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
    """A document's text with each content between its pair of markers.

    Args:
        text: with markers such as `<!-- results -->` and `<!-- /results -->`, a line each.
        contents: `{name of a marker: what belongs between the two}`.
        path: of the document, for the error.

    Raises:
        ValueError: the text does not have exactly one pair of each, or has others.
    """
    found = re.findall(r"^<!-- (/?)([\w-]+) -->$", text, re.MULTILINE)
    if unknown := sorted({name for _, name in found} - contents.keys()):
        raise ValueError(
            f"{path}: nothing is known that belongs at the marker <!-- {unknown[0]} -->; it may "
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
