"""Trained side by side, default by default, and what the command makes of it all."""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import torch
from scipy import stats

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.cli.commands.compare import format_equivalence, format_rows
from keras_fmnist.pytorch import equivalence, parity
from keras_fmnist.pytorch.defaults import list_defaults
from keras_fmnist.pytorch.parity import Row
from keras_fmnist.reporting.page.translations import OF_RULERS, of_rulers
from keras_fmnist.training import train
from tests.helpers.repository import ROOT

# Validation losses of five trainings a side, and the verdict on them at a margin of a tenth.
NATIVE = [0.200, 0.202, 0.198, 0.201, 0.199]
CASES = {
    "the same runs": (NATIVE, "equivalent"),
    "a little worse, well within the margin": ([v + 0.01 for v in NATIVE], "equivalent"),
    "a little better, well within the margin": ([v - 0.01 for v in NATIVE], "equivalent"),
    "at the margin": ([v + 0.02 for v in NATIVE], "undecided"),
    "far worse": ([v + 0.05 for v in NATIVE], "different"),
    "far better": ([v - 0.05 for v in NATIVE], "different"),
    "the same mean, scattered": ([0.10, 0.30, 0.15, 0.25, 0.20], "undecided"),
    "far worse, but scattered": ([0.05, 0.65, 0.15, 0.45, 0.20], "undecided"),
}


@pytest.fixture
def judge(monkeypatch):
    """`judge(ours, native)`: the verdict on losses that nothing was trained for."""

    def call(ours, native):
        monkeypatch.setattr(
            train,
            "run",
            lambda spec, seed, *_, **__: SimpleNamespace(metrics={"val_loss": ours[seed]}),
        )
        monkeypatch.setattr(
            equivalence, "_train_twin", lambda spec, seed, *_: {"val_loss": native[seed]}
        )
        return equivalence.measure_equivalence(BASE, None, seeds=len(native), epochs=2, examples=30)

    return call


@pytest.mark.parametrize("case", CASES)
def test_the_interval_is_welchs_and_the_verdict_follows_from_it_and_the_margin(judge, case):
    ours, verdict = CASES[case]
    result = judge(ours, NATIVE)
    welch = stats.ttest_ind(ours, NATIVE, equal_var=False).confidence_interval(0.90)
    assert result.interval == pytest.approx((welch.low, welch.high), abs=1e-12)
    assert result.margin == pytest.approx(0.02)  # a tenth of native's mean
    assert result.verdict == verdict
    inside = -result.margin < welch.low and welch.high < result.margin
    assert (verdict == "equivalent") == inside
    assert (result.epochs, result.examples, result.seeds) == (2, 30, 5)


def test_the_verdict_is_that_of_two_one_sided_tests_at_five_percent(judge):
    # By hand: means 0.21 and 0.2, variances 2.5e-6 each, four degrees of freedom a side: the
    # standard error is 0.001, and t(0.95, 8) is 1.8595.
    ours = [value + 0.01 for value in NATIVE]
    assert judge(ours, NATIVE).interval == pytest.approx((0.0081405, 0.0118595), abs=1e-7)
    for ours, _ in CASES.values():
        result = judge(ours, NATIVE)
        below = stats.ttest_ind(
            [v + result.margin for v in ours], NATIVE, equal_var=False, alternative="greater"
        ).pvalue
        above = stats.ttest_ind(
            [v - result.margin for v in ours], NATIVE, equal_var=False, alternative="less"
        ).pvalue
        assert (result.verdict == "equivalent") == (max(below, above) < 0.05)


def test_runs_without_any_scatter_are_judged_by_their_difference(judge):
    assert judge([0.2, 0.2], [0.2, 0.2]).interval == (0, 0)
    assert judge([0.2, 0.2], [0.2, 0.2]).verdict == "equivalent"
    assert judge([0.3, 0.3], [0.2, 0.2]).verdict == "different"


def test_means_and_standard_deviations_are_those_of_the_runs(judge):
    result = judge([0.1, 0.3], [0.2, 0.4])
    assert result.ours == {"val_loss": {"mean": pytest.approx(0.2), "sd": pytest.approx(0.1414214)}}
    assert result.native["val_loss"]["mean"] == pytest.approx(0.3)
    lines = format_equivalence(result)
    assert lines[0] == "ours: val_loss 0.2000 (sd 0.1414)"
    assert lines[1] == "native: val_loss 0.3000 (sd 0.1414)"
    assert lines[2].endswith("margin ±0.0300: undecided")


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=lambda spec: spec.name)
def test_both_sides_are_trained_as_often_and_as_long_as_asked(spec, dataset, tiny, monkeypatch):
    asked, fitted, autoencoders = [], [], []
    train_run, fit = train.train_run, equivalence._fit_twin

    def watched_run(run, *rest):
        record = train_run(run, *rest)
        asked.append((run.spec.name, run.seed, record.examples, len(record.history["loss"])))
        return record

    def watched_fit(spec, net, images, targets):
        fitted.append((spec.name, torch.initial_seed(), len(images), spec.epochs))
        if spec.name == "base":
            autoencoders.append(net)
        else:  # a classifier starts from the encoder that has just been trained
            for ours, theirs in zip(
                net.encoder.parameters(), autoencoders[-1].encoder.parameters(), strict=True
            ):
                assert torch.equal(ours, theirs)
        fit(spec, net, images, targets)

    # The autoencoder of a classifier is asked for by `train_run` itself.
    for module in (equivalence, train):
        monkeypatch.setattr(module, "train_run", watched_run)
    monkeypatch.setattr(equivalence, "_fit_twin", watched_fit)
    seen = []

    def progress(seeds):
        for seed in seeds:
            seen.append(seed)
            yield seed

    result = equivalence.measure_equivalence(
        tiny(spec), dataset, seeds=2, epochs=1, examples=100, progress=progress
    )
    names = ["base"] if spec is BASE else ["base", "classifier_full"]
    expected = [(name, seed, 100, 1) for seed in (0, 1) for name in names]
    assert asked == expected
    assert fitted == expected
    assert seen == [0, 1]
    assert (result.epochs, result.examples, result.seeds) == (1, 100, 2)
    metrics = {"val_loss"} if spec is BASE else {"val_loss", "val_accuracy"}
    low, high = (0.01, 0.5) if spec is BASE else (1.5, 3.0)
    for side in (result.ours, result.native):
        assert side.keys() == metrics
        assert low < side["val_loss"]["mean"] < high
        assert side["val_loss"]["sd"] > 0  # another seed is another training
        if spec is not BASE:
            assert 0 <= side["val_accuracy"]["mean"] <= 1
    assert result.verdict in ("equivalent", "different", "undecided")


