"""Maps that are spread with zeros before a transposed convolution, computed without the zeros.

A transposed convolution with dilation equal to its stride leaves zeros between its positions (see
`models.layers`). After bias and ReLU these positions hold one number a channel, the same for every
image. So what the next transposed convolution makes of the spread map is what it makes, with a
larger stride, of the small map less that number, plus one image that no batch changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from keras_fmnist.fast_fit.blocks import call, give
from keras_fmnist.fast_fit.patterns import (
    Node,
    are_closed,
    argument,
    aten,
    erase,
    item,
    only_user,
    reader,
    shape,
)
from keras_fmnist.fast_fit.transposed import add_up, has_few_outputs

_VIEWS = (aten.reshape.default, aten.view.default)
# What the gradient passes on its way from the spread map to the small one.
_WAY_BACK = (
    *_VIEWS,
    aten.slice_backward.default,
    aten.constant_pad_nd.default,
    aten.squeeze.dim,
)


@dataclass
class _Spread:
    """A small map, what spreads it, and the transposed convolution that reads it."""

    small: Node
    steps: list[int]  # of rows and of columns
    bias: Node
    last: Node  # the transposed convolution
    inner: list[Node] = field(default_factory=list)
    backward: Node | None = None  # of the transposed convolution
    bias_gradient: Node | None = None
    small_gradient: Node | None = None

    @property
    def boundary(self) -> list[Node | None]:
        """What is replaced and has readers outside."""
        return [self.last, self.backward, self.bias_gradient, self.small_gradient]


def compute_without_zeros(graph: torch.fx.Graph) -> None:
    """Compute transposed convolutions of spread maps from the small ones; it rounds otherwise.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    pads = [node for node in graph.nodes if node.target is aten.constant_pad_nd.default]
    for pad in [pad for pad in pads if _is_unsqueeze(pad.args[0], 5)]:
        if (found := _match(pad)) is not None:
            _replace(graph, found)


def _match(pad):
    inner = _match_zeros(pad)
    relu = inner and _match_relu(inner[-1])
    if relu is None:
        return None
    maps = reader(relu, aten.contiguous.default) or relu
    last = reader(maps, aten.convolution.default)
    if last is None or last.args[0] is not maps or not _is_plain(last.args[5:]):
        return None
    add = relu.args[0]
    found = _Spread(inner[0].args[0], _steps(pad), add.args[1], last, [*inner, add, relu])
    if maps is not relu:
        found.inner.append(maps)
    found.backward = reader(maps, aten.convolution_backward.default)
    if found.backward is not None and not _match_backward(found, maps, relu):
        return None
    return found if are_closed(found.inner, found.boundary) else None


def _match_zeros(pad):
    """What spreads a map, from two new axes to the cut of the zeros behind its last numbers."""
    columns = pad.args[0]
    rows = columns.args[0]
    if not _is_unsqueeze(rows, 3) or len(shape(rows.args[0])) != 4 or any(pad.args[2:]):
        return None
    steps = _steps(pad)
    if pad.args[1] != [0, steps[1] - 1, 0, 0, 0, steps[0] - 1]:
        return None
    *batch, height, width = shape(rows.args[0])
    tiles, end = [height * steps[0], width * steps[1]], only_user(pad)
    if end is None or end.target not in _VIEWS or list(shape(end)) != [*batch, *tiles]:
        return None
    found = [rows, columns, pad, end]
    while _is_cut_at_the_end(end := only_user(end)):
        found.append(end)
    spread = [tile - step + 1 for tile, step in zip(tiles, steps, strict=True)]
    return found if list(shape(found[-1])) == [*batch, *spread] else None


def _steps(pad):
    """Of rows and of columns: from one number to the next, once zeros are put behind each."""
    return [pad.args[1][-1] + 1, pad.args[1][1] + 1]


def _match_relu(maps):
    """The ReLU of these maps and a bias, if nothing else reads them."""
    add = only_user(maps)
    if add is None or add.target is not aten.add.Tensor or add.args[0] is not maps or add.kwargs:
        return None
    bias, relu = add.args[1], only_user(add)
    if not isinstance(bias, Node) or list(shape(bias)) != [1, shape(maps)[1], 1, 1]:
        return None
    return relu if relu is not None and relu.target is aten.relu.default else None


def _is_unsqueeze(node, axis):
    return node.target is aten.unsqueeze.default and node.args[1] == axis


def _is_cut_at_the_end(node):
    if node is None or node.target is not aten.slice.Tensor:
        return False
    axis, first, _, step = (argument(node, i) for i in range(1, 5))
    return axis in (2, 3) and first == 0 and step == 1


def _is_plain(settings):
    """Transposed, one group, without dilation."""
    dilation, transposed, _, groups = settings
    return transposed and groups == 1 and {*dilation} == {1}


