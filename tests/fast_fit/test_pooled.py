"""Max pooling before ReLU and the scale of dropout."""

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import masks
from tests.helpers.convolutional_nets import FIRST, pooled
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


@pytest.mark.parametrize("relu", [True, False])
def test_dropout_before_a_second_pooling_is_that_of_torch(monkeypatch, relu):
    """A step with the masks that it drew, beside torch's own; the last row is left out."""
    drawn = []

    def draw(out, keep):
        masks.draw_fast_mask_(out, keep)
        if not isinstance(out, torch._subclasses.FakeTensor):
            drawn.append(out.clone())
        return out

    keras.utils.set_random_seed(0)
    x = keras.Input((4, 12, 12))
    middle = [layers.ReLU()] if relu else []
    y = pooled(layers.Conv2D(40, 2, **FIRST)(x), *middle, layers.Dropout(0.4), kernel=3)
    model = keras.Model(x, y)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    given = [torch.tensor(w.copy()).requires_grad_() for w in model.get_weights()]
    fast_fit.accelerate(model)
    images, targets = torch.randn(5, 4, 12, 12), torch.randn(5, 6, 4, 4)
    model.test_on_batch(images, targets)  # builds the metrics
    step = model.make_train_function()
    replay = step._replay_for((images, targets))
    module = replay._run.__self__
    for node in module.graph.nodes:
        if node.target is masks.draw_fast_mask_:
            node.target = draw
    module.recompile()
    with torch.no_grad():
        module(*replay._state, images, targets)
    maps = torch.conv2d(images, given[0].permute(3, 2, 0, 1), given[1])
    maps = torch.conv2d(maps, given[2].permute(3, 2, 0, 1), given[3])
    (mask,) = drawn
    assert mask.shape[2:] == ((8, 8) if relu else (9, 9))
    rows = mask.shape[2]
    maps = (maps.relu() if relu else maps)[:, :, :rows, :rows] * mask / 0.6
    loss = (torch.nn.functional.max_pool2d(maps, 2) - targets).square().mean()
    gradients = torch.autograd.grad(loss, given)
    for before, gradient, after in zip(given, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(before.detach() - gradient, after, rtol=1e-4, atol=1e-6)
