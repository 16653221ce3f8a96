"""The command line: a wrong request ends with one line and status 2, a failure with one and 1."""

import functools
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.__main__ import REPORTS
from keras_fmnist import data
from keras_fmnist.cli.commands import train as train_command
from tests.helpers.bad_values import BAD_VALUES
from tests.helpers.bad_words import BAD_WORDS
from tests.helpers.commands import assert_refused
from tests.helpers.folders import list_folder
from tests.helpers.pictures import PICTURES
from tests.helpers.processes import run_python
from tests.helpers.repository import ROOT

BAD = BAD_WORDS | BAD_VALUES


@pytest.fixture
def crowded(tmp_path, monkeypatch):
    """A folder with all that can stand in the way of a path, and a home beside it."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "load", lambda: pytest.fail("asked for the data"))
    monkeypatch.chdir(tmp_path / "home")
    for name in ("here.pt", "model.keras", "model.h5", "model.pkl", "model.npz", "saved_model.pb"):
        Path(name).write_text("mine")
    for name, content in PICTURES.items():
        Path(name).write_bytes(content)
    for name in ("folder", "folder.pt", "folder.json"):
        Path(name).mkdir()
    for name in ("dangling", "dangling.pt"):
        Path(name).symlink_to("nowhere")
    Path("circle").symlink_to("circle")
    os.mkfifo("fifo.pt")
    return tmp_path


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_command_line_ends_with_one_useful_line_and_no_file(
    kind, run_command, crowded, tally
):
    before, wrong = list_folder(crowded), []
    for line, words in BAD[kind]:
        argv = shlex.split(line)
        assert_refused(run_command(*argv), words, "keras-fmnist")
        if argv[0] in REPORTS and len(argv) > 1:
            assert_refused(run_command(*argv[1:], report=argv[0]), words, argv[0])
        if list_folder(crowded) != before:
            wrong.append(line)
    assert not wrong
    tally("bad command lines refused", len(BAD[kind]))


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (data.DataError("no source\nhas the data"), 1, "no source has the data"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (RuntimeError("it broke"), 1, "it broke"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=["data", "disk", "run", "ctrl-c"],
)
def test_a_failure_while_running_is_one_line_and_its_own_status(
    run_mansilla, monkeypatch, error, status, words
):
    @functools.wraps(train_command.train_experiments)
    def fail(*_, **__):
        raise error

    monkeypatch.delenv("KERAS_FMNIST_TRACEBACK", raising=False)
    monkeypatch.setattr(train_command, "train_experiments", fail)
    answer = run_mansilla("base")
    assert answer[:2] == (status, "")
    assert answer[2].startswith("mansilla: ")
    assert answer[2].endswith(f"{words}\n")
    assert answer[2].count("\n") == 1


def test_whoever_asks_for_it_gets_the_traceback(run_mansilla, monkeypatch):
    @functools.wraps(train_command.train_experiments)
    def fail(*_, **__):
        raise RuntimeError("it broke")

    monkeypatch.setenv("KERAS_FMNIST_TRACEBACK", "1")
    monkeypatch.setattr(train_command, "train_experiments", fail)
    with pytest.raises(RuntimeError, match="it broke"):
        run_mansilla("base")


def test_a_damaged_record_is_a_failure_that_names_it(run_command, tmp_path):
    path = tmp_path / "results" / "mansilla" / "base" / "seed0-torch-cpu.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    status, out, err = run_command("report")
    assert (status, out) == (1, "")
    assert str(path.relative_to(tmp_path)) in err
    assert err.count("\n") == 1


# --- in a process of its own ---


@pytest.mark.parametrize(
    ("line", "environment", "words"),
    [
        ("experiments.mansilla base --epohcs 1", {}, "did you mean epochs?"),
        ("experiments.mansilla base clear", {}, "clear is a word too many"),
        ("experiments.mansilla base", {"KERAS_BACKEND": "theano"}, "not 'theano'"),
        ("experiments mansilla base --epochs -1", {}, "not -1"),
        ("experiments list -- --interactive", {}, "-- is no word here"),
        ("experiments list\udcff", {}, "list\\udcff' is no command; did you mean list?"),
    ],
)
def test_the_process_exits_with_2_and_one_line(tmp_path, line, environment, words):
    done = run_python("-m", *line.split(), cwd=tmp_path, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert list_folder(tmp_path) == {}


def test_a_reader_who_goes_away_is_no_error(tmp_path):
    for buffered in ("", "1"):
        process = subprocess.Popen(
            [sys.executable, "-m", "experiments", "list", "--out", str(ROOT / "results")],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": buffered},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.close()
        complaint = io.TextIOWrapper(process.stderr).read()
        assert (process.wait(timeout=60), complaint) == (0, "")
