"""The order of numbers in memory: channels last, in which torch's CPU kernels are faster."""

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from keras_fmnist.fast_fit import adam, masks, rewrite
from keras_fmnist.fast_fit.patterns import aten, shape


def prefer_channels_last(graph: torch.fx.Graph) -> None:
    """Give convolutions their maps channels last; what follows one keeps that order.

    oneDNN, batch norm and pooling then need no copies and compare whole vectors. A sum over a map
    is taken in another order and rounded otherwise.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    _copy_where_no_view_is(graph)
    for node in list(graph.nodes):
        if node.target is aten.convolution.default:
            maps = node.args[0]
            if len(shape(maps)) == 4 and shape(maps)[1] > 1:
                _read_channels_last(graph, node, maps)


_POOLINGS = {
    aten.max_pool2d_with_indices.default,
    aten.max_pool2d_with_indices_backward.default,
    aten.avg_pool2d.default,
    aten.avg_pool2d_backward.default,
}


def drop_copies(module: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> None:
    """Leave out copies of maps that are channels last, as in every Keras net by default.

    Keras has maps copied to channels first before a pooling. Then the pooling's gradient is
    channels first and the gradient of the ReLU before it reads two orders at once, which costs ten
    times as much. Copies to the order that a map has already go, too. Values do not change.

    Args:
        module: `torch.fx.GraphModule` of ATen operations with `val` in their metadata, changed in
            place.
        inputs: its arguments, which are not read.
    """
    graph = module.graph
    pooled = [node for node in _find_copies(graph) if {u.target for u in node.users} <= _POOLINGS]
    _replace_by_source(graph, pooled)
    if pooled:
        _copy_where_no_view_is(graph)
        describe(module, inputs)  # what is pooled is channels last now
    _replace_by_source(
        graph, [n for n in _find_copies(graph) if n.kwargs["memory_format"] is torch.channels_last]
    )


def _copy_where_no_view_is(graph):
    """Has a view that was of numbers in rows copy them where they no longer are."""
    for node in graph.nodes:
        if node.target in (aten.view.default, aten._unsafe_view.default):
            node.target = aten.reshape.default


def _find_copies(graph):
    """Lists clones of computed maps that are channels last; one of a variable may outlive it.

    Where something is written into the map or into its clone, the clone is no mere copy.
    """
    roots = rewrite.storage_roots(graph)
    written = rewrite.written_roots(graph, roots)
    return [
        node
        for node in graph.nodes
        if node.target is aten.clone.default
        and node.kwargs.get("memory_format") is not None
        and roots[node.args[0]].op == "call_function"
        and not {roots[node], roots[node.args[0]]} & written
        and _is_channels_last(node.args[0].meta["val"])
    ]


def _is_channels_last(tensor):
    return tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def _replace_by_source(graph, copies):
    for node in copies:
        node.replace_all_uses_with(node.args[0])
        graph.erase_node(node)


def _read_channels_last(graph, node, maps):
    with graph.inserting_before(node):
        order = {"memory_format": torch.channels_last}
        ordered = graph.call_function(aten.contiguous.default, (maps,), order)
    ordered.meta = dict(maps.meta)
    for user in list(maps.users):
        if user is node or user.target is aten.convolution_backward.default:
            user.replace_input_with(maps, ordered)


def describe(module: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> None:
    """Write down anew which shape, dtype and strides every value has: `val` in the metadata.

    Args:
        module: `torch.fx.GraphModule` of ATen operations and of functions of tensors.
        inputs: its arguments, which are not read.
    """
    mode = FakeTensorMode(shape_env=ShapeEnv(), static_shapes=True, allow_non_fake_inputs=True)
    with mode, torch.no_grad():
        _Describer(module).run(*(mode.from_tensor(tensor) for tensor in inputs))


class _Describer(torch.fx.Interpreter):
    def run_node(self, node):
        if node.target in masks.DRAWS:  # these need a generator's numbers; they fill an argument
            value = self.env[node.args[0]]
        elif node.target is masks.draw_lanes:
            value = torch.empty(node.args, dtype=torch.int16)
        elif node.target is adam.update_adam_:  # reads its rate as a number
            value = None
        else:
            value = super().run_node(node)
        node.meta["val"] = value
        return value
