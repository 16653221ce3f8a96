"""Batch norm after a convolution over few inputs, without the map between the two."""

import torch

from keras_fmnist.fast_fit import patches


def normalize_kernels(
    images: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    scale: torch.Tensor | None,
    offset: torch.Tensor | None,
    epsilon: float,
    window: tuple[int, int],
) -> tuple[torch.Tensor, ...]:
    """Fold a training batch norm into the convolution before it, whose map is not computed.

    Mean and variance of `weight · patch` over a batch are those of the patches, of nine numbers
    where the kernel is 3x3 over one channel, times the weight.

    Args:
        images: what `pool_convolution` takes, as the next two.
        weight: `(kernels, channels, rows, columns)`.
        bias: `(kernels,)`, or None.
        scale: gamma, `(kernels,)`, or None.
        offset: beta, `(kernels,)`, or None.
        epsilon: what is added to the variance.
        window: what `pool_convolution` takes; no position of the map is outside all windows.

    Returns:
        Weight and bias for `pool_convolution`; mean and inverse deviation of the convolution,
        `(kernels,)` each; and what `normalize_kernels_backward` takes: `centre` `(taps,)` and
        `slopes` `(taps, kernels)`.
    """
    centre, covariance = _moments(images, weight.shape, window)
    kernels = weight.flatten(1).t()
    slopes = covariance @ kernels
    mean = centre @ kernels
    inverse = (kernels * slopes).sum(0).clamp_min(0).add(epsilon).rsqrt()
    factor = inverse if scale is None else inverse * scale
    new_bias = -mean * factor if offset is None else offset - mean * factor
    if bias is not None:
        mean = mean + bias
    return weight * factor.view(-1, 1, 1, 1), new_bias, mean, inverse, centre, slopes


def normalize_kernels_backward(
    weight_gradient: torch.Tensor,
    bias_gradient: torch.Tensor,
    weight: torch.Tensor,
    scale: torch.Tensor | None,
    inverse: torch.Tensor,
    centre: torch.Tensor,
    slopes: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of weight, scale and offset; that of the convolution's bias is zero.

    Args:
        weight_gradient: of the weight that `normalize_kernels` gave.
        bias_gradient: of the bias that it gave.
        weight: what it was given.
        scale: what it was given.
        inverse: what it gave, as the next two.
        centre: `(taps,)`.
        slopes: `(taps, kernels)`.
    """
    kernels, by_tap = weight.flatten(1).t(), weight_gradient.flatten(1).t()
    by_tap = by_tap - torch.outer(centre, bias_gradient)
    by_scale = inverse * (kernels * by_tap).sum(0)
    factor = inverse if scale is None else inverse * scale
    by_weight = factor * (by_tap - slopes * (inverse * by_scale))
    return by_weight.t().reshape(weight.shape), by_scale, bias_gradient


def _moments(images, shape, window):
    """Mean `(taps,)` and covariance `(taps, taps)` of the patches under every kernel position."""
    _, channels, rows, cols = shape
    columns = patches.columns_of(images, (rows, cols), window)[:-1]
    means = columns.mean(1)
    columns.sub_(means[:, None])
    places = (channels, rows + window[0] - 1, cols + window[1] - 1)
    products = (columns @ columns.t() / columns.shape[1]).view(*places, *places)
    means = means.view(places)
    taps = channels * rows * cols
    corners = [
        (slice(None), slice(i, i + rows), slice(j, j + cols))
        for i in range(window[0])
        for j in range(window[1])
    ]
    of_corners = torch.stack([means[corner].reshape(taps) for corner in corners])
    within = sum(products[corner + corner].reshape(taps, taps) for corner in corners)
    centre = of_corners.mean(0)
    apart = of_corners - centre
    return centre, (within + apart.t() @ apart) / len(corners)
