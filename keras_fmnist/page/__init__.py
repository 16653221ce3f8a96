"""The study as one page of HTML that asks no network for anything, drawn from records alone."""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
from bokeh.resources import Resources
from markupsafe import Markup

from keras_fmnist import report
from keras_fmnist.catalogue import Catalogue, Text
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.page import charts, content, evidence, exhibits, live_page, spaces, words
from keras_fmnist.results import Record


def render(catalogue: Catalogue, records: Sequence[Record], out: Path | str) -> str:
    """The page; the same records give the same bytes.

    Args:
        catalogue: a `Catalogue`.
        records: of its experiments and readings.
        out: the folder in which `latent`, `compare` and `bench` left theirs.

    Raises:
        RecordError: one of the latter is damaged.
    """
    reported = {spec.id for spec in catalogue.specs}
    mine = [record for record in records if record.id in reported]
    groups = content.leading(mine)
    said = content.verdicts(catalogue, records)
    template = environment(catalogue).get_template("page.html.j2")
    return template.render(
        pictures=content.pictures_of(catalogue, groups),
        spaces=spaces.of_each(out, groups),
        reports=[_report(name, catalogue, groups, said) for name in catalogue.reports],
        claims=said,
        runs=len(mine),
        done=len(groups),
        deviations=catalogue.deviations,
        parity=evidence.parity(out),
        speed=evidence.speed(out),
        readings=evidence.readings(catalogue, records),
        findings=catalogue.findings,
        checklist=evidence.checklist(catalogue, mine, groups) if mine else [],
        again=evidence.runs(catalogue, mine),
        live=live_page.is_there(catalogue, mine, out),
    )


def render_live(catalogue: Catalogue, records: Sequence[Record], out: Path | str) -> str | None:
    """The page in which the nets run; None where there is not all that it needs.

    Args and errors are those of `live_page.content`.
    """
    found = live_page.content(catalogue, records, out)
    return found and environment(catalogue).get_template("live.html.j2").render(**found)


def _report(name, catalogue, groups, said):
    """One report: its results, its exhibits, and the claims that name none of them."""
    said = [row for row in said if row["report"] == name]
    shown, labels = [], set()
    for exhibit in catalogue.exhibits.get(name, ()):
        # A figure in two parts says what it says once.
        fresh = said if exhibit.label not in labels else []
        shown.append(exhibits.exhibit(exhibit, groups, fresh))
        labels.add(exhibit.label)
    return {
        "name": name,
        "rows": content.table(catalogue.reports[name], groups, report.SHOWN),
        "exhibits": shown,
        "claims": [row for row in said if not row["labels"] & labels],
    }


def environment(catalogue: Catalogue) -> jinja2.Environment:
    """Jinja2 with the page's words; whatever is no markup of ours is escaped."""

    def say(english):
        """What an experiment says of itself, in Spanish too where there is some."""
        if english not in catalogue.spanish:
            return words.in_english(english)
        return words.both(Text(english, catalogue.spanish[english]))

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__, ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {
        "T": words.text,
        "t": lambda key, **values: words.both(words.text(key, **values)),
        "both": words.both,
        "say": say,
        "plain": words.in_english,
        "attribute": words.attribute,
        "exchanged": words.content,
        "class_names": CLASS_NAMES,
        "metrics": report.SHOWN,
        "bokeh": _bokeh(),
        "file": _file,
        "chart_words": _chart_words(),
        "script": _script,
    }
    return environment


def _bokeh():
    """The script that draws the plots, without its widgets and tables."""
    resources = Resources("inline", components=["bokeh"], log_level="warn")
    return Markup("\n".join(resources.js_raw))


def _script(json_text):
    """JSON as it may stand in a script element, which ends at its first end tag."""
    return Markup(json_text.replace("</", "<\\/"))


def _chart_words():
    """What the plots say, for each language."""
    languages = ("en", "es")
    said = {one: {word: words.TEXTS[word][one] for word in charts.WORDS} for one in languages}
    return _script(json.dumps(said, sort_keys=True))


def _file(name):
    """A file of this folder as it is, for the page's style and script."""
    return Markup(resources.files(__name__).joinpath(name).read_text("utf-8"))
