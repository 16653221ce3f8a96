"""What a step costs: the variants that run here, and the ratios that follow from seconds."""

import keras
import pytest
import torch

from experiments import mansilla
from keras_fmnist.pytorch import benchmark

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="ours is faster on torch alone"
)


BASE, FULL = mansilla.BASE, mansilla.CLASSIFIER_FULL


HERE = {"native", "dataloader", "compile", "stock", "ours"} | (
    {"cudagraph"} if torch.cuda.is_available() else {"native_tuned"}
)


@pytest.mark.parametrize("spec", [BASE, FULL], ids=lambda spec: spec.name)
def test_every_variant_is_timed_in_every_round_but_the_first(dataset, tiny, spec):
    seen = []

    def progress(rounds):
        for number in rounds:
            seen.append(number)
            yield number

    taken = benchmark.measure(tiny(spec), dataset, steps=2, rounds=3, progress=progress)
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
    monkeypatch.setattr(benchmark, "variants", lambda spec, dataset, steps: builders)
    taken = benchmark.measure(BASE, dataset, steps=4, rounds=2)
    assert turns == ["ours", "stock"] * 3
    assert taken == {"ours": [1.0, 2.0], "stock": [1.5, 3.0]}


def test_what_cannot_be_compiled_here_is_left_out(monkeypatch, dataset):
    def fail():
        raise torch._dynamo.exc.BackendCompilerFailed(lambda: None, RuntimeError("no g++"), None)

    builders = {"compile": lambda: fail, "ours": lambda: lambda: 1.0}
    monkeypatch.setattr(benchmark, "variants", lambda spec, dataset, steps: builders)
    assert benchmark.measure(BASE, dataset, steps=1, rounds=2) == {"ours": [1.0, 1.0]}


def test_a_variant_trains_the_steps_it_is_asked_for(monkeypatch, dataset, tiny):
    batches = []
    step = torch.optim.Adam.step

    def count(self, *args, **kwargs):
        batches.append(1)
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", count)
    for name in ("native", "dataloader", "compile", "native_tuned"):
        batches.clear()
        benchmark.variants(tiny(BASE), dataset, 2)[name]()()
        assert len(batches) == 2, name


def test_ratios_are_medians_of_ratios_within_a_round():
    # Another process slows the second round tenfold: no ratio may show it.
    summary = benchmark.summarize(
        {"ours": [0.001, 0.010, 0.002], "stock": [0.002, 0.020, 0.004], "native": [0.003, 0.01, 1]}
    )
    assert summary["ms_per_step"] == {"ours": 2.0, "stock": 4.0, "native": 10.0}
    assert summary["ratios"] == {"stock_over_ours": 2.0, "native_over_ours": 3.0}
    assert summary["quartiles"]["stock_over_ours"] == [2.0, 2.0, 2.0]
    low, median, high = summary["quartiles"]["native_over_ours"]
    assert low == 1.0  # of 1, 3 and 500
    assert (median, high) == (3.0, 500.0)


def test_where_ours_does_not_run_stock_is_the_measure():
    summary = benchmark.summarize({"stock": [0.002, 0.002], "native": [0.001, 0.001]})
    assert summary["ratios"] == {"native_over_stock": 0.5}


def test_growth_is_told_an_image_over_batches_and_an_epoch_over_images(monkeypatch, dataset):
    asked = []

    def measure(spec, dataset, *, steps, rounds):
        asked.append((spec.batch_size, steps))
        return {"ours": [0.001 * spec.batch_size, 0.001 * spec.batch_size]}

    monkeypatch.setattr(benchmark, "measure", measure)
    found = benchmark.growth(BASE, dataset, rounds=2)
    assert asked == [(10, 300), (100, 30), (1000, 3), (100, 60), (100, 600)]
    assert found["ms_per_image"] == {size: {"ours": 1.0} for size in ("10", "100", "1000")}
    assert found["seconds_per_epoch"] == {"6000": {"ours": 6.0}, "60000": {"ours": 60.0}}


def test_the_memory_of_a_variant_is_that_of_a_process_in_which_no_other_was_built(
    monkeypatch, dataset
):
    built = []

    def builder(name):
        return lambda: built.append(name) or (lambda: built.append(f"{name} ran"))

    builders = {name: builder(name) for name in ("native", "ours")}
    monkeypatch.setattr(benchmark, "variants", lambda spec, dataset, steps: builders)
    assert benchmark._own_peak_memory(BASE, "ours", dataset) > 50
    assert built == ["ours", "ours ran"]
