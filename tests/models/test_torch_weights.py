"""Weights between Keras and PyTorch: every element where the other wants it, and back."""

import os

import keras
import numpy as np
import pytest
import torch

from experiments.mansilla import BASE
from keras_fmnist.models import networks, torch_files, torch_weights, weights
from keras_fmnist.pytorch import from_spec
from tests.helpers.nets import by_name, native_outputs, outputs_of


@pytest.fixture(scope="module")
def images(dataset):
    return dataset.test_images[:8].astype(np.float32) / 255


def bits(arrays):
    """Every array's type, shape and bytes: what −0.0 and 0.0 differ in."""
    return {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}


@pytest.fixture
def arrays_of():
    """`arrays_of(spec)`: arrays for its model, with values that arithmetic would change."""

    def draw(spec):
        rng = np.random.default_rng(0)
        arrays = {
            name: rng.normal(size=tuple(v.shape)).astype(np.float32)
            for name, v in weights.variables(networks.build(spec)).items()
        }
        for array in arrays.values():
            special = np.float32([-0.0, 1e-42, 3.4e38])[: array.size]
            array.reshape(-1)[: len(special)] = special
        return arrays

    return draw


@pytest.mark.portable
@by_name
def test_there_and_back_changes_no_bit(spec, arrays_of):
    arrays = arrays_of(spec)
    native = torch_weights.to_native(arrays)
    assert bits(torch_weights.from_native(native, arrays)) == bits(arrays)
    again = torch_weights.to_native(torch_weights.from_native(native, arrays))
    assert bits(again) == bits(native)


@pytest.mark.portable
@by_name
def test_names_and_shapes_are_those_of_the_native_state_dict(spec, arrays_of):
    native = torch_weights.to_native(arrays_of(spec))
    expected = {name: tuple(t.shape) for name, t in from_spec.build(spec).state_dict().items()}
    assert {name: array.shape for name, array in native.items()} == expected
    assert len(expected) == (12 if spec is BASE else 8)


def test_every_element_goes_where_pytorch_wants_it():
    def numbered(*shape):
        return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    kernel, dense = numbered(2, 3, 5, 7), numbered(4, 6)
    native = torch_weights.to_native({"a/b/kernel": kernel, "c/kernel": dense})
    assert list(native) == ["a.b.weight", "c.weight"]
    for row, column, one, other in np.ndindex(kernel.shape):
        assert native["a.b.weight"][other, one, row, column] == kernel[row, column, one, other]
    for one, other in np.ndindex(dense.shape):
        assert native["c.weight"][other, one] == dense[one, other]


@pytest.mark.portable
def test_batch_norm_keeps_its_scale_its_shift_and_its_statistics(images):
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3, name="conv1"),
            keras.layers.BatchNormalization(epsilon=1e-5, name="bn1"),
        ]
    )
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.uniform(0.5, 1.5, tuple(v.shape)).astype(np.float32)
        for name, v in weights.variables(model).items()
    }
    weights.set_arrays(model, arrays)
    native = torch_weights.to_native(arrays)
    assert native.keys() == {
        *("conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias"),
        *("bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked"),
    }
    for ours, theirs in {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }.items():
        np.testing.assert_array_equal(native[f"bn1.{theirs}"], arrays[f"bn1/{ours}"])
    net = torch.nn.Sequential()
    net.add_module("conv1", torch.nn.Conv2d(1, 4, 3))
    net.add_module("bn1", torch.nn.BatchNorm2d(4))
    net.load_state_dict({name: torch.from_numpy(array) for name, array in native.items()})
    np.testing.assert_allclose(
        outputs_of(model, images), native_outputs(net, images), atol=1e-5, rtol=0
    )
    # And back: the counter that Keras has no place for is left out.
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    assert bits(torch_weights.from_native(state, arrays)) == bits(arrays)


@pytest.mark.portable
@by_name
def test_a_native_file_gives_the_native_net_the_outputs_of_the_keras_model(spec, images, tmp_path):
    model = networks.build(spec, seed=1)
    torch_weights.save_native(tmp_path / "w.pt", torch_weights.to_native(weights.get_arrays(model)))
    net = from_spec.build(spec)
    net.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True))
    ours = outputs_of(model, images)
    assert ours.std() > 1e-3
    np.testing.assert_allclose(ours, native_outputs(net, images), atol=1e-5, rtol=0)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_a_file_far_too_long_and_one_without_an_end_are_not_read(tmp_path, tally, ending):
    read = {"pt": torch_files.load_native, "safetensors": weights.load}[ending]
    path = tmp_path / f"w.{ending}"
    path.touch()
    os.truncate(path, 1 << 40)  # a sparse terabyte
    with pytest.raises(weights.WeightsError, match="1099511627776 bytes are more than"):
        read(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(weights.WeightsError, match="it is no regular file"):
        read(path)
    tally("damaged weights refused", 2)
