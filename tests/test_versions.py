"""The versions that pyproject.toml promises are those that the suite has been run with."""

import itertools
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.helpers.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Of the extras, those that the suite on torch uses. Ruff and the browser's tools run no code of it.
TRIED = [*PROJECT["dependencies"], *EXTRAS["onnx"], *EXTRAS["tensorboard"], *EXTRAS["test"]]
NO_BOUND = {"ruff", "playwright", "axe-playwright-python"}


def read_pins(name):
    """`{package: version}` of a file of constraints."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pins.items()}


LOWEST, RESULTS = read_pins("constraints-lowest.txt"), read_pins("constraints.txt")


@pytest.mark.parametrize("text", TRIED)
def test_a_lower_bound_is_the_version_that_was_tried(text):
    wanted = Requirement(text)
    bounds = [Version(part.version) for part in wanted.specifier if part.operator == ">="]
    name = canonicalize_name(wanted.name)
    assert bounds == ([] if name in NO_BOUND else [LOWEST[name]])
    assert name not in LOWEST or LOWEST[name] <= RESULTS[name]


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *itertools.chain(*EXTRAS.values())])
def test_what_is_asked_for_is_among_the_versions_of_the_results(text):
    wanted = Requirement(text)
    assert RESULTS[canonicalize_name(wanted.name)] in wanted.specifier


def test_the_document_names_the_lowest_torch_and_keras():
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| lowest .*", text, re.M)
    for name in ("torch", "keras", "numpy"):
        assert f" {LOWEST[name]} " in row
