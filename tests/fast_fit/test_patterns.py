"""What the rewritings ask about a graph."""

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist.fast_fit import patterns
from tests.helpers.stock_and_replayed import STRICT

pytestmark = STRICT


def trace(function):
    return {node.name: node for node in make_fx(function)(torch.ones(3)).graph.nodes}


def test_a_reader_is_the_one_user_of_its_kind():
    nodes = trace(lambda x: (x.relu() + 1, x.relu() * 2))
    x = nodes["x_1"]
    assert patterns.reader(x, patterns.aten.relu.default) is None  # there are two
    assert patterns.reader(nodes["relu"], patterns.aten.add.Tensor) is nodes["add"]
    assert patterns.only_user(nodes["relu"]) is nodes["add"]
    assert patterns.only_user(x) is None
    assert patterns.reader(None, patterns.aten.add.Tensor) is None


def test_arguments_that_are_left_out_have_the_default_of_the_schema():
    nodes = trace(lambda x: torch.ops.aten.slice.Tensor(x, 0, 1))
    (sliced,) = (n for n in nodes.values() if n.target is patterns.aten.slice.Tensor)
    assert [patterns.argument(sliced, i) for i in (1, 2, 4)] == [0, 1, 1]


def test_nodes_are_closed_where_nobody_else_reads_them_and_go_together():
    nodes = trace(lambda x: x.relu().add_(1) * 2)
    inner = [nodes["relu"], nodes["add_"]]
    assert not patterns.are_closed(inner, [])
    assert patterns.are_closed(inner, [nodes["mul"], None])
    graph = nodes["mul"].graph
    nodes["mul"].replace_all_uses_with(nodes["x_1"])
    patterns.erase(graph, [*inner, nodes["mul"], None])
    assert [node.op for node in graph.nodes] == ["placeholder", "output"]
