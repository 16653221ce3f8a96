"""The native net that an expert has tuned."""

import keras
import pytest
import torch

from experiments import mansilla
from keras_fmnist.pytorch import from_spec, tuned

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="ours is faster on torch alone"
)

BASE = mansilla.BASE


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
