"""What a step costs: the variants that run here, ratios that follow from seconds, and the file."""

import importlib.util
import json
import os

import keras
import pytest
import torch

from experiments import mansilla
from experiments.__main__ import CATALOGUE
from keras_fmnist import bench, cli, data, menu, rulers, tuned, turns, whole_runs

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="ours is faster on torch alone"
)
BASE, FULL = mansilla.BASE, mansilla.CLASSIFIER_FULL
HERE = {"native", "dataloader", "compile", "stock", "ours"} | (
    {"cudagraph"} if torch.cuda.is_available() else {"native_tuned"}
)


@pytest.fixture(autouse=True)
def plain_compile(monkeypatch):
    """The inductor takes half a minute, and what it makes is not ours."""
    monkeypatch.setattr(torch, "compile", lambda net: net)


@pytest.mark.parametrize("spec", [BASE, FULL], ids=lambda spec: spec.name)
def test_every_variant_is_timed_in_every_round_but_the_first(dataset, tiny, spec):
    seen = []

    def progress(rounds):
        for number in rounds:
            seen.append(number)
            yield number

    taken = bench.measure(tiny(spec), dataset, steps=2, rounds=3, progress=progress)
    assert taken.keys() == HERE
    assert seen == [0, 1, 2, 3]
    for seconds in taken.values():
        assert len(seconds) == 3
        assert min(seconds) > 0


def test_variants_take_turns_and_the_first_round_does_not_count(monkeypatch, dataset):
    turns = []

    def variant(name, costs):
        def run():
            turns.append(name)
            return costs.pop(0)

        return run

    runs = {"ours": variant("ours", [90.0, 4.0, 8.0]), "stock": variant("stock", [99.0, 6.0, 12.0])}
    builders = {name: lambda run=run: run for name, run in runs.items()}
    monkeypatch.setattr(bench, "variants", lambda spec, dataset, steps: builders)
    taken = bench.measure(BASE, dataset, steps=4, rounds=2)
    assert turns == ["ours", "stock"] * 3
    assert taken == {"ours": [1.0, 2.0], "stock": [1.5, 3.0]}


def test_what_cannot_be_compiled_here_is_left_out(monkeypatch, dataset):
    def fail():
        raise torch._dynamo.exc.BackendCompilerFailed(lambda: None, RuntimeError("no g++"), None)

    builders = {"compile": lambda: fail, "ours": lambda: lambda: 1.0}
    monkeypatch.setattr(bench, "variants", lambda spec, dataset, steps: builders)
    assert bench.measure(BASE, dataset, steps=1, rounds=2) == {"ours": [1.0, 1.0]}


def test_a_variant_trains_the_steps_it_is_asked_for(monkeypatch, dataset, tiny):
    batches = []
    step = torch.optim.Adam.step

    def count(self, *args, **kwargs):
        batches.append(1)
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", count)
    for name in ("native", "dataloader", "compile", "native_tuned"):
        batches.clear()
        bench.variants(tiny(BASE), dataset, 2)[name]()()
        assert len(batches) == 2, name


def test_ratios_are_medians_of_ratios_within_a_round():
    # Another process slows the second round tenfold: no ratio may show it.
    summary = bench.summarize(
        {"ours": [0.001, 0.010, 0.002], "stock": [0.002, 0.020, 0.004], "native": [0.003, 0.01, 1]}
    )
    assert summary["ms_per_step"] == {"ours": 2.0, "stock": 4.0, "native": 10.0}
    assert summary["ratios"] == {"stock_over_ours": 2.0, "native_over_ours": 3.0}
    assert summary["quartiles"]["stock_over_ours"] == [2.0, 2.0, 2.0]
    low, median, high = summary["quartiles"]["native_over_ours"]
    assert low == 1.0  # of 1, 3 and 500
    assert (median, high) == (3.0, 500.0)


def test_where_ours_does_not_run_stock_is_the_measure():
    summary = bench.summarize({"stock": [0.002, 0.002], "native": [0.001, 0.001]})
    assert summary["ratios"] == {"native_over_stock": 0.5}


