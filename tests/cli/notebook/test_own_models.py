"""Any Keras model, measured and compared."""

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch import nn

from keras_fmnist.cli.notebook.own_models import compare, inspect
from keras_fmnist.settings import SpecError

IMAGES = np.random.default_rng(0).uniform(size=(200, 8, 8, 1)).astype(np.float32)


def build(*stack):
    return keras.Sequential([keras.Input((8, 8, 1)), *stack])


def test_the_loss_of_compile_is_taken_where_none_is_given():
    model = build(layers.Flatten(), layers.Dense(3, "softmax", name="end"))
    assert inspect(model, IMAGES).warnings == []
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert inspect(model, IMAGES).warnings[0].startswith("end: a softmax before a cross entropy")
    assert inspect(model, IMAGES, "sparse_categorical_crossentropy").warnings == []
    model.compile("sgd", "mse")
    assert inspect(model, IMAGES).warnings == []
    model.compile("sgd", {"end": keras.losses.SparseCategoricalCrossentropy(from_logits=True)})
    assert inspect(model, IMAGES).warnings == []  # of several outputs each has its own


def test_an_inspection_is_printed_as_a_table_with_its_warnings():
    model = build(layers.Dropout(0.5, name="drop"), layers.MaxPooling2D(name="pool"))
    lines = repr(inspect(model, IMAGES, "mse")).splitlines()
    assert lines[0].split()[:2] == ["layer", "output"]
    assert [line.split()[0] for line in lines[2:4]] == ["drop", "pool"] or "pool" in repr(lines)
    assert lines[-1].startswith("warning: pool: the maximum over what drop keeps")
    plain = inspect(build(layers.Flatten()), IMAGES)
    assert repr(plain).splitlines()[-1] == "no warnings"


@pytest.mark.parametrize(
    ("model", "images", "loss", "words"),
    [
        (build(layers.Flatten()), IMAGES[:0], "mse", "images are none"),
        (build(layers.Flatten()), IMAGES, "sme", "sme is no loss of Keras"),
        ("mansilla/base", IMAGES, "mse", "model must be a Keras model, not 'mansilla/base'"),
    ],
)
def test_no_model_no_images_or_no_loss_is_told(model, images, loss, words):
    with pytest.raises(SpecError, match=words):
        inspect(model, images, loss)


def test_a_comparison_passes_or_shows_what_is_over():
    model = build(layers.Conv2D(2, 3, activation="relu", name="conv"))
    same = compare(model, nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), IMAGES[:5])
    assert same.passed
    assert "OVER" not in repr(same)
    other = compare(model, nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()), IMAGES[:5])
    assert not other.passed
    assert "OVER" in repr(other)
    assert torch.is_grad_enabled()
