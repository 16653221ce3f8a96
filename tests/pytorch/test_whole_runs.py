"""An epoch of a whole run, on every side."""

import keras
import pytest
import torch

from experiments import mansilla
from keras_fmnist.pytorch import from_spec, whole_runs

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="ours is faster on torch alone"
)

BASE, FULL = mansilla.BASE, mansilla.CLASSIFIER_FULL


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
