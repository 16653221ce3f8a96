"""Rewritings of a traced step: the same values from fewer and cheaper operations.

All of them keep every bit of the result. Dropout's masks are in `masks`.
"""

import operator

import torch

from keras_fmnist.fast_fit import masks
from keras_fmnist.fast_fit.patterns import shape

aten = torch.ops.aten

# A folded constant stays in memory for as long as its graph: scalars and short vectors only.
_LARGEST_CONSTANT = 4096

# These show their argument's memory, and their schemas do not say so.
_UNDECLARED_VIEWS = {
    *masks.DRAWS,
    aten._unsafe_view.default,
    aten.unsafe_split.Tensor,
    aten.unsafe_split_with_sizes.default,
    aten.unsafe_chunk.default,
}

# Elementwise operations and their in-place twins. The first argument is the one overwritten.
_IN_PLACE = {
    aten.add.Tensor: aten.add_.Tensor,
    aten.sub.Tensor: aten.sub_.Tensor,
    aten.mul.Tensor: aten.mul_.Tensor,
    aten.mul.Scalar: aten.mul_.Scalar,
    aten.div.Tensor: aten.div_.Tensor,
    aten.div.Scalar: aten.div_.Scalar,
    aten.neg.default: aten.neg_.default,
    aten.relu.default: aten.relu_.default,
    aten.sigmoid.default: aten.sigmoid_.default,
    aten.threshold_backward.default: aten.threshold_backward.grad_input,
}


def clean(module: torch.fx.GraphModule) -> None:
    """Drop what a replay without gradients does not need; the result keeps every bit.

    Args:
        module: `torch.fx.GraphModule` of ATen operations, changed in place.
    """
    for node in module.graph.nodes:
        if node.target in (aten.detach.default, aten.alias.default):
            node.replace_all_uses_with(node.args[0])
    module.graph.eliminate_dead_code()
    _fold_constants(module)
    _drop_identities(module.graph)
    module.graph.eliminate_dead_code()


def pool_channels_last(graph: torch.fx.Graph) -> None:
    """Run max pooling through torch's channels-last kernel, which compares whole vectors.

    The channels-first kernel takes a branch an element, badly predicted: on a batch of 100
    16x26x26 maps it costs three times the other one, the copies in and out included. Both keep the
    first maximum of a window, so values and indices are the same.

    Args:
        graph: `torch.fx.Graph` of ATen operations, changed in place.
    """
    for node in graph.nodes:
        if node.target is aten.max_pool2d_with_indices.default and _is_nchw(node.args[0]):
            node.target = _max_pool2d_channels_last


def _is_nchw(node):
    value = node.meta["val"]
    return value.ndim == 4 and value.is_contiguous()


def _max_pool2d_channels_last(images, *settings):
    nhwc = images.contiguous(memory_format=torch.channels_last)
    values, indices = aten.max_pool2d_with_indices.default(nhwc, *settings)
    return values.contiguous(), indices.contiguous()


def reuse_memory(graph: torch.fx.Graph) -> None:
    """Let an elementwise operation overwrite its first argument where nobody reads that again.

    A batch's feature map is megabytes: writing it where it was read halves the traffic.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `tensor_meta`, changed in place.
    """
    roots = storage_roots(graph)
    last_read = {}
    for position, node in enumerate(graph.nodes):
        for argument in node.all_input_nodes:
            last_read[roots[argument]] = position
    for position, node in enumerate(graph.nodes):
        if node.target in _IN_PLACE and _may_overwrite(node, position, roots, last_read):
            node.target = _IN_PLACE[node.target]
            if node.target is aten.threshold_backward.grad_input:
                node.kwargs = {"grad_input": node.args[0]}
            root = roots[node.args[0]]
            # The result now lives in the argument's memory: so do all its aliases.
            end = max(last_read[root], last_read.get(node, position))
            roots = {n: root if r is node else r for n, r in roots.items()}
            last_read[root] = end


def _may_overwrite(node, position, roots, last_read):
    source = node.args[0]
    if not isinstance(source, torch.fx.Node):
        return False
    root = roots[source]
    others = [roots[n] for n in node.all_input_nodes if n is not source]
    return (
        root.op == "call_function"
        and last_read[root] == position
        and root not in others
        and _layout(source) is not None
        and _layout(source) == _layout(node)
    )


