"""What a convolution takes over from the operations that follow it."""

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist.fast_fit import convolutions
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


def fold(function, *inputs):
    module = make_fx(function)(*inputs)
    convolutions.fold_affine(module.graph)
    module.recompile()
    return module, [str(node.target) for node in module.graph.nodes]


def test_bias_and_batch_norm_become_weights_of_a_convolution():
    images, weight = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3)
    bias, mean, scale = torch.randn(3, 4, 1, 1).unsqueeze(1)

    def net(images, weight, bias, mean, scale):
        return ((torch.conv2d(images, weight) + bias - mean) * scale).relu()

    module, _ = fold(net, images, weight, bias, mean, scale)
    (relu,) = (n for n in module.graph.nodes if n.target is torch.ops.aten.relu.default)
    assert relu.args[0].target is torch.ops.aten.convolution.default
    given = images, weight, bias, mean, scale
    torch.testing.assert_close(module(*given), net(*given), rtol=1e-4, atol=1e-5)


def test_what_reads_the_map_before_the_bias_keeps_it():
    images, weight, bias = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3), torch.randn(4, 1, 1)

    def net(images, weight, bias):
        maps = torch.conv2d(images, weight)
        return maps + bias, maps.sum()

    module, targets = fold(net, images, weight, bias)
    assert "aten.add.Tensor" in targets
    for ours, torchs in zip(module(images, weight, bias), net(images, weight, bias), strict=True):
        assert torch.equal(ours, torchs)


def test_a_transposed_convolution_takes_factors_and_leaves_the_bias():
    maps, weight = torch.randn(2, 3, 4, 4), torch.randn(3, 4, 3, 3)
    bias, scale = torch.randn(2, 1, 4, 1, 1)

    def net(maps, weight, bias, scale):
        return (torch.conv_transpose2d(maps, weight, stride=2) + bias) * scale

    module, _ = fold(net, maps, weight, bias, scale)
    (whole,) = (n for n in module.graph.nodes if n.target is torch.ops.aten.convolution.default)
    assert whole.args[2] is None
    given = maps, weight, bias, scale
    torch.testing.assert_close(module(*given), net(*given), rtol=1e-4, atol=1e-5)


def test_what_is_added_along_the_depth_of_a_volume_is_no_bias():
    """The depth has as many numbers as there are channels."""
    images, weight, shift = torch.randn(2, 2, 4, 6, 6), torch.randn(4, 2, 1, 1, 1), torch.randn(4)

    def net(images, weight, shift):
        return torch.conv3d(images, weight) - shift.view(1, 1, 4, 1, 1)

    module, _ = fold(net, images, weight, shift)
    assert torch.equal(module(images, weight, shift), net(images, weight, shift))
