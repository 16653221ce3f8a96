"""Seeds: what follows from (seed, purpose) and from nothing else."""

import os

import keras
import numpy as np
import pytest
import torch

from keras_fmnist.backends import use_deterministic_kernels
from keras_fmnist.seeds import (
    derive,
    generator_states,
    permutation,
    seed_dropout,
    set_generator_states,
)


def test_a_derived_seed_is_the_same_today_and_tomorrow():
    # Literal, because a published result can be repeated only while these stay.
    assert derive(0, "order", 0) == 921006133
    assert permutation(0, 0, 10).tolist() == [0, 5, 8, 9, 2, 1, 6, 7, 3, 4]


def test_every_purpose_has_its_own_seed_in_31_bits():
    purposes = [(s, p, e) for s in range(20) for p in ("order", "dropout") for e in range(50)]
    seeds = [derive(*purpose) for purpose in purposes]
    assert len(set(seeds)) == 20 * 2 * 50
    assert 0 <= min(seeds) < 2**27
    assert 2**31 - 2**27 < max(seeds) < 2**31


def test_an_epochs_order_holds_every_image_once_and_follows_from_seed_and_epoch():
    order = permutation(1, 2, 1000)
    assert sorted(order.tolist()) == list(range(1000))
    np.random.default_rng().random(5)
    np.testing.assert_array_equal(order, permutation(1, 2, 1000))
    assert (order != permutation(1, 3, 1000)).mean() > 0.9
    assert (order != permutation(2, 2, 1000)).mean() > 0.9
    assert (order != np.arange(1000)).mean() > 0.9


@pytest.fixture
def net():
    """Two dropouts, one of them in a nested model, on ones."""
    inner_input = keras.Input((400,))
    inner = keras.Model(inner_input, keras.layers.Dropout(0.5, name="inner")(inner_input))
    outer_input = keras.Input((400,))
    first = keras.layers.Dropout(0.5, name="outer")(outer_input)
    return keras.Model(outer_input, [first, inner(outer_input)])


def masks(net):
    ones = np.ones((1, 400), np.float32)
    return [keras.ops.convert_to_numpy(mask) for mask in net(ones, training=True)]


@pytest.mark.portable
def test_dropout_follows_from_seed_and_epoch_whatever_was_drawn_before(net):
    seed_dropout(net, 1, 2)
    first = masks(net)
    assert 100 < np.count_nonzero(first[0]) < 300
    assert (first[0] != first[1]).mean() > 0.3  # two layers, two masks
    again = masks(net)
    assert (first[0] != again[0]).mean() > 0.3  # the next step draws other masks
    assert (first[1] != again[1]).mean() > 0.3

    keras.random.normal((7,))
    seed_dropout(net, 1, 2)
    np.testing.assert_array_equal(masks(net), first)
    for seed, epoch in ((1, 3), (2, 2)):
        seed_dropout(net, seed, epoch)
        other = masks(net)
        assert (first[0] != other[0]).mean() > 0.3
        assert (first[1] != other[1]).mean() > 0.3


@pytest.mark.portable
def test_generators_go_on_from_where_they_stood(net):
    seed_dropout(net, 0, 0)
    masks(net)
    states = {name: state.copy() for name, state in generator_states(net).items()}
    first, second = masks(net), masks(net)
    set_generator_states(net, states)
    again = masks(net)
    for mask, expected, later in zip(again, first, second, strict=True):
        np.testing.assert_array_equal(mask, expected)
        assert (mask != later).any()


def test_deterministic_kernels_are_asked_of_every_backend(monkeypatch):
    for name in ("CUBLAS_WORKSPACE_CONFIG", "TF_DETERMINISTIC_OPS", "XLA_FLAGS"):
        monkeypatch.setenv(name, "--mine" if name == "XLA_FLAGS" else "")
    use_deterministic_kernels()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert os.environ["TF_DETERMINISTIC_OPS"] == "1"
    assert os.environ["XLA_FLAGS"] == "--mine --xla_gpu_deterministic_ops=true"
    asked = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    assert asked
