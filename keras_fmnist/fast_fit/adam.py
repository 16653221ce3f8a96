"""Keras's update of Adam by torch's fused kernel: one pass over the weights instead of nine."""

import torch

from keras_fmnist.fast_fit.patterns import Node, aten, erase, item

# The kernel corrects the bias of the two means itself: from a step this late there is none left,
# since Keras corrects it in the rate.
_LATE = torch.tensor(1e9)


@torch.fx.node.has_side_effect
def update_adam_(
    parameters: list[torch.Tensor],
    gradients: list[torch.Tensor],
    means: list[torch.Tensor],
    squares: list[torch.Tensor],
    rate: torch.Tensor,
    decays: tuple[float, float],
    epsilon: float,
) -> None:
    """Move both running means towards the gradients, then the parameters, in place.

    Args:
        parameters: tensors of any shape.
        gradients: of the parameters, as the next two.
        means: running means of the gradients.
        squares: running means of their squares.
        rate: of learning, one number, with the correction of both biases in it.
        decays: what is kept of the two means.
        epsilon: added to the root of `squares`.
    """
    torch._fused_adam_(
        *(parameters, gradients, means, squares, [], [_LATE] * len(parameters)),
        lr=rate,
        beta1=decays[0],
        beta2=decays[1],
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )


def fuse_adam(graph: torch.fx.Graph) -> None:
    """Put `update_adam_` in the place of what Keras's Adam leaves in a trace; it rounds otherwise.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for node in list(graph.nodes):
        if node.target is aten._foreach_add_.List and node.kwargs.get("alpha") == -1:
            _fuse(graph, node)


def _fuse(graph, move):
    divide = _source(move.args[1], aten._foreach_div.List)
    scale = divide and _source(divide.args[0], aten._foreach_mul.Tensor)
    shift = divide and _source(divide.args[1], aten._foreach_add.Scalar)
    root = shift and _source(shift.args[0], aten._foreach_sqrt.default)
    if not (scale and root):
        return
    parameters, means, squares = move.args[0], scale.args[0], root.args[0]
    first = _running_mean(means, scale)
    second = _running_mean(squares, root)
    if not (first and second):
        return
    (decay, gradients, *mean_updates), (decay_2, powers, *square_updates) = first, second
    square = _source(powers, aten._foreach_mul.List)
    if square is None or [list(factor) for factor in square.args] != [list(gradients)] * 2:
        return
    if not all(map(_is_plain, (*parameters, *gradients, *means, *squares, scale.args[1]))):
        return
    settings = (scale.args[1], (decay, decay_2), shift.args[1])
    with graph.inserting_before(move):
        graph.call_function(update_adam_, (parameters, gradients, means, squares, *settings))
    calls = [move, divide, scale, shift, root, square, *mean_updates, *square_updates]
    erase(graph, [*calls, *(result for call in calls for result in call.users)])


def _running_mean(tensors, reader):
    """(what is kept, what is added, both operations) of a running mean nobody else reads."""
    users = [user for user in tensors[0].users if user is not reader]
    if len(users) != 2 or any([*t.users] != [*tensors[0].users] for t in tensors):
        return None
    shrink, grow = users
    if (shrink.target, grow.target) != (aten._foreach_mul_.Scalar, aten._foreach_add_.List):
        return None
    decay, added = shrink.args[1], grow.args[1]
    return (decay, added, shrink, grow) if grow.kwargs.get("alpha") == 1 - decay else None


def _source(results, target):
    """The call of `target` whose results, all of them and in order, these are; or None."""
    call = results[0].args[0] if isinstance(results[0], Node) and results[0].args else None
    if getattr(call, "target", None) is not target or len(call.users) != len(results):
        return None
    return call if all(item(call, i) is r for i, r in enumerate(results)) else None


def _is_plain(node):
    value = node.meta["val"]
    return value.dtype is torch.float32 and value.is_contiguous()
