"""Experiments, records and claims from Python."""

from importlib.metadata import EntryPoint

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.claims.criteria import UNDECIDED
from keras_fmnist.cli.notebook import study
from keras_fmnist.settings import SpecError
from tests.helpers.repository import ROOT


def test_the_experiments_are_those_of_the_catalogue_and_a_spec_is_found_by_its_id():
    assert study.list_experiments() == CATALOGUE.specs
    assert study.find_spec("mansilla/base") is BASE
    assert study.find_spec(BASE) is BASE
    reading = CATALOGUE.readings[0]
    assert study.find_spec(reading.id) is reading
    with pytest.raises(SpecError, match="bse' is no experiment; did you mean mansilla/base"):
        study.find_spec("mansilla/bse")


def test_without_installed_experiments_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(study, "entry_points", lambda group: [])
    with pytest.raises(RuntimeError, match="pip install -e"):
        study.list_experiments()


def test_the_experiments_are_those_that_are_installed(monkeypatch):
    other = EntryPoint("other", "experiments.mansilla:SPECS", study.ENTRY_POINT)
    monkeypatch.setattr(study, "entry_points", lambda group: [other])
    assert study._load_catalogue()[1] is BASE


def test_records_are_those_of_the_folder_here_or_of_the_published_study(
    tmp_path, monkeypatch, make_record, put_record
):
    monkeypatch.chdir(tmp_path)
    published = study.read_records()
    assert {"mansilla/base", "manolucos/wide", "transfer/random_head"} <= {r.id for r in published}
    assert published == study.read_records(str(ROOT / "results"))
    put_record(tmp_path / "results", make_record(BASE, 5))
    assert [record.seed for record in study.read_records()] == [5]
    with pytest.raises(SpecError, match="out runs does not exist"):
        study.read_records("runs")


def test_claims_are_judged_by_the_records_that_are_given():
    verdicts = study.judge_claims([])
    assert [verdict.claim for verdict in verdicts] == list(CATALOGUE.claims)
    assert {verdict.word for verdict in verdicts} == {UNDECIDED}
    assert max(verdict.n for verdict in verdicts) == 0
    assert max(verdict.n for verdict in study.judge_claims()) >= 3
