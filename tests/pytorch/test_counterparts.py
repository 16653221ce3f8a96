"""A model and a module that is meant to be the same net: where they part, and where they do not."""

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch import nn

from keras_fmnist.models import weights
from keras_fmnist.models.matching import MatchError
from keras_fmnist.pytorch.counterparts import compare_with_module

IMAGES = np.random.default_rng(0).normal(size=(6, 9, 8, 2)).astype(np.float32)


def build(*stack, shape=(9, 8, 2)):
    return keras.Sequential([keras.Input(shape), *stack])


def net():
    """Convolutions both ways, batch norm, dropout, a dense layer behind a map."""
    model = build(
        layers.Conv2D(4, 3, activation="relu", name="a"),
        layers.BatchNormalization(epsilon=1e-5, name="norm"),
        layers.Dropout(0.5),
        layers.Conv2DTranspose(3, 2, strides=2, name="b"),
        layers.Permute((3, 1, 2)),
        layers.Flatten(),
        layers.Dense(5, activation="softmax", name="c"),
    )
    keras.utils.set_random_seed(1)
    model.get_layer("norm").set_weights([np.float32([1, 2, 3, 4]), *np.ones((3, 4), np.float32)])
    return model


def twin(eps=1e-5, last=None):
    return nn.Sequential(
        nn.Conv2d(2, 4, 3),
        nn.ReLU(),
        nn.BatchNorm2d(4, eps=eps),
        nn.Dropout(0.5),
        nn.ConvTranspose2d(4, 3, 2, stride=2),
        nn.Flatten(),
        nn.Linear(3 * 14 * 12, 5),
        last or nn.Softmax(1),
    )


def over(rows):
    return {(row.name, row.kind) for row in rows if not row.passed}


@pytest.mark.portable
def test_the_same_net_has_the_same_outputs_and_gradients():
    rows = compare_with_module(net(), twin(), IMAGES)
    assert over(rows) == set()
    assert [row.name for row in rows if row.kind == "output"] == ["0", "2", "4", "6", "output"]
    gradients = [row.name for row in rows if row.kind == "gradient"]
    assert sorted(gradients) == sorted(f"{n}.{w}" for n in "0246" for w in ("weight", "bias"))
    assert all(row.tolerance > 0 for row in rows if row.name.endswith("weight"))


def test_neither_side_is_changed():
    model, module = net(), twin()
    before = weights.digest(weights.get_arrays(model))
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    compare_with_module(model, module, IMAGES)
    assert weights.digest(weights.get_arrays(model)) == before
    assert all(torch.equal(state[name], tensor) for name, tensor in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    assert module.training
    assert [part.p for part in module if isinstance(part, nn.Dropout)] == [0.5]
    assert model.layers[2].rate == 0.5


def test_another_epsilon_is_seen_at_the_norm_and_behind_it():
    found = over(compare_with_module(net(), twin(eps=0.1), IMAGES))
    assert ("0", "output") not in found
    assert {("2", "output"), ("4", "output"), ("output", "output")} <= found


def test_another_last_function_is_seen_in_the_whole_alone():
    found = over(compare_with_module(net(), twin(last=nn.Sigmoid()), IMAGES))
    assert {name for name, kind in found if kind == "output"} == {"output"}
    assert any(kind == "gradient" for _, kind in found)


def test_a_map_that_is_flattened_in_another_order_is_seen():
    model = build(layers.Conv2D(4, 3, name="a"), layers.Flatten(), layers.Dense(5, name="c"))
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(4 * 7 * 6, 5))
    assert {name for name, kind in over(compare_with_module(model, module, IMAGES))} >= {"2"}


def test_images_that_are_channels_first_already_stay_so():
    model = build(layers.Conv2D(4, 3, data_format="channels_first", name="a"), shape=(2, 9, 8))
    images = IMAGES.transpose(0, 3, 1, 2)
    if keras.backend.backend() == "torch":
        assert over(compare_with_module(model, nn.Sequential(nn.Conv2d(2, 4, 3)), images)) == set()


