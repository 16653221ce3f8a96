"""What holds for any weights and any small net: every bit is kept, a step is taken."""

import hypothesis
import keras
import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.models import networks, torch_files, torch_weights, weights
from keras_fmnist.pytorch import from_spec
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.record import read_record
from keras_fmnist.specs import ClassifierSpec, override
from keras_fmnist.training.compile import compile_model
from tests.helpers.strategies import (
    AUTOENCODER,
    CLASSIFIER,
    SGD,
    deconvs,
    examples,
    merged,
    prefixed,
)


@examples(100)
@hypothesis.given(content=st.binary(max_size=60))
def test_bytes_that_are_no_file_of_ours_are_refused(tmp_path, content):
    for name, read, error in (
        ("record.json", read_record, RecordError),
        ("w.safetensors", weights.load, weights.WeightsError),
        ("w.pt", torch_files.load_native, weights.WeightsError),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(error, match=name):
            read(path)


LAYERS = {  # the ranks of their variables
    "conv": {"kernel": 4, "bias": 1},
    "dense": {"kernel": 2, "bias": 1},
    "bn": {"gamma": 1, "beta": 1, "moving_mean": 1, "moving_variance": 1},
}


@st.composite
def arrays(draw):
    """Weights of layers with any name, and of any bits: also NaN, −0 and what is next to 0."""
    paths = st.from_regex(r"([a-z]{1,3}/)?[a-z][0-9]?", fullmatch=True)
    made = {}
    for path in draw(st.lists(paths, unique=True, max_size=4)):
        for variable, rank in LAYERS[draw(st.sampled_from(sorted(LAYERS)))].items():
            shape = tuple(draw(st.integers(1, 3)) for _ in range(rank))
            size = 4 * int(np.prod(shape))
            content = bytearray(draw(st.binary(min_size=size, max_size=size)))
            made[f"{path}/{variable}"] = np.frombuffer(content, np.float32).reshape(shape)
    return made


def bits(arrays):
    return {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}


@examples(40)
@hypothesis.given(arrays=arrays())
def test_any_weights_keep_every_bit_through_every_format(tmp_path, arrays):
    weights.save(tmp_path / "w.safetensors", arrays)
    loaded = weights.load(tmp_path / "w.safetensors", weights.digest(arrays))
    assert bits(loaded) == bits(arrays)
    torch_weights.save_native(tmp_path / "w.pt", torch_weights.to_native(arrays))
    native = torch_files.load_native(tmp_path / "w.pt").arrays
    assert bits(torch_weights.from_native(native, arrays)) == bits(arrays)


SMALL = AUTOENCODER | {
    "kernels": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "latent": st.integers(0, 8),
    "dropout": st.sampled_from([0.0, 0.3]),
}


small_autoencoders = merged(
    st.fixed_dictionaries(SMALL), SGD, st.deferred(lambda: st.sampled_from(deconvs()))
)


small_specs = small_autoencoders.map(lambda changes: override(BASE, changes)) | merged(
    st.fixed_dictionaries(CLASSIFIER | {"hidden": st.integers(0, 4)}),
    small_autoencoders.map(prefixed),
).map(lambda changes: override(CLASSIFIER_FULL, changes))


@examples(20)
@hypothesis.given(spec=small_specs, seed=st.integers(0, 99))
def test_any_small_net_trains_a_step_and_goes_to_pytorch_and_back(dataset, spec, seed):
    images = scale_pixels(dataset.train_images[:6], spec.pixel_min)
    is_classifier = isinstance(spec, ClassifierSpec)
    model = networks.build(spec, seed)
    before = weights.get_arrays(model)
    compile_model(model, spec, fast=False)
    loss = model.train_on_batch(images, dataset.train_labels[:6] if is_classifier else images)
    assert np.isfinite(loss).all()
    after = weights.get_arrays(model)
    moved = {name for name in after if not np.array_equal(before[name], after[name])}
    assert moved or (is_classifier and spec.relu_logits)  # a ReLU may silence every logit
    if is_classifier and spec.frozen:
        assert not any(name.startswith("encoder/") for name in moved)

    native = torch_weights.to_native(after)
    net = from_spec.build(spec).eval()
    net.load_state_dict({name: torch.from_numpy(array) for name, array in native.items()})
    with torch.no_grad():
        theirs = net(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    if not is_classifier:
        theirs = theirs.transpose(0, 2, 3, 1)
    ours = keras.ops.convert_to_numpy(model(images, training=False))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    assert bits(torch_weights.from_native(state, after)) == bits(after)


def test_a_single_number_comes_back_as_a_single_number(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.save(path, {"iteration": np.array(7, np.int32)})  # as a checkpoint has it
    loaded = weights.load(path)["iteration"]
    assert (loaded.shape, loaded.dtype, int(loaded)) == ((), np.int32, 7)
