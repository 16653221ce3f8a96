"""The order of numbers in memory: channels last, in which torch's CPU kernels are faster."""

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from keras_fmnist.fast_fit import adam, masks
from keras_fmnist.fast_fit.patterns import aten, shape


def prefer_channels_last(graph: torch.fx.Graph) -> None:
    """Give convolutions their maps channels last; what follows one keeps that order.

    oneDNN, batch norm and pooling then need no copies and compare whole vectors. A sum over a map
    is taken in another order and rounded otherwise.

    Args:
        graph: `torch.fx.Graph` of ATen operations with `val` in their metadata, changed in place.
    """
    for node in list(graph.nodes):
        if node.target is aten.view.default:
            node.target = aten.reshape.default  # it may have to copy now
        if node.target is aten.convolution.default:
            maps = node.args[0]
            if len(shape(maps)) == 4 and shape(maps)[1] > 1:
                _read_channels_last(graph, node, maps)


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
