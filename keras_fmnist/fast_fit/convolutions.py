"""Rewritings around convolutions: what can be part of one is. Results differ by rounding."""

import torch

from keras_fmnist.fast_fit.patterns import Node, aten, erase, only_user, shape

_AFFINE = {
    aten.add.Tensor: "add",
    aten.add_.Tensor: "add",
    aten.sub.Tensor: "sub",
    aten.sub_.Tensor: "sub",
    aten.mul.Tensor: "mul",
    aten.mul_.Tensor: "mul",
}


def fold_affine(graph: torch.fx.Graph) -> None:
    """Let a convolution do what follows it channel by channel: bias, and batch norm at evaluation.

    A transposed one takes the factors alone: with a bias and output padding at once oneDNN is
    half as fast.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for node in list(graph.nodes):
        if node.target is aten.convolution.default:
            steps = _affine_steps(node)
            is_transposed = node.args[6]
            if len(steps) > is_transposed:
                _fold(graph, node, steps)


def _affine_steps(convolution):
    steps, end = [], convolution
    while (step := only_user(end)) is not None and _is_affine(step, end):
        steps.append(step)
        end = step
    return steps


def _is_affine(step, source):
    operand = step.args[1] if step.target in _AFFINE else None
    return (
        isinstance(operand, Node)
        and step.args[0] is source
        and not step.kwargs
        and shape(step) == shape(source)
        and len(shape(source)) == 4
        and (1, *shape(operand))[-4:] == (1, shape(source)[1], 1, 1)
        and operand.meta["val"].dtype is source.meta["val"].dtype
    )


def _fold(graph, convolution, steps):
    images, weight, bias, *settings = convolution.args
    is_transposed = settings[3]
    channels = shape(convolution)[1]
    by_output = [1, channels, 1, 1] if is_transposed else [channels, 1, 1, 1]
    last = steps[-1]
    with graph.inserting_before(last):
        for step in steps:
            operand = graph.call_function(aten.reshape.default, (step.args[1], [channels]))
            kind = _AFFINE[step.target]
            if kind == "mul":
                factor = graph.call_function(aten.view.default, (operand, by_output))
                plain, weight = weight, graph.call_function(aten.mul.Tensor, (weight, factor))
                weight.meta = dict(plain.meta)
            elif bias is None:
                bias = operand
                if kind == "sub":
                    bias = graph.call_function(aten.neg.default, (operand,))
                continue
            if bias is not None:
                operation = getattr(aten, kind).Tensor
                bias = graph.call_function(operation, (bias, operand))
        own = None if is_transposed else bias
        whole = graph.call_function(convolution.target, (images, weight, own, *settings))
        whole.meta = dict(last.meta)
        if is_transposed and bias is not None:
            offset = graph.call_function(aten.view.default, (bias, by_output))
            whole = graph.call_function(aten.add.Tensor, (whole, offset))
            whole.meta = dict(last.meta)
    last.replace_all_uses_with(whole)
    erase(graph, [convolution, *steps])
