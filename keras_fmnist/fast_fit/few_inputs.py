"""Where a graph begins with a block over few inputs, `patches` takes its place.

That is a layer on the images themselves, whose gradient nobody asks for.
"""

import math

import torch

from keras_fmnist.fast_fit import masks, patch_norms, patches
from keras_fmnist.fast_fit.blocks import call, find_blocks, give, remove
from keras_fmnist.fast_fit.patterns import aten, item, shape

# Numbers under a kernel up to which matrix products were faster than torch's convolutions.
_MOST_INPUTS = 32


def pool_few_inputs(graph: torch.fx.Graph) -> None:
    """Put `patches` in the place of every block that it can do; results differ by rounding.

    Dropout draws other masks, at the same rate. The gradient of a bias before a batch norm, zero
    but for rounding, is zero.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for block in find_blocks(graph):
        weight, back = block.convolution.args[1], block.convolution_backward
        is_first = back is None or not back.args[-1][0]
        if is_first and math.prod(shape(weight)[1:]) <= _MOST_INPUTS:
            _replace(graph, block)


def _replace(graph, block):
    images, weight, bias = block.convolution.args[:3]
    plain_weight = weight
    if block.norm is not None:
        scale, offset, epsilon = (block.norm.args[i] for i in (1, 2, 7))
        given = (images, weight, bias, scale, offset, epsilon, block.window)
        results = call(graph, block.norm, patch_norms.normalize_kernels, given, 6)
        weight, bias, mean, inverse, centre, slopes = results
        give(block.norm, {1: mean, 2: inverse})
    settings = (block.keep, block.relu is not None)
    for_gradient = block.pool_backward is not None
    lanes = None
    if block.scaled_mask is not None:
        count = math.prod(block.window) * math.prod(shape(item(block.pool, 0)))
        lanes = call(graph, block.pool, masks.draw_lanes, (count,))
    given = (images, weight, bias, block.window, lanes, *settings, for_gradient)
    pooled, *saved = call(
        graph, block.pool, patches.pool_convolution, given, 4 if for_gradient else 1
    )
    give(block.pool, {0: pooled})
    if for_gradient:
        start = block.pool_backward
        given = (start.args[0], *saved, weight, block.window, *settings)
        gradients = call(graph, start, patches.pool_convolution_backward, given, 2)
        if block.norm is not None:
            given = (*gradients, plain_weight, scale, inverse, centre, slopes)
            back = call(graph, start, patch_norms.normalize_kernels_backward, given, 3)
            give(block.norm_backward, {1: back[1], 2: back[2]})
            gradients = back[0], None
        give(block.convolution_backward, {1: gradients[0]})
        _give_bias_gradient(graph, block.bias_gradient, gradients[1])
    remove(graph, block)


def _give_bias_gradient(graph, node, gradient):
    if node is None:
        return
    with graph.inserting_before(node):
        if gradient is None:
            dtype = {"dtype": node.meta["val"].dtype}
            value = graph.call_function(torch.zeros, (shape(node),), dtype)
        else:
            value = graph.call_function(aten.view.default, (gradient, list(shape(node))))
    node.replace_all_uses_with(value)
