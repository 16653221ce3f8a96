"""What the commands share."""

import functools
import shlex
import shutil

import pytest


@pytest.fixture
def run_mansilla(run_command):
    """`run_command` of `python -m experiments.mansilla`."""
    return functools.partial(run_command, report="mansilla")


@pytest.fixture
def run_line(tmp_path, monkeypatch, run_command, studied):
    """`run_line(line)`: `run_command`, with the runs of `studied` as results."""
    monkeypatch.setenv("KERAS_FMNIST_CACHE", str(tmp_path / "cache"))
    (tmp_path / "results").symlink_to(studied)
    return lambda line: run_command(*shlex.split(line))


@pytest.fixture
def own_results(tmp_path, studied, run_line):
    """A copy of `studied` in the place of the link to it."""
    (tmp_path / "results").unlink()
    return shutil.copytree(studied, tmp_path / "results")
