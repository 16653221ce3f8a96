"""The layers that a net begins with, found in a graph."""

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist.fast_fit import blocks, rewrite
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


IMAGES, WEIGHT = torch.randn(2, 1, 8, 8), torch.randn(4, 1, 3, 3)


def find(function):
    def both_ways(images, weight):
        weight = weight.detach().requires_grad_()
        pooled = function(images, weight)
        return pooled.detach(), *torch.autograd.grad(pooled.sum(), weight)

    module = make_fx(both_ways)(IMAGES, WEIGHT)
    rewrite.clean(module)
    return list(blocks.find_blocks(module.graph))


def pool(maps):
    return torch.nn.functional.max_pool2d(maps, 2)


def test_a_block_reaches_to_the_pooling_and_back():
    (block,) = find(lambda x, w: pool(torch.conv2d(x, w).relu()))
    assert block.relu is not None
    assert block.norm is block.scaled_mask is None
    assert block.window == (2, 2)
    assert block.keep == 1
    assert block.convolution_backward.target is torch.ops.aten.convolution_backward.default


def test_another_reader_a_stride_or_an_overlap_makes_no_block():
    def read_twice(x, w):
        maps = torch.conv2d(x, w)
        return pool(maps.relu()) + maps.mean()

    assert find(read_twice) == []
    assert find(lambda x, w: pool(torch.conv2d(x, w, stride=2))) == []
    overlap = torch.nn.functional.max_pool2d
    assert find(lambda x, w: overlap(torch.conv2d(x, w), 3, 2)) == []
