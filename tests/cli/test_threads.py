"""A command takes as many threads as processors are free for it; none spins on a busy machine."""

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


@pytest.fixture
def nothing_said(monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nothing_said")
@pytest.mark.parametrize(("running", "looks"), [(1, "3000"), (2, "0"), (9, "0")])
def test_waiting_threads_sleep_at_once_where_other_processes_run(running, looks):
    told = f"0.5 0.4 0.3 {running}/345 6789"
    code = (
        "import builtins, io, os; there = builtins.open\n"
        f"told = lambda name, *rest: io.StringIO({told!r}) if name == '/proc/loadavg' else "
        "there(name, *rest)\n"
        "builtins.open = told; import keras_fmnist; print(os.environ['GOMP_SPINCOUNT'])"
    )
    assert run_python("-c", code).stdout == f"{looks}\n"


@pytest.mark.usefixtures("nothing_said")
@pytest.mark.parametrize(
    "said", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "7"}], ids=lambda said: str(said)
)
def test_how_threads_wait_is_left_to_whoever_has_said_so(said):
    code = "import keras_fmnist, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    assert run_python("-c", code, **said).stdout == f"{said.get('GOMP_SPINCOUNT')}\n"
