"""What docs/fast_fit.md says, against what was measured and what the code does."""

import json

from keras_fmnist.fast_fit import outlook, steps
from tests.helpers.benchmarks import load_benchmark
from tests.helpers.repository import ROOT

TEXT = (ROOT / "docs" / "fast_fit.md").read_text(encoding="utf-8")


def test_every_model_of_the_benchmark_is_measured():
    benchmark = load_benchmark("models")
    record = json.loads(benchmark.OUT.read_text(encoding="utf-8"))
    assert set(record["models"]) == set(benchmark.MODELS)
    native = {name for name, found in record["models"].items() if "native_over_ours" in found}
    assert native == set(benchmark.NATIVE)


def test_the_document_names_the_bounds_of_the_code():
    assert f"more than {steps._MOST_TRACES} shapes" in TEXT
    assert steps._SHAPES_TRACED_AT_ONCE == 4
    assert "The first four shapes are traced when they come" in TEXT
    few, many = outlook.STEPS_THAT_PAY[False], outlook.STEPS_THAT_PAY[True]
    assert f"sure to take {many} steps more" in TEXT
    assert f"sure to take {few} more and the first step had fewer than" in TEXT
    taken = [outlook._COSTS_TAKEN * outlook._COST[many] for many in (False, True)]
    assert f"after {taken[0]} stock steps, or {taken[1]} of {outlook.MANY_OPERATIONS} op" in TEXT
    assert steps._MORE_STEPS_EACH_TIME == 10
    assert "once ten steps were replayed since the last time, twenty, thirty" in TEXT
    assert steps._STEPS_PER_VERIFICATION == {"train": 100, "test": 200, "predict": 200}
    assert "up to a hundred, or two hundred without a backward pass" in TEXT
