"""A command takes no more threads than there are processors for it, and they do not spin."""

import os

import pytest

from keras_fmnist.cli import app
from keras_fmnist.records import provenance
from tests.helpers.processes import run_python


@pytest.mark.parametrize(
    ("set_before", "usable", "expected"),
    [(None, 2, "2"), (None, 8, None), ("5", 2, "5")],
)
def test_threads_follow_the_processors_that_are_free(monkeypatch, set_before, usable, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", set_before or "")
    if set_before is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(provenance, "usable_cores", lambda: usable)
    seen = []
    look = app.command(lambda: seen.append(os.environ.get("OMP_NUM_THREADS")), doc="Looks.")
    assert app.main({"look": look}, "name", ["look"]) == 0
    assert seen == [expected]


def test_threads_that_wait_do_not_spin_unless_somebody_has_said_so(monkeypatch):
    code = "import keras_fmnist, os; print(os.environ['OMP_WAIT_POLICY'])"
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert run_python("-c", code).stdout == "PASSIVE\n"
    assert run_python("-c", code, OMP_WAIT_POLICY="ACTIVE").stdout == "ACTIVE\n"