def test_a_random_arm_trains_no_autoencoder_on_the_native_side_either(dataset, tiny, monkeypatch):
    fitted = []
    monkeypatch.setattr(equivalence, "_fit_twin", lambda spec, *_: fitted.append(spec.name))
    spec = tiny(CLASSIFIER_FULL, pretrained=False)
    equivalence.measure_equivalence(spec, dataset, seeds=2, epochs=1, examples=20)
    assert fitted == ["classifier_full"] * 2


def test_the_native_side_learns_what_ours_learns(dataset, tiny):
    result = equivalence.measure_equivalence(
        tiny(BASE, dropout=0, learning_rate=3e-3), dataset, seeds=2, epochs=4, examples=190
    )
    blank = np.square(dataset.test_images / 255 - 0.5).mean()
    for side in (result.ours, result.native):
        assert side["val_loss"]["mean"] < 0.8 * blank
    assert result.ours["val_loss"]["mean"] == pytest.approx(
        result.native["val_loss"]["mean"], rel=0.2
    )


DEFAULTS = {
    "initial kernels": ("GlorotUniform", "uniform ±1/√fan_in", "uniform ±1/√fan_in"),
    "initial biases": ("Zeros", "uniform ±1/√fan_in", "uniform ±1/√fan_in"),
    "fan-in of a transposed convolution": ("inputs", "outputs", "outputs"),
    "Adam's ε": ("1e-07", "1e-08", "1e-08"),
    "where Adam adds ε": ("to √v", "to √v̂, bias corrected", "to √v̂, bias corrected"),
    "batch norm's momentum, as the share kept": ("0.99", "0.9", "0.9"),
    "batch norm's ε": ("0.001", "1e-05", "1e-05"),
    "batch norm's running variance": ("divided by n", "divided by n - 1", "Keras's"),
    "image layout": (
        *("rows, columns, channels", "channels, rows, columns"),
        "Keras's outside",
    ),
    "flatten order": ("row, column, channel", "channel, row, column", "PyTorch's"),
    "a frozen batch norm's statistics": ("stay", "move in training mode", "stay"),
    "a frozen layer's dropout": (
        *("drops", "drops in training mode"),
        "drops, unless the spec says",
    ),
}


@pytest.mark.portable
def test_the_defaults_are_those_that_both_libraries_have():
    rows = list_defaults()
    assert [row["what"] for row in rows] == list(DEFAULTS)
    for row in rows:
        assert (row["keras"], row["pytorch"], row["ours"]) == DEFAULTS[row["what"]], row["what"]


def test_the_page_has_the_spanish_of_every_default_and_every_kind_of_comparison():
    said = {text for row in list_defaults() for text in row.values()}
    committed = json.loads((ROOT / "results/parity/mansilla-base.json").read_bytes())
    said |= {row["kind"] for row in committed["rows"]}
    same = {text for text in said if of_rulers(text).spanish == text}
    assert {text for text in same if not re.fullmatch(r"[\d.e-]+", text)} == {
        "GlorotUniform",
        "Zeros",
    }
    assert OF_RULERS.keys() <= said


def test_numbers_among_the_defaults_are_read_from_the_libraries(monkeypatch):
    class Other(keras.layers.BatchNormalization):
        def __init__(self):
            super().__init__(momentum=0.5, epsilon=0.25)

    monkeypatch.setattr(keras.layers, "BatchNormalization", Other)
    monkeypatch.setattr(
        torch.nn, "BatchNorm2d", lambda _: SimpleNamespace(momentum=0.25, eps=0.125)
    )
    values = {row["what"]: (row["keras"], row["pytorch"]) for row in list_defaults()}
    assert values["batch norm's momentum, as the share kept"] == ("0.5", "0.75")
    assert values["batch norm's ε"] == ("0.25", "0.125")


def test_the_table_has_a_line_a_row_under_each_kind_and_marks_what_is_over():
    rows = [
        Row("conv1", "output", 2e-7, 1e-8, 1e-5),
        Row("decoder.deconv1", "output", 0.5, 0.25, 1e-5),
        Row("conv1", "gradient", float("nan"), 0, 1e-4),
    ]
    lines = format_rows(rows)
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
