"""How records and nets look in a notebook."""

import base64
import re
import sys
from types import SimpleNamespace

import pytest
from IPython.core.formatters import DisplayFormatter

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.cli.notebook import displays, nets
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.style import make_subplots
from tests.helpers.figures import PNG


@pytest.fixture
def notebook(monkeypatch):
    """IPython's own formatter, in which the displays are registered."""
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    displays.register()
    return lambda value: shell.display_formatter.format(value)[0]


def pictures_of(page):
    return [base64.b64decode(code) for code in re.findall(r"data:image/png;base64,([^\"]+)", page)]


@pytest.mark.parametrize(("spec", "count"), [(BASE, 2), (CLASSIFIER_FULL, 3)])
def test_a_record_shows_what_came_out_with_its_figures(notebook, make_record, spec, count):
    record = make_record(spec, 4)
    page = notebook(record)["text/html"]
    assert f"{spec.id}, seed 4 on torch: " in page
    assert f"val_loss {record.metrics['val_loss']:.4g}" in page
    drawn = pictures_of(page)
    assert len(drawn) == len(set(drawn)) == count
    assert all(picture.startswith(PNG) for picture in drawn)


def test_a_strangers_record_brings_no_markup(make_record):
    values = vars(make_record(BASE)) | {"history": {}, "images": None}
    values["experiment"] = "<script>"
    assert "<script>" not in displays.show_record(Record(**values))


def test_a_net_shows_its_reconstructions(notebook, studied, dataset, monkeypatch):
    monkeypatch.setattr(data, "load", lambda: dataset)
    page = notebook(nets.load_net("mansilla/base", out=str(studied)))["text/html"]
    assert "mansilla/base, seed 0: 116,417 parameters" in page
    assert len(pictures_of(page)) == 1


def test_a_figure_is_shown_whether_or_not_pyplot_was_imported(notebook):
    figure, _ = make_subplots()
    assert notebook(figure)["image/png"].startswith(PNG)


def test_outside_of_a_notebook_nothing_happens(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    displays.register()
    monkeypatch.delitem(sys.modules, "IPython")
    displays.register()
    assert "IPython" not in sys.modules
