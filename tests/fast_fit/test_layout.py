"""Channels last, and what is written down about values."""

import warnings

import keras
import numpy as np
import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import layout, masks, runnable
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


def net(images, weight):
    maps = torch.conv2d(images, weight).relu()
    return maps, maps.view(2, -1) * 2


def test_maps_are_channels_last_behind_a_convolution_and_views_still_hold():
    images, weight = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3)
    module = make_fx(net)(images, weight)
    layout.prefer_channels_last(module.graph)
    layout.describe(module, [images, weight])
    module.recompile()
    maps, doubled = module(images, weight)
    assert maps.is_contiguous(memory_format=torch.channels_last)
    for ours, torchs in zip((maps, doubled), net(images, weight), strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-5)
    (relu,) = (n for n in module.graph.nodes if n.target is torch.ops.aten.relu.default)
    assert relu.meta["val"].stride() == maps.stride()


def test_describing_draws_nothing():
    graph = torch.fx.Graph()
    lanes = graph.call_function(masks.draw_lanes, (6,))
    zeros = graph.call_function(torch.zeros, (4,))
    mask = graph.call_function(masks.draw_fast_mask_, (zeros, 0.5))
    graph.output([lanes, mask])
    module = torch.fx.GraphModule(torch.nn.Module(), graph)
    before = torch.get_rng_state()
    layout.describe(module, [])
    assert torch.equal(torch.get_rng_state(), before)
    assert lanes.meta["val"].dtype is torch.int16
    assert mask.meta["val"].shape == (4,)


def pooled(maps, kernel):
    """What Keras has torch compute for channels last: copies around a pooling, and its gradient."""
    first = maps.relu().permute(0, 3, 1, 2)
    pool = torch.ops.aten.max_pool2d_with_indices
    values, indices = pool(first.clone(memory_format=torch.contiguous_format), [2, 2], [2, 2])
    last = values.clone(memory_format=torch.channels_last)
    flat = first.clone(memory_format=torch.contiguous_format).reshape(2, -1)
    kernel = kernel.permute(3, 2, 0, 1).clone(memory_format=torch.channels_last)
    back = torch.ops.aten.max_pool2d_with_indices_backward(
        values, first, [2, 2], [2, 2], [0, 0], [1, 1], False, indices
    )
    return last, flat, kernel, back


def test_copies_around_a_pooling_of_maps_that_are_channels_last_are_left_out():
    inputs = [torch.randn(2, 8, 8, 3), torch.randn(3, 3, 3, 4)]
    module = make_fx(pooled)(*inputs)
    before = [n.name for n in module.graph.nodes if n.target is torch.ops.aten.clone.default]
    assert len(before) == 4
    layout.drop_copies(module, inputs)
    module.recompile()
    left = [n for n in module.graph.nodes if n.target is torch.ops.aten.clone.default]
    # The one that is flattened needs its order, and a variable's outlives its update.
    assert [n.name for n in left] == before[2:]
    last, *others = module(*inputs)
    assert last.is_contiguous(memory_format=torch.channels_last)
    for ours, torchs in zip((last, *others), pooled(*inputs), strict=True):
        assert torch.equal(ours, torchs)
    pools = [n for n in module.graph.nodes if "max_pool2d" in str(n.target)]
    assert all(n.args[0].meta["val"].shape[1] == 3 for n in pools)


def test_a_copy_that_is_written_into_is_kept():
    def step(maps):
        maps = (maps * 2).permute(0, 3, 1, 2)
        copy = maps.clone(memory_format=torch.channels_last)
        copy.add_(1)
        return maps * copy

    maps = torch.randn(2, 8, 8, 3)
    module = make_fx(step)(maps)
    layout.drop_copies(module, [maps])
    module.recompile()
    assert torch.equal(module(maps), step(maps))


def test_a_keras_net_has_its_maps_pooled_without_a_copy(traced_graphs):
    """As every net is by default: channels last."""
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    model.compile("sgd", "mse")
    fast_fit.accelerate(model)
    model.train_on_batch(torch.randn(5, 12, 12, 1), torch.randn(5, 3))
    (graph,) = traced_graphs
    pools = [n for n in graph.nodes if n.target is torch.ops.aten.max_pool2d_with_indices.default]
    assert len(pools) == 2
    for pool in pools:
        assert pool.args[0].target is torch.ops.aten.permute.default
        assert pool.args[0].meta["val"].is_contiguous(memory_format=torch.channels_last)


def test_what_is_pooled_without_a_copy_may_be_flattened_in_any_order():
    """A map that is read channel by channel has to be copied behind the pooling instead."""

    def train(accelerate):
        keras.utils.set_random_seed(3)
        image = keras.Input((12, 12, 1))
        maps = keras.layers.Conv2D(4, 3, activation="relu")(image)
        pooled = keras.layers.MaxPooling2D()(maps)
        first = keras.layers.Flatten()(keras.layers.Permute((3, 1, 2))(pooled))
        last = keras.layers.Reshape((25, 4))(pooled)
        joined = keras.layers.Concatenate()([first, keras.layers.Flatten()(last)])
        model = keras.Model(image, keras.layers.Dense(3)(joined))
        model.compile("sgd", "mse")
        accelerate(model)
        x = np.random.default_rng(0).random((6, 12, 12, 1), dtype="float32")
        for _ in range(3):
            model.train_on_batch(x, x[:, 0, :3, 0])
        return [*model.get_weights(), model.predict(x, verbose=0)]

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*runs as stock Keras")
        replayed = train(fast_fit.accelerate)
    for ours, stock in zip(replayed, train(lambda model: model), strict=True):
        np.testing.assert_allclose(ours, stock, atol=1e-6)


@pytest.fixture
def traced_graphs(monkeypatch):
    """The graphs that are run, in the order in which they were traced."""
    found, make = [], runnable._rearrange

    def rearrange(module, inputs):
        make(module, inputs)
        found.append(module.graph)

    monkeypatch.setattr(runnable, "_rearrange", rearrange)
    return found
