"""Where a graph has a convolution over few inputs and a max pooling, `patches` takes their place.

A layer on the images themselves, whose gradient nobody asks for: convolution, batch norm or not,
ReLU or not, dropout or not, max pooling without overlap; and the same way back.
"""

import dataclasses
import math
import operator

import torch

from keras_fmnist.fast_fit import masks, patch_norms, patches
from keras_fmnist.fast_fit.patterns import (
    Node,
    are_closed,
    argument,
    aten,
    erase,
    item,
    reader,
    shape,
)

# Numbers under a kernel up to which matrix products were faster than torch's convolutions.
_MOST_INPUTS = 32


@dataclasses.dataclass
class _Block:
    """The nodes from a convolution to its pooling, and those of the way back.

    `inner` are those that go, `boundary` those whose values are given another way.
    """

    convolution: Node
    norm: Node | None = None
    relu: Node | None = None
    scaled_mask: Node | None = None
    pool: Node | None = None
    pool_backward: Node | None = None
    norm_backward: Node | None = None
    bias_gradient: Node | None = None
    convolution_backward: Node | None = None
    inner: list[Node] = dataclasses.field(default_factory=list)
    boundary: list[Node | None] = dataclasses.field(default_factory=list)

    @property
    def keep(self) -> float:
        """The share that dropout keeps."""
        return self.scaled_mask.args[1] if self.scaled_mask is not None else 1.0

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns of a pooling window."""
        return tuple(self.pool.args[1])


def pool_few_inputs(graph: torch.fx.Graph) -> None:
    """Put `patches` in the place of every block that it can do; results differ by rounding.

    Dropout draws other masks, at the same rate. The gradient of a bias before a batch norm, zero
    but for rounding, is zero.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for node in list(graph.nodes):
        block = _match(node) if node.target is aten.convolution.default else None
        if block is not None:
            _replace(graph, block)


def _match(convolution):
    _, weight, _, *settings = convolution.args
    is_small = math.prod(shape(weight)[1:]) <= _MOST_INPUTS
    is_plain = settings == [[1, 1], [0, 0], [1, 1], False, [0, 0], 1]
    if not (is_small and is_plain and convolution.meta["val"].dtype is torch.float32):
        return None
    block = _Block(convolution)
    if _match_forward(block) and _match_backward(block) and are_closed(block.inner, block.boundary):
        return block
    return None


def _match_forward(block):
    end = block.convolution
    block.inner.append(end)
    norm = block.norm = reader(end, aten.native_batch_norm.default)
    if norm is not None:
        if norm.args[0] is not end or norm.args[3:7] != (None, None, True, 0.0):
            return False
        end = item(norm, 0)
        block.inner += [norm, end]
        block.boundary += [item(norm, 1), item(norm, 2)]
    block.relu = reader(end, aten.relu.default)
    if block.relu is not None:
        end = block.relu
        block.inner.append(end)
    product = reader(end, aten.mul.Tensor)
    if product is not None:
        if not _is_dropout(product, end):
            return False
        scaled = block.scaled_mask = product.args[1]
        end = product
        block.inner += [product, scaled, scaled.args[0], scaled.args[0].args[0]]
    pool = block.pool = reader(end, aten.max_pool2d_with_indices.default)
    if pool is None or not _is_plain_pooling(pool):
        return False
    block.inner.append(pool)
    block.boundary.append(item(pool, 0))
    # The statistics of a batch norm are those of every position, pooled or not.
    sides = shape(block.convolution)[2:]
    leaves_none_out = all(side % step == 0 for side, step in zip(sides, block.window, strict=True))
    return norm is None or leaves_none_out


def _is_dropout(product, source):
    """Whether a node multiplies `source` by a mask of its own that is drawn and scaled for it."""
    scaled = product.args[1]
    if product.args[0] is not source or getattr(scaled, "target", None) is not aten.div_.Scalar:
        return False
    drawn = scaled.args[0]
    return (
        drawn.target is masks.draw_fast_mask_
        and drawn.args[0].target is aten.empty_like.default
        and shape(drawn) == shape(source)
        and scaled.args[1] == drawn.args[1]
    )


