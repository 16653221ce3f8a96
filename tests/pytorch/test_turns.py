"""Variants that take turns across processes, whole runs, and the tuned native net."""

import importlib.util
import os

import keras
import pytest
import torch

from experiments import mansilla
from keras_fmnist.pytorch import from_spec, tuned, turns, whole_runs

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


@pytest.mark.parametrize("spec", [BASE, FULL], ids=lambda spec: spec.name)
def test_a_whole_run_s_epoch_trains_evaluates_and_saves_on_every_side(
    dataset, tiny, spec, monkeypatch
):
    saved, evaluated = [], []
    save, check = torch.save, whole_runs._evaluate
    monkeypatch.setattr(torch, "save", lambda *a: saved.append(a) or save(*a))
    monkeypatch.setattr(whole_runs, "_evaluate", lambda *a: evaluated.append(a) or check(*a))
    runs = whole_runs.variants(tiny(spec), dataset, 2)
    assert runs.keys() == {"stock", "ours", "native", "native_tuned"}
    assert 0 < runs["ours"]() < 60
    assert 0 < runs["native_tuned"]() < 60
    assert len(saved) == 2
    assert len(evaluated) == 4
    assert {len(call[1]) for call in evaluated} == {
        2 * tiny(spec).batch_size,
        max(1, 2 * tiny(spec).batch_size // 6),
    }


def test_a_native_run_measures_what_keras_does(dataset, tiny):
    net = from_spec.build(tiny(FULL))
    inputs, targets = whole_runs._tensors(dataset.test_images, dataset.test_labels, 0.0)
    loss, accuracy = whole_runs._evaluate(net, inputs, targets, from_spec.loss(FULL), True)
    with torch.no_grad():
        outputs = net.eval()(inputs)
    assert loss == pytest.approx(from_spec.loss(FULL)(outputs, targets).item(), rel=1e-5)
    assert accuracy == pytest.approx((outputs.argmax(1) == targets).float().mean().item())


def test_the_tuned_net_starts_as_the_plain_one_and_drops_at_its_rate(tiny):
    net = from_spec.build(tiny(BASE))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    images = torch.rand(8, 1, 28, 28)
    made = tuned.tune(net, images, images, torch.nn.functional.mse_loss, 4)
    drops = [m for m in made.modules() if isinstance(m, tuned.Dropout)]
    assert len(drops) == 5
    assert not [m for m in made.modules() if type(m) is torch.nn.Dropout]
    assert all(torch.equal(before[name], v) for name, v in made.state_dict().items())
    made.train()
    dropped = drops[0](torch.ones(200_000))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert dropped.max().item() == pytest.approx(1.25)
    optimizer = from_spec.optimizer(BASE, made)
    fused = tuned.fused_optimizer(optimizer)
    assert fused.defaults["fused"]
    assert fused.defaults["lr"] == optimizer.defaults["lr"]
