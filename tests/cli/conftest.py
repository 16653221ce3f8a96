"""What the commands share."""

import functools

import pytest


@pytest.fixture
def run_mansilla(run_command):
    """`run_command` of `python -m experiments.mansilla`."""
    return functools.partial(run_command, report="mansilla")