def test_the_table_says_what_the_summary_holds():
    lines = bench.table(bench.summarize({"ours": [0.002, 0.002], "stock": [0.003, 0.003]}))
    assert [line.split() for line in lines] == [
        ["ours", "2.00", "ms", "a", "step"],
        ["stock", "3.00", "ms", "a", "step"],
        ["stock_over_ours", "1.50", "[1.50,", "1.50]"],
    ]


def test_growth_is_told_an_image_over_batches_and_an_epoch_over_images(monkeypatch, dataset):
    asked = []

    def measure(spec, dataset, *, steps, rounds):
        asked.append((spec.batch_size, steps))
        return {"ours": [0.001 * spec.batch_size, 0.001 * spec.batch_size]}

    monkeypatch.setattr(bench, "measure", measure)
    found = bench.growth(BASE, dataset, rounds=2)
    assert asked == [(10, 300), (100, 30), (1000, 3), (100, 60), (100, 600)]
    assert found["ms_per_image"] == {size: {"ours": 1.0} for size in ("10", "100", "1000")}
    assert found["seconds_per_epoch"] == {"6000": {"ours": 6.0}, "60000": {"ours": 60.0}}


# --- turns across processes, and whole runs ---


class Stub:
    """A worker that tells made-up seconds."""

    def __init__(self, name, turns, answers):
        self.name, self.turns, self.answers = name, turns, answers

    def turn(self):
        self.turns.append(self.name)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_workers_take_turns_and_one_that_fails_is_left_out():
    order, told = [], []
    workers = {
        "ours": Stub("ours", order, [9.0, 1.0, 2.0]),
        "broken": Stub("broken", order, [9.0, RuntimeError("no g++")]),
        "stock": Stub("stock", order, [9.0, 3.0, 4.0]),
    }
    taken = turns.take_turns(workers, 2, report=told.append)
    assert taken == {"ours": [1.0, 2.0], "stock": [3.0, 4.0]}
    assert order == ["ours", "broken", "stock"] * 2 + ["ours", "stock"]
    assert told == ["broken is left out: no g++"]


def test_each_variant_has_a_process_on_its_own_backend(dataset, tiny):
    """Real processes, one step each: ours on torch, stock Keras on another backend."""
    told = []
    other = next((b for b in ("jax", "tensorflow") if importlib.util.find_spec(b)), "torch")
    names = {"ours": ("torch", "ours"), other: (other, "stock"), "none": ("torch", "no variant")}
    settings = {"steps": 1, "rounds": 1, "report": told.append}
    taken = turns.measure("steps", names, tiny(BASE), dataset, **settings)
    assert taken.keys() == {"ours", other}
    assert all(0 < seconds < 60 for (seconds,) in taken.values())
    assert told == ["none is left out: KeyError: 'no variant'"]
    assert os.environ["KERAS_BACKEND"] == "torch"