def _is_plain_pooling(pool):
    window, stride, padding, dilation, ceil = (argument(pool, i) for i in range(1, 6))
    has_no_overlap = len(window) == 2 and list(stride) in ([], list(window))
    return has_no_overlap and not any(padding) and {*dilation} == {1} and not ceil


def _match_backward(block):
    indices = item(block.pool, 1)
    if indices is None or not indices.users:
        return True
    end = block.pool_backward = reader(indices, aten.max_pool2d_with_indices_backward.default)
    block.inner.append(indices)
    for target, operand in (
        (aten.mul.Tensor, block.scaled_mask),
        (aten.threshold_backward.default, block.relu),
    ):
        if operand is not None and end is not None:
            block.inner.append(end)
            end = reader(end, target)
            if end is None or end.args[1] is not operand:
                return False
    if end is not None and block.norm is not None:
        block.inner.append(end)
        back = block.norm_backward = reader(end, aten.native_batch_norm_backward.default)
        end = item(back, 0)
        if back is None or back.args[0] is not block.inner[-1]:
            return False
        block.inner.append(back)
        block.boundary += [item(back, 1), item(back, 2)]
    if end is None:
        return False
    block.inner.append(end)
    block.bias_gradient = reader(end, aten.sum.dim_IntList)
    last = block.convolution_backward = reader(end, aten.convolution_backward.default)
    block.boundary += [block.bias_gradient, last]
    sums_all = block.bias_gradient is None or block.bias_gradient.args[1:] == ([0, 2, 3], True)
    return (
        (sums_all and last is not None)
        and last.args[:3] == (end, *block.convolution.args[:2])
        and not last.args[-1][0]
    )


def _replace(graph, block):
    images, weight, bias = block.convolution.args[:3]
    plain_weight = weight
    if block.norm is not None:
        scale, offset, epsilon = (block.norm.args[i] for i in (1, 2, 7))
        given = (images, weight, bias, scale, offset, epsilon, block.window)
        results = _call(graph, block.norm, patch_norms.normalize_kernels, given, 6)
        weight, bias, mean, inverse, centre, slopes = results
        _give(block.norm, {1: mean, 2: inverse})
    settings = (block.window, block.keep, block.relu is not None)
    for_gradient = block.pool_backward is not None
    given = (images, weight, bias, *settings, for_gradient)
    pooled, *saved = _call(
        graph, block.pool, patches.pool_convolution, given, 4 if for_gradient else 1
    )
    _give(block.pool, {0: pooled})
    if for_gradient:
        start = block.pool_backward
        given = (start.args[0], *saved, weight, *settings)
        gradients = _call(graph, start, patches.pool_convolution_backward, given, 2)
        if block.norm is not None:
            given = (*gradients, plain_weight, scale, inverse, centre, slopes)
            back = _call(graph, start, patch_norms.normalize_kernels_backward, given, 3)
            _give(block.norm_backward, {1: back[1], 2: back[2]})
            gradients = back[0], None
        _give(block.convolution_backward, {1: gradients[0]})
        _give_bias_gradient(graph, block.bias_gradient, gradients[1])
    taken = [n for n in block.boundary if n is not None]
    erase(graph, [*block.inner, *taken, *(user for node in taken for user in node.users)])


def _call(graph, place, function, arguments, count):
    """Nodes of the `count` results of a call that is put before `place`."""
    with graph.inserting_before(place):
        call = graph.call_function(function, arguments)
        return [graph.call_function(operator.getitem, (call, i)) for i in range(count)]


def _give(node, values):
    """Put other nodes in the place of the results of a call."""
    for index, value in values.items():
        result = item(node, index)
        if result is not None:
            result.replace_all_uses_with(value)


def _give_bias_gradient(graph, node, gradient):
    if node is None:
        return
    with graph.inserting_before(node):
        if gradient is None:
            value = graph.call_function(torch.zeros, (shape(node),))
        else:
            value = graph.call_function(aten.view.default, (gradient, list(shape(node))))
    node.replace_all_uses_with(value)
