"""Runs as processes of this machine: their threads, their logs and their end."""

import threading
import time

import pytest

from keras_fmnist.study import scheduler
from keras_fmnist.study.jobs import set_environment
from keras_fmnist.study.local import Local
from tests.helpers.runs import make_run
from tests.helpers.study import BACKEND, BASE


def test_a_run_has_one_thread_on_a_cpu_and_its_own_number_on_a_gpu(go, stand_in, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    go((BASE,), [0])
    (note,) = stand_in.noted("start")
    assert note["variables"]["OMP_NUM_THREADS"] == "1"
    assert note["variables"]["KERAS_BACKEND"] == BACKEND
    assert "OMP_NUM_THREADS" not in set_environment(make_run(BASE, device="gpu"))


def test_a_log_that_another_study_of_the_same_run_has_removed_is_no_failure(
    go, stand_in, monkeypatch
):
    def start_and_remove_log(self, job, start=Local.start):
        process = start(self, job)
        job.files.log.unlink()
        return process

    monkeypatch.setattr(Local, "start", start_and_remove_log)
    (job,) = go((BASE,))
    assert job.files.record.exists()


def test_an_interrupted_study_ends_its_runs(go, stand_in, tmp_path, monkeypatch):
    stand_in.seconds = 60

    def interrupt(seconds):
        if len(stand_in.noted("start")) == 2:
            assert len(stand_in.alive()) == 2
            raise KeyboardInterrupt
        threading.Event().wait(seconds)

    monkeypatch.setattr(scheduler.time, "sleep", interrupt)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        go((BASE,), range(4))
    assert time.monotonic() - started < 30
    assert stand_in.alive() == []
    assert len(stand_in.noted("start")) == 2
    assert not list((tmp_path / "out").rglob("*.json"))
