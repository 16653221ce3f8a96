"""Max pooling of a convolution over few inputs, as matrix products.

An image of one or three channels has so few numbers under a kernel that a convolution costs what
writing its map costs, and pooling, ReLU, dropout and batch norm each read that map again. Here one
matrix product for each corner of the pooling window gives a quarter of the map (of 2x2 windows),
which is compared while it is in the cache.
"""

import torch

from keras_fmnist.fast_fit import masks

# Numbers of a piece of a map that is worked on at once: 1 MiB, half of a core's cache.
_PIECE = 1 << 18


def pool_convolution(
    images: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: tuple[int, int],
    lanes: torch.Tensor | None,
    keep: float,
    with_relu: bool,
    for_gradient: bool,
) -> tuple[torch.Tensor, ...]:
    """Convolve without padding, drop elements, take each window's maximum and its ReLU.

    ReLU and dropout's scale keep the order of numbers: they are taken of the maximum alone.

    Args:
        images: `(n, channels, height, width)`.
        weight: `(kernels, channels, rows, columns)`.
        bias: `(kernels,)`, or None.
        window: rows and columns of a pooling window, which is its stride too.
        lanes: random int16 numbers for dropout, one for each element of the map, or None.
        keep: share of elements that dropout keeps; 1 without dropout.
        with_relu: whether a ReLU stands before dropout and pooling.
        for_gradient: whether to give more than the first result.

    Returns:
        The pooled maps `(n, kernels, …)`, channels last in memory; and what
        `pool_convolution_backward` takes: `columns`, `responses` and `largest`.
    """
    columns = columns_of(images, weight.shape[2:], window)
    kernels = _kernels(weight, bias, window)
    corners, _, channels = kernels.shape
    positions = columns.shape[1]
    largest = images.new_empty(positions, channels)
    if lanes is not None:
        lanes = lanes.view(corners, positions, channels)
    responses = images.new_empty(corners, positions, channels) if for_gradient else None
    for rows in _pieces(positions, channels):
        top = largest[rows]
        mask = torch.empty_like(top)
        for corner in range(corners):
            out = responses[corner, rows] if for_gradient else torch.empty_like(top)
            torch.mm(columns[:, rows].t(), kernels[corner], out=out)
            if lanes is not None:
                out.mul_(masks.keep_lanes_(mask, lanes[corner, rows], keep))
            torch.maximum(out, top if corner else out, out=top)
    pooled = largest.relu() if with_relu else largest.clone()
    if lanes is not None:
        pooled.mul_(1 / keep)
    sides = [
        (side - kernel + 1) // step
        for side, kernel, step in zip(images.shape[2:], weight.shape[2:], window, strict=True)
    ]
    pooled = pooled.view(len(images), *sides, channels).permute(0, 3, 1, 2)
    return (pooled, columns, responses, largest) if for_gradient else (pooled,)


def pool_convolution_backward(
    gradient: torch.Tensor,
    columns: torch.Tensor,
    responses: torch.Tensor,
    largest: torch.Tensor,
    weight: torch.Tensor,
    window: tuple[int, int],
    keep: float,
    with_relu: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradients of weight and bias; the first of equal maxima has its window's gradient.

    Args:
        gradient: of the pooled maps.
        columns: what `pool_convolution` gave, as the next two.
        responses: of every corner of every window.
        largest: of each window, before the ReLU.
        weight: what `pool_convolution` was given, as the next three.
        window: rows and columns.
        keep: share of elements.
        with_relu: whether there is one.

    Returns:
        Gradients of the shapes of weight and bias.
    """
    positions, channels = largest.shape
    rest = gradient.permute(0, 2, 3, 1).reshape(positions, channels)
    # An element that was dropped is zero, and so passes nothing behind a ReLU either.
    rest = torch.ops.aten.threshold_backward(rest, largest, 0) if with_relu else rest.clone()
    gradients = columns.new_zeros(len(responses), len(columns), channels)
    for rows in _pieces(positions, channels):
        left, hit = rest[rows], torch.empty_like(rest[rows])
        for corner in range(len(responses) - 1):
            torch.eq(responses[corner, rows], largest[rows], out=hit)
            hit.mul_(left)
            gradients[corner].addmm_(columns[:, rows], hit)
            left.sub_(hit)
        gradients[-1].addmm_(columns[:, rows], left)
    if keep < 1:
        gradients.mul_(1 / keep)
    return _gather(gradients, weight.shape, window)


def _pieces(positions, channels):
    count = -(-positions * channels // _PIECE)
    step = -(-positions // count)
    return [slice(first, first + step) for first in range(0, positions, step)]


def columns_of(
    images: torch.Tensor, kernel: tuple[int, int], window: tuple[int, int]
) -> torch.Tensor:
    """What lies under a kernel at any corner of a window, one column a window; the last row is 1.

    Args:
        images: `(n, channels, height, width)`.
        kernel: rows and columns.
        window: rows and columns.

    Returns:
        `(channels · (kernel + window - 1)² + 1, n · windows)`.
    """
    n, channels, height, width = images.shape
    rows, cols = (side + step - 1 for side, step in zip(kernel, window, strict=True))
    down, across = (height - rows) // window[0] + 1, (width - cols) // window[1] + 1
    sn, sc, sh, sw = images.stride()
    columns = images.new_empty(channels * rows * cols + 1, n * down * across)
    columns[:-1].view(channels, rows, cols, n, down, across).copy_(
        images.as_strided(
            (channels, rows, cols, n, down, across),
            (sc, sh, sw, sn, window[0] * sh, window[1] * sw),
        )
    )
    columns[-1] = 1
    return columns


def _kernels(weight, bias, window):
    """For each corner of a window the kernels over the rows of `columns_of`, zero outside them."""
    kernels, channels, rows, cols = weight.shape
    down, across = window
    shape = (down, across, channels, rows + down - 1, cols + across - 1, kernels)
    placed = weight.new_zeros(shape)
    for i in range(down):
        for j in range(across):
            placed[i, j, :, i : i + rows, j : j + cols] = weight.permute(1, 2, 3, 0)
    last = weight.new_zeros(kernels) if bias is None else bias
    return torch.cat(
        [placed.view(down * across, -1, kernels), last.expand(down * across, 1, kernels)], dim=1
    )


def _gather(gradients, shape, window):
    """The gradients of `_kernels`' weight and bias from those of what it gave."""
    kernels, channels, rows, cols = shape
    down, across = window
    placed = gradients[:, :-1].reshape(
        down, across, channels, rows + down - 1, cols + across - 1, kernels
    )
    weight = sum(
        placed[i, j, :, i : i + rows, j : j + cols] for i in range(down) for j in range(across)
    )
    return weight.permute(3, 0, 1, 2), gradients[:, -1].sum(0)
