"""Variants that take turns across processes, whole runs, and the tuned native net."""

import importlib.util
import os

import keras
import pytest
import torch

from experiments import mansilla
from keras_fmnist.pytorch import turns

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="ours is faster on torch alone"
)

BASE, FULL = mansilla.BASE, mansilla.CLASSIFIER_FULL


@pytest.fixture(autouse=True)
def plain_compile(monkeypatch):
    """The inductor takes half a minute, and what it makes is not ours."""
    monkeypatch.setattr(torch, "compile", lambda net: net)


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


@pytest.mark.parametrize(("name", "expected"), [("ours", ("7", "ACTIVE")), ("native", None)])
def test_threads_of_others_wait_as_libgomp_has_it(monkeypatch, dataset, name, expected):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    seen = []

    class Process:
        def __init__(self, **_):
            pass

        def start(self):
            seen.append((os.environ["GOMP_SPINCOUNT"], os.environ.get("OMP_WAIT_POLICY")))

    monkeypatch.setattr(turns.multiprocessing.get_context("spawn"), "Process", Process)
    turns.Worker("torch", name, "steps", BASE, dataset, 1)
    assert seen == [expected or ("300000", None)]
    assert (os.environ["GOMP_SPINCOUNT"], os.environ["OMP_WAIT_POLICY"]) == ("7", "ACTIVE")
