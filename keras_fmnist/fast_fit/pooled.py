"""Convolution, ReLU, dropout and max pooling: less of it, and on a quarter of the numbers."""

import torch

from keras_fmnist.fast_fit.blocks import Block, call, find_blocks, give, remove
from keras_fmnist.fast_fit.patterns import aten, item, shape


def pool_first(graph: torch.fx.Graph) -> None:
    """Take ReLU and dropout's scale of the maxima alone, and compute only what is pooled.

    Both keep the order of numbers. Behind a ReLU, the way back needs no mask: what was dropped is
    zero. Rows and columns that the windows leave out are not computed, nor are masks drawn there.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for block in find_blocks(graph):
        has_dropout = block.scaled_mask is not None
        if block.norm is None and (block.relu is not None or not has_dropout):
            _replace(graph, block)


def _replace(graph, block):
    images, weight, bias = block.convolution.args[:3]
    place, settings = block.pool, block.convolution.args[3:]
    left_out = [
        side % step for side, step in zip(shape(block.convolution)[2:], block.window, strict=True)
    ]
    if any(left_out):
        sides = shape(images)
        for axis, rest in enumerate(left_out, start=2):
            given = (images, axis, 0, sides[axis] - rest)
            images = call(graph, place, aten.slice.Tensor, given)
        with graph.inserting_before(place):
            order = {"memory_format": torch.channels_last}
            images = graph.call_function(aten.contiguous.default, (images,), order)
    maps = call(graph, place, aten.convolution.default, (images, weight, bias, *settings))
    if block.scaled_mask is not None:
        fresh = call(graph, place, aten.empty_like.default, (maps,))
        drawn = call(graph, place, block.scaled_mask.args[0].target, (fresh, block.keep))
        maps = call(graph, place, aten.mul.Tensor, (maps, drawn))
    pool_settings = block.pool.args[1:]
    pooling = aten.max_pool2d_with_indices.default
    largest, indices = call(graph, place, pooling, (maps, *pool_settings), 2)
    pooled = largest
    if block.relu is not None:
        pooled = call(graph, place, aten.relu.default, (pooled,))
    if block.scaled_mask is not None:
        pooled = call(graph, place, aten.mul.Tensor, (pooled, 1 / block.keep))
    give(block.pool, {0: pooled})
    if block.pool_backward is not None:
        _replace_backward(graph, block, (images, maps, largest, indices), left_out)
    remove(graph, block)


def _replace_backward(graph, block: Block, values, left_out):
    images, maps, largest, indices = values
    place, back = block.pool_backward, block.convolution_backward
    gradient, _, *pool_settings, _ = place.args
    if block.relu is not None:
        backward = aten.threshold_backward.default
        gradient = call(graph, place, backward, (gradient, largest, 0))
    if block.scaled_mask is not None:
        gradient = call(graph, place, aten.mul.Tensor, (gradient, 1 / block.keep))
    gradient = call(graph, place, place.target, (gradient, maps, *pool_settings, indices))
    if block.bias_gradient is not None:
        sums = call(graph, place, aten.sum.dim_IntList, (gradient, *block.bias_gradient.args[1:]))
        block.bias_gradient.replace_all_uses_with(sums)
    given = (gradient, images, *back.args[2:])
    by_images, by_weight, by_bias = call(graph, back, back.target, given, 3)
    if any(left_out) and item(back, 0) is not None:
        rows, cols = left_out
        pads = (by_images, [0, cols, 0, rows], 0.0)
        by_images = call(graph, back, aten.constant_pad_nd.default, pads)
    give(back, {0: by_images, 1: by_weight, 2: by_bias})
