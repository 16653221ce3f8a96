"""What is rewritten in a traced graph computes the same."""

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist.fast_fit import rewrite
from tests.helpers.stock_and_replayed import STRICT


# -- rewritings of the graph ----------------------------------------------------------------------
def rewritten(function, *inputs):
    module = make_fx(function)(*inputs)
    rewrite.clean(module)
    rewrite.pool_channels_last(module.graph)
    rewrite.reuse_memory(module.graph)
    module.recompile()
    return module


pytestmark = STRICT


def assert_same(module, function, x):
    for expected, given in zip(function(x), module(x), strict=True):
        assert expected.shape == given.shape
        assert torch.equal(expected, given)


def overwrites(x):
    a = x * 2
    b = a + 1  # may take a's memory
    c = b.relu()  # may not take b's: it is read below, through a view
    view = b.view(-1)
    d = c * x.sum(1, keepdim=True)
    return d - view.view_as(d), c.t().sigmoid(), (b.expand(2, *b.shape) * 3).sum(0)


def test_memory_is_reused_only_where_nobody_reads_it_again():
    x = torch.randn(6, 6)
    before = x.clone()
    module = rewritten(overwrites, x)
    assert sum("_." in str(node.target) for node in module.graph.nodes) >= 2
    assert_same(module, overwrites, x)
    assert torch.equal(x, before)


def test_pooling_finds_the_same_first_maximum_among_ties_and_odd_sides():
    images = torch.randint(0, 3, (5, 3, 11, 11)).float().requires_grad_()

    def pool(images):
        pooled = torch.nn.functional.max_pool2d(images, 2)
        return pooled, *torch.autograd.grad((pooled * 3).sum(), images)

    module = rewritten(pool, images)
    assert any("channels_last" in str(node.target) for node in module.graph.nodes)
    for expected, given in zip(pool(images), module(images), strict=True):
        assert torch.equal(expected, given)


def test_constants_are_computed_once():
    module = rewritten(lambda x: x + torch.tensor([2.0, 3.0]).sqrt().exp(), torch.zeros(2))
    assert [n.target for n in module.graph.nodes if n.op == "call_function"] == [
        torch.ops.aten.add.Tensor
    ]
    assert torch.equal(module(torch.ones(2)), 1 + torch.tensor([2.0, 3.0]).sqrt().exp())


def targets(module):
    return [node.target for node in module.graph.nodes if node.op == "call_function"]


def test_means_over_one_number_and_first_powers_are_left_out():
    def square(x):
        error = (x * 2).pow(1.0) - 1
        return error.mean(-1), error.mean((0, 3), keepdim=True), error.mean(1)

    x = torch.randn(1, 5, 5, 1)
    module = rewritten(square, x)
    aten = torch.ops.aten
    assert aten.pow.Tensor_Scalar not in targets(module)
    assert targets(module).count(aten.mean.dim) == 1  # over five numbers
    assert_same(module, square, x)


def test_an_identity_of_what_is_written_later_is_kept():
    """As a shorter name for it, it would change along."""

    def step(x):
        doubled = x * 2
        before = doubled.pow(1.0)
        doubled.add_(1)
        return before, x.pow(1.0), doubled

    x = torch.randn(4)
    module = rewritten(step, x)
    assert targets(module).count(torch.ops.aten.pow.Tensor_Scalar) == 2
    assert_same(module, step, x)


def test_an_identity_that_is_written_later_is_kept():
    def step(x):
        doubled = x * 2
        power = doubled.pow(1.0)
        power.add_(1)
        return doubled * power

    x = torch.randn(4)
    assert torch.equal(rewritten(step, x)(x), step(x))


def test_pieces_whose_memory_is_read_again_are_not_overwritten():
    """The schema of `unsafe_split` does not say that they are views."""

    def step(x):
        doubled = x * 2
        first, second = torch.unsafe_split(doubled, 2)
        return first * 3, second.relu(), doubled

    x = torch.randn(4, 3)
    assert_same(rewritten(step, x), step, x)