@pytest.mark.parametrize("spec", [BASE, FULL], ids=lambda spec: spec.name)
def test_a_whole_run_s_epoch_trains_evaluates_and_saves_on_every_side(
    dataset, tiny, spec, monkeypatch
):
    saved, evaluated = [], []
    save, check = torch.save, whole_runs._evaluate
    monkeypatch.setattr(torch, "save", lambda *a: saved.append(a) or save(*a))
    monkeypatch.setattr(whole_runs, "_evaluate", lambda *a: evaluated.append(a) or check(*a))
    runs = whole_runs.variants(tiny(spec), dataset, 2)
    assert runs.keys() == {"stock", "ours", "native", "native_tuned"}
    assert 0 < runs["ours"]() < 60
    assert 0 < runs["native_tuned"]() < 60
    assert len(saved) == 2
    assert len(evaluated) == 4
    assert {len(call[1]) for call in evaluated} == {
        2 * tiny(spec).batch_size,
        max(1, 2 * tiny(spec).batch_size // 6),
    }


def test_a_native_run_measures_what_keras_does(dataset, tiny):
    net = bench.twin.build(tiny(FULL))
    inputs, targets = whole_runs._tensors(dataset.test_images, dataset.test_labels, 0.0)
    loss, accuracy = whole_runs._evaluate(net, inputs, targets, bench.twin.loss(FULL), True)
    with torch.no_grad():
        outputs = net.eval()(inputs)
    assert loss == pytest.approx(bench.twin.loss(FULL)(outputs, targets).item(), rel=1e-5)
    assert accuracy == pytest.approx((outputs.argmax(1) == targets).float().mean().item())


def test_the_tuned_net_starts_as_the_plain_one_and_drops_at_its_rate(tiny):
    net = bench.twin.build(tiny(BASE))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    images = torch.rand(8, 1, 28, 28)
    made = tuned.tune(net, images, images, torch.nn.functional.mse_loss, 4)
    drops = [m for m in made.modules() if isinstance(m, tuned.Dropout)]
    assert len(drops) == 5
    assert not [m for m in made.modules() if type(m) is torch.nn.Dropout]
    assert all(torch.equal(before[name], v) for name, v in made.state_dict().items())
    made.train()
    dropped = drops[0](torch.ones(200_000))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert dropped.max().item() == pytest.approx(1.25)
    optimizer = bench.twin.optimizer(BASE, made)
    fused = tuned.fused_optimizer(optimizer)
    assert fused.defaults["fused"]
    assert fused.defaults["lr"] == optimizer.defaults["lr"]


# --- the command ---


def made_up_times(kind, names, spec, dataset, *, steps, rounds, progress):
    """Of two variants; a run's epoch takes ten times as long."""
    assert {"ours", "stock", "native", "native_tuned", "jax"} <= names.keys()
    assert names["jax"] == ("jax", "stock")
    assert names["ours"] == ("torch", "ours")
    factor = {"steps": 1, "runs": 10}[kind]
    return {"ours": [0.002 * factor] * rounds, "stock": [0.003 * factor] * rounds}


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys, dataset):
    """`ask(*words)`: exit status, stdout and stderr of `keras-fmnist bench`; times are made up."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "load", lambda: dataset)
    monkeypatch.setattr(rulers.checks, "installed_backends", lambda: ["torch", "jax"])
    monkeypatch.setattr(turns, "measure", made_up_times)

    def call(*words):
        status = cli.main(menu.tool(CATALOGUE), "keras-fmnist", ["bench", *words])
        return status, *capsys.readouterr()

    return call


def test_the_file_holds_machine_versions_and_every_experiment(ask, tmp_path):
    experiments = ("mansilla/base", "mansilla/classifier_full")
    line = (*experiments, "--steps", "2", "--rounds", "2", "--json", "deep/cpu.json")
    status, out, err = ask(*line)
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
        }
        for name in experiments
    }
    assert out.splitlines()[0] == "mansilla/base, steps"


def test_the_published_file_has_this_form(ask, tmp_path):
    """Four experiments where none is named; with `--whole` also runs, growth and memory."""
    growth, memory = {"ms_per_image": {"10": {"ours": 1.0}}}, {"ours": 300}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "growth", lambda spec, dataset, rounds: growth)
        patch.setattr(bench, "peak_memory", lambda spec, dataset: memory)
        assert ask("--whole", "--json", "cpu.json")[0] == 0
    content = json.loads((tmp_path / "cpu.json").read_text())
    assert list(content["experiments"]) == [spec.id for spec in CATALOGUE.benched]
    assert len(CATALOGUE.benched) == 4
    assert (content["growth"], content["peak_memory_mib"]) == (growth, memory)
    assert content["runs"].keys() == content["experiments"].keys()
    assert content["runs"]["mansilla/base"]["ms_per_step"] == {"ours": 20.0, "stock": 30.0}


def test_the_memory_of_a_variant_is_that_of_a_process_in_which_no_other_was_built(
    monkeypatch, dataset
):
    built = []

    def builder(name):
        return lambda: built.append(name) or (lambda: built.append(f"{name} ran"))

    builders = {name: builder(name) for name in ("native", "ours")}
    monkeypatch.setattr(bench, "variants", lambda spec, dataset, steps: builders)
    assert bench._own_peak_memory(BASE, "ours", dataset) > 50
    assert built == ["ours", "ours ran"]


def test_no_file_is_written_where_none_is_asked_for(ask, tmp_path):
    assert ask("mansilla/base")[0] == 0
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
def test_a_wrong_request_is_refused_before_anything_is_timed(ask, tmp_path, words, message):
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
