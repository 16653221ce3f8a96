"""Renders the study as one HTML page that loads nothing, from records alone."""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
from bokeh.resources import Resources
from markupsafe import Markup

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.criteria import VERDICTS, name_verdict
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.groups import select_groups
from keras_fmnist.records.record import Record
from keras_fmnist.reporting import tables
from keras_fmnist.reporting.backend_tables import compare_backends
from keras_fmnist.reporting.page import (
    appendix,
    bilingual,
    charts,
    latent,
    live_page,
    published_figures,
    results,
)


def render_page(catalogue: Catalogue, records: Sequence[Record], out: Path | str) -> str:
    """Renders the page; the same records give the same bytes.

    Args:
        catalogue: a `Catalogue`.
        records: of its experiments and readings.
        out: the folder with the files of `latent`, `compare` and `bench`.

    Raises:
        RecordError: one of these files is damaged.
    """
    reported = {spec.id for spec in catalogue.specs}
    reported_records = [record for record in records if record.id in reported]
    groups = select_groups(reported_records)
    judged = results.list_verdicts(catalogue, records)
    template = _environment(catalogue).get_template("page.html.j2")
    return template.render(
        pictures=results.list_pictures(catalogue, groups),
        spaces=latent.describe_spaces(out, groups),
        reports=[_report(name, catalogue, groups, judged) for name in catalogue.reports],
        claims=judged,
        runs=len(reported_records),
        done=len(groups),
        deviations=catalogue.deviations,
        parity=appendix.describe_parity(out),
        backends=compare_backends(catalogue.specs, reported_records),
        speed=appendix.describe_speed(out),
        readings=appendix.describe_readings(catalogue, records),
        findings=catalogue.findings,
        checklist=appendix.build_checklist(catalogue, reported_records, groups)
        if reported_records
        else [],
        again=appendix.list_runs(catalogue, reported_records),
        live=live_page.has_live_page(catalogue, reported_records, out),
    )


def render_live_page(
    catalogue: Catalogue, records: Sequence[Record], out: Path | str
) -> str | None:
    """Renders the page in which the nets run; None if something that it needs is missing.

    Args and errors are those of `live_page.build_content`.
    """
    found = live_page.build_content(catalogue, records, out)
    return found and _environment(catalogue).get_template("live.html.j2").render(**found)


def _report(name, catalogue, groups, judged):
    """Describes one report: its results, its exhibits, and the claims that name no exhibit."""
    judged = [row for row in judged if row["report"] == name]
    shown, labels = [], set()
    for exhibit in catalogue.exhibits.get(name, ()):
        # Claims of a figure in two parts are shown once.
        fresh = judged if exhibit.label not in labels else []
        shown.append(published_figures.describe_exhibit(exhibit, groups, fresh))
        labels.add(exhibit.label)
    return {
        "name": name,
        "rows": results.build_table(catalogue.reports[name], groups, tables.SHOWN),
        "exhibits": shown,
        "claims": [row for row in judged if not row["labels"] & labels],
    }


def _environment(catalogue: Catalogue) -> jinja2.Environment:
    """Returns Jinja2 with the texts of the page; everything but our own markup is escaped."""

    def summarize(spec):
        """Returns the summary of an experiment, in Spanish too if it is translated."""
        if spec.id not in catalogue.summaries:
            return bilingual.in_english(spec.summary)
        return bilingual.both(catalogue.summaries[spec.id])

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {
        "T": bilingual.text,
        "t": lambda key, **values: bilingual.both(bilingual.text(key, **values)),
        "both": bilingual.both,
        "summarize": summarize,
        "all_verdicts": VERDICTS,
        "name_verdict": name_verdict,
        "plain": bilingual.in_english,
        "attribute": bilingual.attribute,
        "exchanged": bilingual.content,
        "class_names": CLASS_NAMES,
        "metrics": tables.SHOWN,
        "bokeh": _bokeh(),
        "file": _file,
        "chart_words": _chart_words(),
        "script": _script,
    }
    return environment


def _bokeh():
    """Returns the script that draws the plots, without widgets and tables."""
    resources = Resources("inline", components=["bokeh"], log_level="warn")
    return Markup("\n".join(resources.js_raw))


def _script(json_text):
    """Escapes JSON for a script element, which would end at the first end tag."""
    return Markup(json_text.replace("</", "<\\/"))


def _chart_words():
    """Returns the words of the plots in each language."""
    languages = ("en", "es")
    words = {
        one: {word: bilingual.text.templates[word][one] for word in charts.WORDS}
        for one in languages
    }
    return _script(json.dumps(words, sort_keys=True))


def _file(name):
    """Returns a file of this folder unchanged, for the style and the script of the page."""
    return Markup(resources.files(__package__).joinpath(name).read_text("utf-8"))