@pytest.mark.parametrize(
    ("layer", "module", "shape"),
    [
        (layers.Conv1D(4, 3), nn.Conv1d(2, 4, 3), (9, 2)),
        (layers.Conv1DTranspose(4, 3, strides=2), nn.ConvTranspose1d(2, 4, 3, 2), (9, 2)),
        (layers.Conv3D(4, 3), nn.Conv3d(2, 4, 3), (6, 5, 4, 2)),
        (layers.Conv2D(4, 3, groups=2), nn.Conv2d(2, 4, 3, groups=2), (9, 8, 2)),
        (layers.LayerNormalization(epsilon=1e-5), nn.LayerNorm(5), (5,)),
    ],
    ids=["Conv1D", "Conv1DTranspose", "Conv3D", "groups", "LayerNormalization"],
)
def test_layers_of_any_dimension_are_compared(layer, module, shape):
    image = keras.Input(shape)
    model = keras.Model(image, type(layer).from_config(layer.get_config())(image))
    images = np.random.default_rng(0).normal(size=(3, *shape))  # float64, as numpy makes them
    rows = compare_with_module(model, module, images)
    assert over(rows) == set()
    assert {row.kind for row in rows} == {"output", "gradient"}


def test_torchs_generator_is_left_alone():
    model, module = net(), twin()
    before = torch.get_rng_state()
    compare_with_module(model, module, IMAGES)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("model", "module", "words"),
    [
        (3, nn.Linear(1, 1), "model must be a Keras model, not int"),
        (net(), net(), "module must be a torch.nn.Module, not Sequential"),
        (net(), 3, "module must be a torch.nn.Module, not int"),
    ],
)
def test_a_side_of_another_kind_is_refused(model, module, words):
    with pytest.raises(ValueError, match=words):
        compare_with_module(model, module, IMAGES)


def test_a_model_of_two_outputs_is_refused():
    vector = keras.Input((3,))
    model = keras.Model(vector, [layers.Dense(1)(vector), layers.Dense(2)(vector)])
    with pytest.raises(ValueError, match="must have one input and one output"):
        compare_with_module(model, nn.Linear(3, 1), np.zeros((1, 3), np.float32))


def test_names_decide_where_order_and_shape_do_not():
    class Swapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.second, self.first = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            return self.second(self.first(x))

    model = build(layers.Dense(3, name="one"), layers.Dense(3, name="two"), shape=(3,))
    x = np.float32([[1, 2, 3]])
    assert over(compare_with_module(model, Swapped(), x))
    layer = {"first": "one", "second": "two"}
    names = {f"{a}.{w}": f"{b}.{w}" for a, b in layer.items() for w in ("weight", "bias")}
    assert over(compare_with_module(model, Swapped(), x, names)) == set()


def test_a_module_of_another_form_is_refused_with_both_sides():
    with pytest.raises(MatchError, match="tensors do not fit"):
        compare_with_module(net(), nn.Sequential(nn.Conv2d(2, 7, 3), nn.ReLU()), IMAGES)


def test_a_decoder_of_one_layer_is_no_match_for_another_net():
    """Nothing of the module would be compared."""
    model = build(layers.Dense(3, name="one"), shape=(3,))
    module = nn.Sequential()
    module.add_module("decoder", nn.Linear(4, 4))
    with pytest.raises(MatchError):
        compare_with_module(model, module, np.float32([[1, 2, 3]]))


def test_a_module_that_is_the_encoder_alone_is_refused():
    parts = {
        name: keras.Sequential([layers.Dense(3, name="a")], name=name)
        for name in ("encoder", "decoder")
    }
    model = build(*parts.values(), shape=(3,))
    module = nn.ModuleDict({"encoder": nn.ModuleDict({"a": nn.Linear(3, 3)})})
    with pytest.raises(MatchError, match=r"decoder.a.weight has no tensor in the module"):
        compare_with_module(model, module, np.float32([[1, 2, 3]]))


def test_a_layer_that_pytorch_keeps_otherwise_is_refused():
    model = build(layers.LSTM(3), shape=(4, 2))
    with pytest.raises(ValueError, match="recurrent_kernel has no counterpart"):
        compare_with_module(model, nn.LSTM(2, 3), np.zeros((1, 4, 2), np.float32))


def test_a_subclassed_model_is_refused():
    class Own(keras.Model):
        pass

    with pytest.raises(ValueError, match="must be a functional or sequential model"):
        compare_with_module(Own(), nn.Linear(1, 1), np.zeros((1, 1), np.float32))