def _layout(node):
    """(shape, dtype, stride) of a node's tensor, or None where elements may share memory."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or 0 in value.stride():
        return None
    return value.shape, value.dtype, value.stride()


def storage_roots(graph: torch.fx.Graph) -> dict[torch.fx.Node, torch.fx.Node]:
    """Map each node to the node whose memory it shows: itself unless it is a view.

    Args:
        graph: `torch.fx.Graph` of ATen operations.

    Returns:
        dict of node to node.
    """
    roots = {}
    for node in graph.nodes:
        source = node.all_input_nodes[0] if node.all_input_nodes and _is_view(node) else node
        roots[node] = roots.get(source, node)
    return roots


def _is_view(node):
    if node.target is operator.getitem:
        return _is_view(node.args[0])
    schema = getattr(node.target, "_schema", None)
    if node.target in _UNDECLARED_VIEWS:
        return True
    return schema is not None and any(r.alias_info is not None for r in schema.returns)


def written_roots(
    graph: torch.fx.Graph, roots: dict[torch.fx.Node, torch.fx.Node]
) -> set[torch.fx.Node]:
    """The roots whose memory some operation of the graph writes.

    Args:
        graph: `torch.fx.Graph` of ATen operations.
        roots: what `storage_roots` gave for it.

    Returns:
        set of nodes.
    """
    written = set()
    for node in graph.nodes:
        schema = getattr(node.target, "_schema", None)
        for index, argument in enumerate(schema.arguments if schema else ()):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            value = node.kwargs.get(argument.name, node.args[index : index + 1])
            torch.fx.map_arg(value, lambda n: written.add(roots[n]))
    return written


def _fold_constants(module):
    """Compute once what depends on nothing but constants.

    Besides the time this matters to a CUDA graph, which can not hold the copy of a Python number
    from the host.
    """
    graph = module.graph
    roots = storage_roots(graph)
    written = written_roots(graph, roots)
    known = {}
    for node in list(graph.nodes):
        if node.op == "get_attr" and roots[node] not in written:
            known[node] = getattr(module, node.target)
        elif _is_foldable(node, known) and roots[node] not in written:
            args = torch.fx.map_arg((node.args, node.kwargs), known.__getitem__)
            value = node.target(*args[0], **args[1])
            if not isinstance(value, torch.Tensor) or value.numel() > _LARGEST_CONSTANT:
                continue
            known[node] = value
            name = f"_folded_{node.name}"
            module.register_buffer(name, value)
            with graph.inserting_before(node):
                replacement = graph.get_attr(name)
            replacement.meta = dict(node.meta)
            node.replace_all_uses_with(replacement)
            known[replacement] = value
            roots[replacement] = roots[node]


def _drop_identities(graph):
    """Leave out means over axes of length 1 and first powers, a pass over memory each.

    Keras's squared error has one of each where images have one channel.
    """
    roots = storage_roots(graph)
    written = written_roots(graph, roots)
    for node in list(graph.nodes):
        if node.target not in (aten.mean.dim, aten.pow.Tensor_Scalar) or not _is_identity(node):
            continue
        source = node.args[0]
        if {roots[source], roots[node]} & written or roots[source].op != "call_function":
            continue
        if shape(node) != shape(source):  # a mean that drops its axes
            with graph.inserting_before(node):
                source = graph.call_function(aten.view.default, (source, list(shape(node))))
            source.meta = dict(node.meta)
        node.replace_all_uses_with(source)


def _is_identity(node):
    source, result = (one.meta["val"] for one in (node.args[0], node))
    if source.dtype != result.dtype or not (source.is_contiguous() and result.is_contiguous()):
        return False
    if node.target is aten.mean.dim:
        return bool(node.args[1]) and all(source.shape[axis] == 1 for axis in node.args[1])
    return node.args[1] == 1


def _is_foldable(node, known):
    return (
        isinstance(node.target, torch._ops.OpOverload)
        and torch.Tag.nondeterministic_seeded not in node.target.tags
        and bool(node.all_input_nodes)
        and all(n in known for n in node.all_input_nodes)
    )
