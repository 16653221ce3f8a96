"""bench: every experiment, every variant in a process of its own, printed and in a file."""

import json

import pytest
import torch

from experiments.__main__ import CATALOGUE
from keras_fmnist import backends
from keras_fmnist.cli.commands.bench import format_summary
from keras_fmnist.pytorch import benchmark, turns


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


def make_up_times(kind, names, spec, dataset, *, steps, rounds, progress):
    """Of two variants; a run's epoch takes ten times as long."""
    assert {"ours", "stock", "native", "native_tuned", "jax"} <= names.keys()
    assert names["jax"] == ("jax", "stock")
    assert names["ours"] == ("torch", "ours")
    factor = {"steps": 1, "runs": 10}[kind]
    return {"ours": [0.002 * factor] * rounds, "stock": [0.003 * factor] * rounds}


@pytest.fixture
def run_bench(monkeypatch, run_command):
    """`run_bench(*words)`: `run_command` of `bench`; times are made up."""
    monkeypatch.setattr(backends, "list_installed", lambda: ["torch", "jax"])
    monkeypatch.setattr(turns, "measure", make_up_times)
    return lambda *words: run_command("bench", *words)


def test_the_file_holds_machine_versions_and_every_experiment(run_bench, tmp_path):
    experiments = ("mansilla/base", "mansilla/classifier_full")
    line = (*experiments, "--steps", "2", "--rounds", "2", "--json", "deep/cpu.json")
    status, out, err = run_bench(*line)
    assert status == 0, err
    content = json.loads((tmp_path / "deep/cpu.json").read_text())
    assert content.keys() == {"machine", "versions", "backend", "experiments"}
    assert content["backend"] == "torch"
    assert {"processor", "cores", "system", "kernels", "threads"} == content["machine"].keys()
    assert content["machine"]["kernels"] == torch.backends.cpu.get_cpu_capability()
    assert {"python", "keras", "torch", "numpy"} <= content["versions"].keys()
    assert content["experiments"] == {
        name: {
            "ms_per_step": {"ours": 2.0, "stock": 3.0},
            "ratios": {"stock_over_ours": 1.5},
            "quartiles": {"stock_over_ours": [1.5, 1.5, 1.5]},
            "rounds": 2,
        }
        for name in experiments
    }
    assert out.splitlines()[0] == "mansilla/base, steps"


def test_the_published_file_has_this_form(run_bench, tmp_path):
    """Five experiments where none is named; runs, growth and memory where they are asked for."""
    growth, memory = {"ms_per_image": {"10": {"ours": 1.0}}}, {"ours": 300}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "growth", lambda spec, dataset, rounds: growth)
        patch.setattr(benchmark, "peak_memory", lambda spec, dataset: memory)
        assert run_bench("--whole", "--growth", "--json", "cpu.json")[0] == 0
    content = json.loads((tmp_path / "cpu.json").read_text())
    assert list(content["experiments"]) == [spec.id for spec in CATALOGUE.benched]
    assert len(CATALOGUE.benched) == 5
    assert (content["growth"], content["peak_memory_mib"]) == (growth, memory)
    assert content["runs"].keys() == content["experiments"].keys()
    assert content["runs"]["mansilla/base"]["ms_per_step"] == {"ours": 20.0, "stock": 30.0}


def test_a_file_of_the_same_machine_is_added_to_and_another_s_is_left_alone(run_bench, tmp_path):
    for name in ("mansilla/base", "mansilla/sgd"):
        assert run_bench(name, "--json", "cpu.json")[0] == 0
    content = json.loads((tmp_path / "cpu.json").read_text())
    assert list(content["experiments"]) == ["mansilla/base", "mansilla/sgd"]
    content["machine"]["processor"] = "another one"
    (tmp_path / "cpu.json").write_text(json.dumps(content))
    status, out, err = run_bench("mansilla/base", "--json", "cpu.json")
    assert (status, out) == (2, "")
    assert err.endswith("cpu.json has another machine than this one: choose another file\n")
    assert json.loads((tmp_path / "cpu.json").read_text()) == content


def test_no_file_is_written_where_none_is_asked_for(run_bench, tmp_path):
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
        (["--growth", "3"], "growth takes no value"),
        (["--json", "cpu.txt"], "json must end in .json, not 'cpu.txt'"),
        (["--stesp", "3"], "did you mean steps?"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_timed(run_bench, tmp_path, words, message):
    status, out, err = run_bench(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
