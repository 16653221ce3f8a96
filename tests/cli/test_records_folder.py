"""Where a reading command finds its records, and what it asks of a folder."""

import os
from pathlib import Path

import pytest

from experiments.mansilla import BASE
from keras_fmnist.cli import arguments
from keras_fmnist.records.run import find_published
from keras_fmnist.settings import SpecError
from tests.helpers.repository import ROOT

READING = (("list",), ("claims",), ("report", "--check"))


@pytest.fixture
def published(tmp_path, monkeypatch, make_record, put_record):
    """A study with one record, in the place of the one with the package."""
    folder = tmp_path / "package" / "results"
    put_record(folder, make_record(BASE))
    monkeypatch.setattr(arguments, "find_published", lambda: folder)
    return folder


def test_the_published_study_lies_beside_the_package():
    assert find_published() == ROOT / "results"
    assert find_published("none") is None


@pytest.mark.parametrize("words", [("list",), ("claims",)])
def test_from_any_folder_the_published_study_is_read_and_that_is_said(
    run_command, published, words
):
    status, out, err = run_command(*words)
    assert (status, err) == (0, f"there is no results here: taken from {published}\n")
    assert "1 run " in out or "undecided" in out
    assert sorted(os.listdir()) == ["package"]


def test_a_study_that_is_here_comes_first_and_out_before_both(
    run_command, published, make_record, put_record
):
    for seed in (0, 1):
        put_record(Path("results"), make_record(BASE, seed))
    for seed in (0, 1, 2):
        put_record(Path("mine"), make_record(BASE, seed))
    for words, count in (((), 2), (("--out", "mine"), 3), (("--out", str(published)), 1)):
        status, out, err = run_command("list", *words)
        assert (status, err) == (0, "")
        row = next(line for line in out.splitlines() if line.startswith("mansilla/base "))
        assert row.split()[1] == str(count)


def test_where_there_is_none_at_all_experiments_are_listed_all_the_same(run_command, monkeypatch):
    monkeypatch.setattr(arguments, "find_published", lambda: None)
    status, out, err = run_command("list")
    assert (status, err) == (0, "")
    assert "0 runs" in out
    status, out, err = run_command("claims")
    assert (status, out) == (2, "")
    assert "results holds no records: every claim would be undecided" in err


def test_a_page_is_not_written_into_the_published_study_from_elsewhere(run_command, published):
    before = sorted(published.rglob("*"))
    status, _, err = run_command("report")
    assert status == 2
    assert "results holds no records: a page of them would be empty" in err
    assert sorted(published.rglob("*")) == before


@pytest.mark.parametrize("words", READING)
def test_reading_asks_for_no_right_to_write(run_command, published, monkeypatch, words):
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: may(path, mode) and not mode & os.W_OK)
    status, _, err = run_command(*words, "--out", str(published))
    assert "cannot be written" not in err
    assert status == (1 if "report" in words else 0)  # this study has neither figures nor page
    with pytest.raises(SpecError, match="cannot be written"):
        arguments.find_records_folder(str(published), is_written=True)


def test_a_folder_that_cannot_be_read_is_refused(published, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.R_OK)
    with pytest.raises(SpecError, match="cannot be read"):
        arguments.find_records_folder(str(published))
