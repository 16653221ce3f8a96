"""compare: every row, the trainings side by side and the defaults, printed and in a file."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import keras
import pytest

from keras_fmnist import data
from keras_fmnist.cli.commands.compare import format_rows
from keras_fmnist.pytorch import parity
from keras_fmnist.pytorch.defaults import list_defaults
from keras_fmnist.pytorch.parity import Row


def test_the_table_has_a_line_a_row_under_each_kind_and_marks_what_is_over():
    rows = [
        Row("conv1", "output", 2e-7, 1e-8, 1e-5),
        Row("decoder.deconv1", "output", 0.5, 0.25, 1e-5),
        Row("conv1", "gradient", float("nan"), 0, 1e-4),
    ]
    lines = format_rows(rows).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["output"],
        ["conv1", "2e-07", "1e-08", "1e-05"],
        ["decoder.deconv1", "0.5", "0.25", "1e-05", "OVER"],
        ["gradient"],
        ["conv1", "nan", "0", "0.0001", "OVER"],
    ]


GOOD = [
    Row("encoder.conv1", "output", 1e-7, 1e-8, 1e-5),
    Row("loss", "loss", 0.0, 0.0, 1e-5),
]


BAD = [
    GOOD[0],
    Row("decoder.deconv1", "output", 0.25, 0.125, 1e-5),
    Row("decoder", "output", 0.5, 0.125, 1e-5),
]


@pytest.fixture
def run_compare(monkeypatch, run_command):
    """`run_compare(rows, *argv)`: `run_command` of `compare`, where the layers give these rows."""
    monkeypatch.setattr(parity, "rounding", lambda *_: {"ours": 0.003, "native": 0.004})

    def call(rows, *argv):
        monkeypatch.setattr(parity, "measure", lambda *_: rows)
        return run_command("compare", *argv)

    return call


QUICK = ("--seeds", "2", "--epochs", "1", "--examples", "60")


def test_the_command_prints_everything_and_writes_it_as_json(run_compare):
    status, out, err = run_compare(GOOD, "mansilla/base", *QUICK, "--json", "there/out.json")
    assert status == 0, err
    content = json.loads(Path("there/out.json").read_text())
    assert content.keys() == {
        *("experiment", "backend", "passed", "rows", "equivalence", "defaults", "rounding"),
    }
    assert content["experiment"] == "mansilla/base"
    assert content["backend"] == keras.backend.backend()
    assert content["passed"] is True
    assert content["rows"] == [asdict(row) for row in GOOD]
    assert [*content["rows"][0]] == ["name", "kind", "max_abs", "mean_abs", "tolerance"]
    assert content["rounding"] == {"ours": 0.003, "native": 0.004}
    assert content["defaults"] == list_defaults()
    assert content["equivalence"].keys() == {
        *("epochs", "examples", "seeds", "ours", "native", "margin", "interval", "verdict"),
    }
    found = content["equivalence"]
    assert (found["epochs"], found["examples"], found["seeds"]) == (1, 60, 2)
    for words in (
        *("encoder.conv1", "1e-07", "Adam's ε", "0.003", "0.004", found["verdict"]),
        *(f"{found['ours']['val_loss']['mean']:.4f}", f"{found['margin']:.4f}"),
    ):
        assert words in out
    assert os.listdir() == ["there"]  # what was trained to compare has gone


def test_a_layer_over_its_tolerance_is_named_and_the_rest_still_told(run_compare):
    status, out, err = run_compare(BAD, "mansilla/base", *QUICK, "--json", "out.json")
    assert status == 1
    assert err.splitlines()[-1] == (
        "keras-fmnist: decoder.deconv1, output: differs by 0.25, tolerance 1e-05"
    )
    assert out.count("OVER") == 2
    content = json.loads(Path("out.json").read_text())
    assert content["passed"] is False
    assert content["rows"] == [asdict(row) for row in BAD]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("mansilla/base", "--json", "out.txt"), "json must end in .json, not 'out.txt'"),
        (("mansilla/base", "--json", "folder.json"), "json folder.json is a folder"),
        (("mansilla/base", "--json", "file/out.json"), "is a file, not a folder"),
        (("mansilla/base", "--json"), "json must end in .json"),
        (("mansilla/base", "--seeds", "1"), "seeds must be a whole number from 2 to 1000, not 1"),
        (("mansilla/base", "--epochs", "0"), "epochs must be a whole number from 1"),
        (("mansilla/base", "--examples", "60001"), "examples must be a whole number from 1 to"),
        (("mansilla/bsae",), "'mansilla/bsae' is no experiment; did you mean mansilla/base?"),
        ((), "experiment"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_request_is_refused_before_anything_runs(run_compare, monkeypatch, argv, words):
    monkeypatch.setattr(data, "load", lambda: pytest.fail("it ran"))
    Path("folder.json").mkdir()
    Path("file").write_text("")
    status, out, err = run_compare(GOOD, *argv)
    assert status == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == ["file", "folder.json"]
