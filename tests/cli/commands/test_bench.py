"""bench: every experiment on every backend, printed and in a file."""

import json
from types import SimpleNamespace

import pytest
import torch

from experiments.__main__ import CATALOGUE
from keras_fmnist import backends
from keras_fmnist.cli.commands import bench
from keras_fmnist.cli.commands.bench import format_summary
from keras_fmnist.pytorch import benchmark


@pytest.fixture(autouse=True)
def plain_compile(monkeypatch):
    """The inductor takes half a minute, and what it makes is not ours."""
    monkeypatch.setattr(torch, "compile", lambda net: net)


def test_the_table_says_what_the_summary_holds():
    table = format_summary(benchmark.summarize({"ours": [0.002, 0.002], "stock": [0.003, 0.003]}))
    assert [line.split() for line in table.splitlines()] == [
        ["ours", "2.00", "ms", "a", "step"],
        ["stock", "3.00", "ms", "a", "step"],
        ["stock_over_ours", "1.50", "[1.50,", "1.50]"],
    ]


@pytest.fixture
def run_bench(monkeypatch, run_command):
    """`run_bench(*words)`: `run_command` of `bench`; times are made up."""
    monkeypatch.setattr(backends, "list_installed", lambda: ["torch", "jax"])
    monkeypatch.setattr(
        benchmark,
        "measure",
        lambda spec, dataset, **_: {"ours": [0.002, 0.002], "stock": [0.003, 0.003]},
    )
    return lambda *words: run_command("bench", *words)


@pytest.fixture
def elsewhere(monkeypatch):
    """Processes of other backends that were asked for; each leaves a file as if it had run."""
    calls = []

    def run(words, env, check):
        if env["KERAS_BACKEND"] == "tensorflow":
            return SimpleNamespace(returncode=1)
        calls.append((words[1:], env["KERAS_BACKEND"]))
        summary = benchmark.summarize({"stock": [0.01, 0.01], "native": [0.005, 0.005]})
        content = {"experiments": {"mansilla/base": summary}}
        with open(words[words.index("--json") + 1], "w") as file:
            json.dump(content, file)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(bench.subprocess, "run", run)
    return calls


def test_the_file_holds_machine_versions_every_experiment_and_every_backend(
    run_bench, elsewhere, tmp_path
):
    experiments = ("mansilla/base", "mansilla/classifier_full")
    line = (*experiments, "--steps", "2", "--rounds", "2", "--json", "deep/cpu.json")
    status, out, err = run_bench(*line)
    assert status == 0, err
    content = json.loads((tmp_path / "deep/cpu.json").read_text())
    assert content.keys() == {"machine", "versions", "backend", "experiments", "backends"}
    assert content["backend"] == "torch"
    assert {"processor", "cores", "system"} <= content["machine"].keys()
    assert {"python", "keras", "torch", "numpy"} <= content["versions"].keys()
    assert content["experiments"] == {
        name: {
            "ms_per_step": {"ours": 2.0, "stock": 3.0},
            "ratios": {"stock_over_ours": 1.5},
            "quartiles": {"stock_over_ours": [1.5, 1.5, 1.5]},
        }
        for name in experiments
    }
    assert content["backends"]["jax"]["mansilla/base"]["ratios"] == {"native_over_stock": 0.5}
    ((words, backend),) = elsewhere
    assert backend == "jax"
    assert words[:5] == ["-m", "experiments", "bench", *experiments]
    assert words[5:9] == ["--steps", "2", "--rounds", "2"]
    assert out.splitlines()[0] == "mansilla/base"


def test_the_published_file_has_this_form(run_bench, elsewhere, tmp_path):
    """Four experiments where none is named; with `--whole` also growth and memory."""
    growth, memory = {"ms_per_image": {"10": {"ours": 1.0}}}, {"ours": 300}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "growth", lambda spec, dataset, rounds: growth)
        patch.setattr(benchmark, "peak_memory", lambda spec, dataset: memory)
        assert run_bench("--whole", "--json", "cpu.json")[0] == 0
    content = json.loads((tmp_path / "cpu.json").read_text())
    assert list(content["experiments"]) == [spec.id for spec in CATALOGUE.benched]
    assert len(CATALOGUE.benched) == 4
    assert (content["growth"], content["peak_memory_mib"]) == (growth, memory)


def test_a_backend_whose_bench_fails_is_left_out_and_nothing_else_is_lost(
    run_bench, elsewhere, tmp_path, monkeypatch
):
    monkeypatch.setattr(backends, "list_installed", lambda: ["torch", "tensorflow", "jax"])
    status, out, _ = run_bench("mansilla/base", "--json", "cpu.json")
    assert status == 0
    assert "tensorflow is left out" in out
    content = json.loads((tmp_path / "cpu.json").read_text())
    assert list(content["backends"]) == ["jax"]
    assert list(content["experiments"]) == ["mansilla/base"]


def test_no_file_is_written_where_none_is_asked_for(run_bench, elsewhere, tmp_path):
    assert run_bench("mansilla/base")[0] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mansilla/bsae"], "did you mean mansilla/base?"),
        (["--steps", "0"], "steps must be a whole number from 1 to 600, not 0"),
        (["--steps", "601"], "not 601"),
        (["--rounds", "1"], "rounds must be a whole number from 2 to 1000, not 1"),
        (["--whole", "3"], "whole takes no value"),
        (["--json", "cpu.txt"], "json must end in .json, not 'cpu.txt'"),
        (["--stesp", "3"], "did you mean steps?"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_timed(
    run_bench, elsewhere, tmp_path, words, message
):
    status, out, err = run_bench(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert elsewhere == []
    assert list(tmp_path.iterdir()) == []
