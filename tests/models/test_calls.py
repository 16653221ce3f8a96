"""Calls are followed in any net: in order, once each, with the layers that they take from."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_fmnist.models.calls import follow_calls, list_layers, walk_back

ONES = np.ones((2, 8, 8, 1), np.float32)


class Branches(keras.Model):
    """Two branches that a layer adds up, as somebody writes it who subclasses."""

    def __init__(self):
        super().__init__()
        self.left = layers.Conv2D(2, 1, name="left")
        self.right = layers.Conv2D(2, 3, padding="same", name="right")
        self.never = layers.Dense(9, name="never")
        self.add = layers.Add(name="sum")

    def call(self, x):
        return self.add([self.left(x), self.right(self.left(x))])


def functional():
    image = keras.Input((8, 8, 1))
    left = layers.Conv2D(2, 1, name="left")
    inner = keras.Sequential([layers.Conv2D(2, 3, padding="same", name="right")], name="inner")
    summed = layers.Add(name="sum")([left(image), inner(keras.ops.relu(left(image)))])
    return keras.Model(image, summed)


def follow(model, images=ONES):
    calls = []
    with follow_calls(model, calls.append):
        outputs = model(images)
    return calls, keras.ops.convert_to_numpy(outputs)


@pytest.mark.portable
@pytest.mark.filterwarnings("ignore:`build")  # Keras misses a `build` of the subclass
@pytest.mark.parametrize(("build", "right"), [(Branches, "right"), (functional, "inner.right")])
def test_every_call_is_seen_with_the_layers_it_takes_from(build, right):
    model = build()
    calls, outputs = follow(model)
    before = {(call.name, call.before) for call in calls}
    assert before == {("left", ()), (right, ("left",)), ("sum", ("left", right))}
    assert [call.name for call in calls][-2:] == [right, "sum"]
    assert calls[0].input_shape == (8, 8, 1)
    np.testing.assert_array_equal(calls[-1].output, outputs)
    np.testing.assert_array_equal(outputs, keras.ops.convert_to_numpy(model(ONES)))


def test_what_a_layer_of_somebodys_own_holds_is_a_part_of_it():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    model = keras.Sequential([keras.Input((4,)), Block(), layers.Dense(2, name="end")])
    calls, _ = follow(model, np.ones((2, 4), np.float32))
    assert [(call.name, call.before) for call in calls] == [("block", ()), ("end", ("block",))]


def test_layers_of_nets_within_nets_are_listed_by_their_path():
    inner = keras.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="b")], name="inner")
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(2, name="end")])
    assert [name for name, _ in list_layers(model)] == ["inner.a", "inner.b", "end"]


def test_nothing_is_seen_outside_and_keras_is_as_it_was():
    call_operation = keras.Operation.__call__
    model = functional()
    calls, _ = follow(model)
    seen = len(calls)
    model(ONES)
    assert len(calls) == seen == 4
    assert keras.Operation.__call__ is call_operation


def test_a_walk_back_meets_each_layer_once_and_the_nearest_first():
    before = {"sum": ("left", "right"), "left": ("image",), "right": ("left",), "image": ()}
    assert list(walk_back("sum", before.__getitem__)) == ["sum", "left", "right", "image"]


def test_a_walk_back_ends_where_layers_take_from_each_other():
    before = {"cell": ("state",), "state": ("cell",)}
    assert list(walk_back("cell", before.__getitem__)) == ["cell", "state"]
