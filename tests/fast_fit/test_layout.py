"""Channels last, and what is written down about values."""

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist.fast_fit import layout, masks
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
