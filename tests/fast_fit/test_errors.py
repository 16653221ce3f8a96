"""The reason of an error is told as it was given."""

import keras
import pytest
from keras import layers

from keras_fmnist.fast_fit import UntraceableError


class Refuses(layers.Layer):
    def call(self, x):
        if not x.is_meta:
            raise UntraceableError("two words")
        return x


def test_what_keras_writes_around_a_reason_is_taken_off():
    vector = keras.Input((3,))
    inner = keras.Model(vector, Refuses()(vector))
    model = keras.Model(vector, inner(vector))
    with pytest.raises(UntraceableError, match=r"^two words$"):
        model(keras.ops.ones((2, 3)))
