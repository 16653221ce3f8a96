"""Transposed convolutions: crops become padding, and few outputs are added up tap by tap."""

import math
from collections.abc import Sequence

import torch

from keras_fmnist.fast_fit.patterns import argument, aten, erase, only_user, shape

# Numbers that an input adds to, up to which adding them up was faster than torch's kernels.
_MOST_OUTPUTS = 64
# Numbers of the products that are worked on at once: 1 MiB.
_PIECE = 1 << 18


def add_up_few_outputs(graph: torch.fx.Graph) -> None:
    """Compute transposed convolutions to few numbers as one matrix product and a sum of views.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for node in graph.nodes:
        if node.target is not aten.convolution.default or not node.args[6]:
            continue
        _, weight, _, _, _, dilation, _, _, groups = node.args
        is_small = has_few_outputs(shape(weight)) and len(shape(node)) == 4
        if is_small and dilation == [1, 1] and groups == 1:
            node.target = add_up
            node.args = (*node.args[:5], node.args[7])


def has_few_outputs(weight: Sequence[int]) -> bool:
    """Tell whether `add_up` is faster than torch's kernel.

    Args:
        weight: the transposed convolution's (channels, outputs, rows, columns).
    """
    return math.prod(weight[1:]) <= _MOST_OUTPUTS


def add_up(
    maps: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: list[int],
    padding: list[int],
    output_padding: list[int],
) -> torch.Tensor:
    """What `torch.conv_transpose2d` gives, as fast as its few outputs can be written.

    Args:
        maps: `(n, channels, height, width)`.
        weight: `(channels, outputs, rows, columns)`.
        bias: `(outputs,)`, or None.
        stride: of rows and of columns.
        padding: of rows and of columns.
        output_padding: of rows and of columns.
    """
    n, channels, height, width = maps.shape
    _, outputs, rows, cols = weight.shape
    reach = [
        (side - 1) * step + kernel + extra
        for side, step, kernel, extra in zip(
            (height, width), stride, (rows, cols), output_padding, strict=True
        )
    ]
    sums = maps.new_zeros(outputs, n, *reach)
    by_tap = weight.reshape(channels, -1).t()
    at_once = max(1, _PIECE // (len(by_tap) * height * width))
    for part, out in zip(maps.split(at_once), sums.split(at_once, dim=1), strict=True):
        vectors = part.permute(0, 2, 3, 1).reshape(-1, channels)
        products = (by_tap @ vectors.t()).view(outputs, rows, cols, len(part), height, width)
        for i in range(rows):
            down = slice(i, i + (height - 1) * stride[0] + 1, stride[0])
            for j in range(cols):
                across = slice(j, j + (width - 1) * stride[1] + 1, stride[1])
                out[:, :, down, across].add_(products[:, i, j])
    (top, left), (bottom, right) = padding, (reach[0] - padding[0], reach[1] - padding[1])
    cropped = sums[:, :, top:bottom, left:right].transpose(0, 1)
    return cropped.contiguous() if bias is None else cropped + bias.view(1, -1, 1, 1)


def absorb_crops(graph: torch.fx.Graph) -> None:
    """Make crops and zeros after a transposed convolution its padding and output padding.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for node in list(graph.nodes):
        if node.target is aten.convolution.default and node.args[6] and len(shape(node)) == 4:
            _absorb_forward(graph, node)
        if node.target is aten.convolution_backward.default and node.args[7]:
            _absorb_backward(graph, node)


def _absorb_forward(graph, node):
    _, _, bias, stride, padding, _, _, output_padding, _ = node.args
    sides = shape(node)[2:]
    zeros = _find_zeros(sides, padding, output_padding, bias is not None)
    kept = [(0, side) for side in sides]
    end, passed = node, []
    while (step := only_user(end)) is not None and (cut := _cut(step)) is not None:
        if (narrowed := _narrow(kept, cut, zeros)) is None:
            break
        kept, end = narrowed, step
        passed.append(step)
    settings = _with_crop(padding, output_padding, stride, sides, kept)
    if not passed or settings is None:
        return
    args = list(node.args)
    args[4], args[7] = settings
    with graph.inserting_before(end):
        whole = graph.call_function(node.target, tuple(args))
    whole.meta = dict(end.meta)
    end.replace_all_uses_with(whole)
    erase(graph, [node, *passed])


def _absorb_backward(graph, node):
    stride, padding, output_padding = node.args[4], node.args[5], node.args[8]
    start, sides = node.args[0], shape(node.args[0])[2:]
    _, _, with_bias = node.args[-1]
    zeros = _find_zeros(sides, padding, output_padding, with_bias)
    kept = [(0, side) for side in sides]
    while (cut := _uncut(start)) is not None:
        if (narrowed := _narrow(kept, cut, zeros)) is None:
            break
        kept, start = narrowed, start.args[0]
    settings = _with_crop(padding, output_padding, stride, sides, kept)
    if start is node.args[0] or settings is None:
        return
    args = list(node.args)
    args[0], args[5], args[8] = start, *settings
    node.args = tuple(args)
    graph.eliminate_dead_code()


def _find_zeros(sides, padding, output_padding, with_bias):
    """The first row and the first column from which on there are no products, and no bias."""
    if with_bias:
        return [math.inf] * len(sides)
    return [side + p - extra for side, p, extra in zip(sides, padding, output_padding, strict=True)]


def _narrow(kept, cut, zeros):
    """What of the map is left after one more cut; None if zeros come where products are."""
    found = []
    for (first, end), (start, stop), zero in zip(kept, cut, zeros, strict=True):
        if start < 0 or (first + stop > end and end < zero):
            return None
        found.append((first + start, first + stop))
    return found


def _with_crop(padding, output_padding, stride, sides, kept):
    """Padding and output padding that give the positions `kept` of those there are, or None."""
    found = []
    for p, extra, step, side, (first, end) in zip(
        padding, output_padding, stride, sides, kept, strict=True
    ):
        more = end - side + first  # what is kept after the end that padding leaves
        if first < 0 or not 0 <= extra + more < step:
            return None
        found.append((p + first, extra + more))
    return [p for p, _ in found], [extra for _, extra in found]


def _cut(node):
    """[(first, end), …] of rows and columns that a crop keeps, zeros after the end included."""
    source = node.args[0] if node.args else None
    if node.target is aten.slice.Tensor:
        axis, first, end, step = (argument(node, i) for i in range(1, 5))
        if axis not in (2, 3) or step != 1:
            return None
        sides = shape(source)[2:]
        whole = [(0, side) for side in sides]
        whole[axis - 2] = (first, min(end, sides[axis - 2]))
        return whole
    if node.target is aten.constant_pad_nd.default and len(node.args[1]) == 4:
        left, right, top, bottom = node.args[1]
        zeros = len(node.args) < 3 or node.args[2] == 0
        height, width = shape(source)[2:]
        return [(-top, height + bottom), (-left, width + right)] if zeros else None
    return None


def _uncut(node):
    """The same of what puts a crop's gradient back into its place."""
    if node.target is aten.slice_backward.default:
        _, sides, axis, first, end, step = node.args
        if axis not in (2, 3) or step != 1:
            return None
        whole = [(0, side) for side in sides[2:]]
        whole[axis - 2] = (first, min(end, sides[axis]))
        return whole
    if node.target is aten.constant_pad_nd.default and len(node.args[1]) == 4:
        left, right, top, bottom = (-width for width in node.args[1])
        height, width = shape(node)[2:]
        return [(-top, height + bottom), (-left, width + right)]
    return None
