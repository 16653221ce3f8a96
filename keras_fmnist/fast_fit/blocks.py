"""The layers that most convolutional nets begin with, found in a graph.

Convolution, batch norm or not, ReLU or not, dropout or not, max pooling without overlap; and the
same way back, where there is one.
"""

import dataclasses
import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch

from keras_fmnist.fast_fit import masks
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


@dataclasses.dataclass
class Block:
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


def find_blocks(graph: torch.fx.Graph) -> Iterator[Block]:
    """The blocks of a graph whose convolution has stride 1, no padding and float32 numbers.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata; while the blocks
            are gone through, they may be replaced.
    """
    for node in list(graph.nodes):
        if node.target is not aten.convolution.default or node.meta["val"].ndim != 4:
            continue
        is_plain = list(node.args[3:]) == [[1, 1], [0, 0], [1, 1], False, [0, 0], 1]
        if not is_plain or node.meta["val"].dtype is not torch.float32:
            continue
        block = Block(node)
        if (
            _match_forward(block)
            and _match_backward(block)
            and are_closed(block.inner, block.boundary)
        ):
            yield block


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
    return (sums_all and last is not None) and last.args[:3] == (end, *block.convolution.args[:2])


def call(
    graph: torch.fx.Graph, place: Node, function: Callable, arguments: tuple, count: int = 0
) -> Any:
    """Put a call before `place`: its node, or the nodes of its `count` results."""
    with graph.inserting_before(place):
        node = graph.call_function(function, arguments)
        results = [graph.call_function(operator.getitem, (node, i)) for i in range(count)]
    return results if count else node


def give(node: Node, values: dict[int, Node]) -> None:
    """Put other nodes in the place of the results of a call."""
    for index, value in values.items():
        result = item(node, index)
        if result is not None:
            value.meta = dict(result.meta)  # its strides may be others
            result.replace_all_uses_with(value)


def remove(graph: torch.fx.Graph, block: Block) -> None:
    """Take out the nodes of a block whose results have been given another way."""
    taken = [node for node in block.boundary if node is not None]
    erase(graph, [*block.inner, *taken, *(user for node in taken for user in node.users)])
