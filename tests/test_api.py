"""The functions for notebooks: nothing is loaded before it is used, and the examples run."""

import importlib

import pytest

import keras_fmnist
from keras_fmnist.cli.notebook import nets, own_models, study
from tests.helpers.processes import run_python
from tests.helpers.repository import ROOT

LIGHT = """
import sys
import keras_fmnist

def loaded():
    return {"keras", "torch", "jax", "tensorflow", "matplotlib"} & sys.modules.keys()

assert not loaded()
assert {"train", "load_net", "inspect"} <= set(dir(keras_fmnist))
assert not loaded()
keras_fmnist.judge_claims(keras_fmnist.read_records())
keras_fmnist.list_experiments(), keras_fmnist.load_data
assert not loaded()
"""
EXAMPLES = """
import doctest, importlib, sys
import keras_fmnist

names = {"keras_fmnist": keras_fmnist}
modules = [f"keras_fmnist.cli.notebook.{name}" for name in ("study", "nets", "own_models")]
results = [doctest.testmod(importlib.import_module(name), extraglobs=names) for name in modules]
results.append(doctest.testfile(sys.argv[1], module_relative=False))
assert all(result.attempted > 3 for result in results)
sys.exit(sum(result.failed for result in results))
"""


def test_importing_the_package_loads_no_framework_nor_does_reading_the_study(tmp_path):
    found = run_python("-c", LIGHT, cwd=tmp_path)
    assert found.returncode == 0, found.stderr


@pytest.mark.data
def test_every_example_runs_from_another_folder(tmp_path):
    page = str(ROOT / "docs" / "api.md")
    found = run_python("-c", EXAMPLES, page, cwd=tmp_path, OMP_NUM_THREADS="1")
    assert found.returncode == 0, found.stdout + found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_each_name_leads_to_a_function_with_an_example_and_a_line_on_the_page():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| `")]
    for name in keras_fmnist.__all__:
        function = getattr(keras_fmnist, name)
        assert callable(function)
        assert sum(f"`{name}(" in line for line in table) == 1, name
        if function.__module__ in (study.__name__, nets.__name__, own_models.__name__):
            assert ">>>" in function.__doc__, name
    assert not set(keras_fmnist.__all__) & {path.stem for path in ROOT.glob("keras_fmnist/*")}


def test_a_name_that_is_not_there_is_an_attribute_error_and_submodules_are_found():
    with pytest.raises(AttributeError, match="'keras_fmnist' has no attribute 'trian'"):
        _ = keras_fmnist.trian
    assert importlib.import_module("keras_fmnist.data") is keras_fmnist.data