def _match_backward(found, maps, relu):
    back = found.backward
    by_maps = item(back, 0)
    slope = reader(by_maps, aten.threshold_backward.default)
    if back.args[1] is not maps or back.args[-1] != [True, True, False] or slope is None:
        return False
    if slope.args != (by_maps, relu, 0):
        return False
    found.inner += [by_maps, slope]
    sums = found.bias_gradient = reader(slope, aten.sum.dim_IntList)
    end, *others = [user for user in slope.users if user is not sums] or [None]
    if others or (sums is not None and sums.args[1:] != ([0, 2, 3], True)):
        return False
    while end is not None and end.target in _WAY_BACK and shape(end) != shape(found.small):
        found.inner.append(end)
        end = only_user(end)
    if end is None or end.target not in _WAY_BACK:
        return False
    found.small_gradient = end
    return True


def _replace(graph, found):
    _, weight, bias, *geometry = found.last.args
    given = (found.small, found.bias, weight, bias, found.steps, *_settings(geometry))
    images, active = call(graph, found.last, convolve, given, 2)
    images.meta = dict(found.last.meta)
    found.last.replace_all_uses_with(images)
    if found.backward is not None:
        # Not those of the forward pass: a crop may have become padding in one of both only.
        gradient, _, _, _, *geometry, _ = found.backward.args
        given = (gradient, active, found.bias, weight, found.steps, *_settings(geometry))
        gradients = call(graph, found.backward, convolve_backward, given, 3)
        give(found.backward, {1: gradients[1]})
        for node, gradient in zip(
            (found.small_gradient, found.bias_gradient), gradients[::2], strict=True
        ):
            if node is not None:
                gradient.meta = dict(node.meta)
                node.replace_all_uses_with(gradient)
    erase(graph, [*found.inner, *found.boundary])


def _settings(geometry):
    """Stride, padding and output padding, of what a convolution is given from its stride on."""
    stride, padding, _, _, output_padding, _ = geometry
    return stride, padding, output_padding


def convolve(
    small: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    last_bias: torch.Tensor | None,
    steps: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Spread a map, add a bias, take the ReLU and convolve it transposed.

    Args:
        small: `(n, channels, height, width)`.
        bias: `(1, channels, 1, 1)`, added to the spread map.
        weight: `(channels, outputs, rows, columns)`, of the transposed convolution.
        last_bias: `(outputs,)`, or None.
        steps: of rows and of columns: from one number of the small map to the next, once spread.
        stride: of the transposed convolution, rows and columns, as the next two.
        padding: see there.
        output_padding: see there.

    Returns:
        The images `(n, outputs, …)`, and the small map with bias and ReLU, for the way back.
    """
    active, constant = (small + bias).relu_(), bias.relu()
    wide = [one * step for one, step in zip(stride, steps, strict=True)]
    if has_few_outputs(weight.shape):
        images = add_up(active - constant, weight, None, wide, padding, output_padding)
    else:
        settings = (wide, padding, [1, 1], True, output_padding, 1)
        images = aten.convolution.default(active - constant, weight, None, *settings)
    ones, kernel = _sum_up(active, constant, weight, steps)
    settings = (stride, padding, [1, 1], True, output_padding, 1)
    return images + aten.convolution.default(ones, kernel, last_bias, *settings), active


def convolve_backward(
    gradient: torch.Tensor,
    active: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    steps: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of what `convolve` was given: the small map, the weight and the bias.

    Args:
        gradient: of the images.
        active: the second result of `convolve`.
        bias: what `convolve` was given, as the next five.
        weight: see there.
        steps: see there.
        stride: see there.
        padding: see there.
        output_padding: see there.
    """
    constant = bias.relu()
    wide = [one * step for one, step in zip(stride, steps, strict=True)]
    backward, rest = aten.convolution_backward.default, ([1, 1], True, output_padding, 1)
    by_small, by_weight, _ = backward(
        gradient, active - constant, weight, [0], wide, padding, *rest, [True, True, False]
    )
    # The image that no batch changes has the sum of all gradients.
    ones, kernel = _sum_up(active, constant, weight, steps)
    summed = gradient.sum(0, keepdim=True)
    _, by_kernel, _ = backward(
        summed, ones, kernel, [0], stride, padding, *rest, [False, True, False]
    )
    by_constant = (weight * by_kernel).sum((1, 2, 3)).view_as(bias)
    by_constant = by_constant - by_small.sum((0, 2, 3), keepdim=True)
    by_small = aten.threshold_backward.default(by_small, active, 0)
    by_bias = by_small.sum((0, 2, 3), keepdim=True) + by_constant * (bias > 0)
    return by_small, by_weight + constant.view(-1, 1, 1, 1) * by_kernel, by_bias


def _sum_up(active, constant, weight, steps):
    """Ones in the size of the spread map, and the kernel that gives the image for all batches."""
    sides = [(side - 1) * step + 1 for side, step in zip(active.shape[2:], steps, strict=True)]
    kernel = constant.view(1, -1) @ weight.reshape(len(weight), -1)
    return active.new_ones(1, 1, *sides), kernel.view(1, *weight.shape[1:])
