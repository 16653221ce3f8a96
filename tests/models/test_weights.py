"""Weights: names, round trips, and what is refused by name."""

import json
import pickle
import struct

import keras
import numpy as np
import pytest
import safetensors.numpy
import torch

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.models import networks, torch_files, torch_weights, weights
from keras_fmnist.pytorch import nets
from keras_fmnist.specs import override

SHAPES = {
    "encoder/conv1/kernel": (3, 3, 1, 16),
    "encoder/conv1/bias": (16,),
    "encoder/conv2/kernel": (3, 3, 16, 32),
    "encoder/conv2/bias": (32,),
    "encoder/latent/kernel": (800, 64),
    "encoder/latent/bias": (64,),
    "decoder/hidden/kernel": (64, 800),
    "decoder/hidden/bias": (800,),
    "decoder/deconv1/kernel": (4, 4, 16, 32),
    "decoder/deconv1/bias": (16,),
    "decoder/deconv2/kernel": (3, 3, 1, 16),
    "decoder/deconv2/bias": (1,),
}


@pytest.fixture
def model():
    return networks.autoencoder(BASE)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def are_equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


@pytest.mark.portable
def test_names_and_shapes_are_the_same_on_every_backend(model):
    named = weights.variables(model)
    assert {name: tuple(v.shape) for name, v in named.items()} == SHAPES
    assert list(named) == list(SHAPES)
    head = networks.classifier(model.get_layer("encoder"), CLASSIFIER_FULL)
    assert list(weights.variables(head)) == [*list(SHAPES)[:6], "logits/kernel", "logits/bias"]


@pytest.mark.portable
def test_arrays_put_into_a_model_come_back_and_act(model, arrays, dataset):
    images = dataset.test_images[:3].astype(np.float32) / 255
    weights.set_arrays(model, arrays)
    assert are_equal(weights.get_arrays(model), arrays)
    other = networks.autoencoder(BASE, seed=1)
    assert not np.array_equal(other(images, training=False), model(images, training=False))
    weights.set_arrays(other, weights.get_arrays(model))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(other(images, training=False)),
        keras.ops.convert_to_numpy(model(images, training=False)),
    )


def test_arrays_that_were_got_do_not_move_with_the_model(model):
    before = weights.get_arrays(model)
    copies = {name: array.copy() for name, array in before.items()}
    with torch.no_grad():
        for variable in model.weights:
            variable.value.add_(1)  # in place, as an optimiser does it
    assert are_equal(before, copies)
    assert not are_equal(before, weights.get_arrays(model))
    before["encoder/conv1/bias"] += 1
    assert not are_equal(before, weights.get_arrays(model))


@pytest.mark.portable
def test_a_file_gives_back_what_was_saved(model, tmp_path):
    arrays = weights.get_arrays(model)
    weights.save(tmp_path / "w.safetensors", arrays)
    loaded = weights.load(tmp_path / "w.safetensors", weights.digest(arrays))
    assert are_equal(loaded, arrays)
    assert all(array.dtype == np.float32 for array in loaded.values())
    weights.set_arrays(networks.autoencoder(BASE, seed=1), loaded)


def test_an_array_that_does_not_lie_in_rows_comes_back_as_it_was(tmp_path):
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    laid = {"turned": whole.T, "backwards": whole[::-1], "every second": whole[:, ::2]}
    weights.save(tmp_path / "w.safetensors", laid)
    assert are_equal(weights.load(tmp_path / "w.safetensors"), laid)


def test_a_part_has_the_names_of_its_own_layers(model):
    arrays = weights.get_arrays(model)
    encoder = weights.select(arrays, "encoder")
    assert list(encoder) == [name.removeprefix("encoder/") for name in list(SHAPES)[:6]]
    assert are_equal(encoder, weights.get_arrays(model.get_layer("encoder")))
    assert weights.select({"encoder2/conv1/kernel": 1, "a/encoder/b": 2}, "encoder") == {}


NAME = "encoder/conv2/kernel"


def without(arrays):
    return {name: array for name, array in arrays.items() if name != NAME}


def with_nan(arrays, value):
    array = arrays[NAME].copy()
    array[1, 2, 3, 4] = value
    return arrays | {NAME: array}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without, f"autoencoder: {NAME} is missing"),
        (lambda a: a | {"decoder/x/kernel": a[NAME]}, "decoder/x/kernel belongs to no layer"),
        (
            lambda a: a | {NAME: a[NAME].T},
            rf"{NAME} must have the shape \(3, 3, 16, 32\), not \(32",
        ),
        (lambda a: a | {NAME: a[NAME].astype(float)}, f"{NAME} must be float32, not float64"),
        (lambda a: a | {NAME: a[NAME].astype(np.float16)}, f"{NAME} must be float32, not float16"),
        (lambda a: with_nan(a, np.nan), f"{NAME} holds values that are not finite"),
        (lambda a: with_nan(a, -np.inf), f"{NAME} holds values that are not finite"),
    ],
    ids=["missing", "unknown", "shape", "double", "half", "nan", "infinite"],
)
def test_arrays_that_do_not_fit_are_refused_by_name_and_change_nothing(
    model, arrays, damage, words
):
    before = weights.get_arrays(model)
    with pytest.raises(weights.WeightsError, match=words):
        weights.set_arrays(model, damage(arrays))
    assert are_equal(weights.get_arrays(model), before)


def test_weights_of_another_latent_do_not_fit(model):
    other = weights.get_arrays(networks.autoencoder(override(BASE, {"latent": 32})))
    with pytest.raises(
        weights.WeightsError, match=r"encoder/latent/kernel must have .*\(800, 64\)"
    ):
        weights.set_arrays(model, other)


def test_a_digest_depends_on_names_shapes_types_and_values_and_not_on_the_order(arrays):
    digest = weights.digest(arrays)
    assert len(digest) == 64
    assert weights.digest(dict(reversed(arrays.items()))) == digest
    assert weights.digest({k: np.asfortranarray(a) for k, a in arrays.items()}) == digest
    bias = arrays["decoder/deconv2/bias"]
    others = [
        without(arrays),
        arrays | {"decoder/deconv2/bias": np.nextafter(bias, 9, dtype=np.float32)},
        arrays | {"decoder/deconv2/bias": bias.reshape(1, 1)},
        arrays | {"decoder/deconv2/bias": bias.astype(float)},
        without(arrays) | {"encoder/other/kernel": arrays[NAME]},
    ]
    assert len({digest, *map(weights.digest, others)}) == 1 + len(others)


def flip(content):
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def packed(header, body, length=None):
    """A safetensors file of a header, as an object or as bytes, that may lie about its length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def edited(content, edit):
    """The file with another header over the same numbers."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    return packed(edit(header) or header, content[8 + length :])


def with_entry(**changes):
    """Damage to what the header says of one tensor."""
    return lambda content: edited(content, lambda header: header[NAME].update(changes))


def overlapping(header):
    header[NAME]["data_offsets"] = header["decoder/deconv1/kernel"]["data_offsets"]


def moved_to(name):
    """Damage to a name: the tensor goes by another one."""
    return lambda content: edited(content, lambda header: header.update({name: header.pop(NAME)}))


UNREADABLE = "is no whole safetensors file"
CONTENTS = {
    "cut by one byte": (lambda content: content[:-1], UNREADABLE),
    "cut in the header": (lambda content: content[:100], UNREADABLE),
    "cut in its length": (lambda content: content[:5], UNREADABLE),
    "empty": (lambda content: b"", UNREADABLE),
    "html": (lambda content: b"<html>404</html>", UNREADABLE),
    "a pickle": (lambda content: pickle.dumps(RunsCode("ran")), UNREADABLE),
    "HDF5": (lambda content: b"\x89HDF\r\n\x1a\n" + content, UNREADABLE),
    "an archive": (lambda content: b"PK\x03\x04" + content, UNREADABLE),
    "longer": (lambda content: content + b"\0", UNREADABLE),
    "a header of 10 GB": (lambda content: packed({}, content, 10 << 30), UNREADABLE),
    "a header without end": (lambda content: packed({}, content, 2**64 - 1), UNREADABLE),
    "a header that is deep": (lambda content: packed(b'{"a":' * 10**5, b""), UNREADABLE),
    "a header that is a list": (lambda content: packed([], b""), UNREADABLE),
    "a header of other letters": (lambda content: packed(b"\xff\xfe{}", b""), UNREADABLE),
    "overlapping offsets": (lambda content: edited(content, overlapping), UNREADABLE),
    "an offset before the start": (with_entry(data_offsets=[-8, 0]), UNREADABLE),
    "offsets in reverse": (with_entry(data_offsets=[18432, 0]), UNREADABLE),
    "an offset behind the end": (
        with_entry(data_offsets=[0, 10**12], shape=[10**12 // 4]),
        UNREADABLE,
    ),
    "a hole": (
        lambda content: edited(content, lambda header: header.pop(NAME) and header),
        UNREADABLE,
    ),
    "a shape of another size": (with_entry(shape=[3, 3, 16, 31]), UNREADABLE),
    "a shape below zero": (with_entry(shape=[-3, -3, 16, 32]), UNREADABLE),
    "a shape beyond 64 bits": (with_entry(shape=[2**63, 2, 2]), UNREADABLE),
    "too many axes": (with_entry(shape=[1] * 100 + [4608]), UNREADABLE),
    "a type numpy lacks": (with_entry(dtype="F8_E4M3", shape=[18_432]), UNREADABLE),
    "bfloat16 of another shape": (
        with_entry(dtype="BF16", shape=[9216]),
        f"{NAME} must have the shape (3, 3, 16, 32), not (9216,)",
    ),
    "a type nobody has": (with_entry(dtype="OBJECT"), UNREADABLE),
    "another shape": (
        with_entry(shape=[3, 3, 32, 16]),
        f"{NAME} must have the shape (3, 3, 16, 32), not (3, 3, 32, 16)",
    ),
    "another type": (with_entry(dtype="I32"), f"{NAME} must be float32, not int32"),
    "half as exact": (
        with_entry(dtype="F16", shape=[9216]),
        f"{NAME} must have the shape (3, 3, 16, 32), not (9216,)",
    ),
    "an empty tensor": (
        lambda content: edited(
            content,
            lambda header: header.update(x={**header[NAME], "shape": [0], "data_offsets": [0, 0]}),
        ),
        "x belongs to no layer",
    ),
    "a path for a name": (moved_to("../../../etc/passwd"), f"{NAME} is missing"),
    "no tensor": (lambda content: safetensors.numpy.save({}), "decoder/deconv1/bias is missing"),
    "NaN": (lambda content: content[:-4] + b"\x00\x00\xc0\x7f", "values that are not finite"),
    "infinity": (lambda content: content[:-4] + b"\x00\x00\x80\x7f", "values that are not finite"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_damaged_file_is_refused_and_changes_no_weight(
    model, arrays, tmp_path, monkeypatch, tally, kind
):
    damage, words = CONTENTS[kind]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.safetensors"
    whole = safetensors.numpy.save(arrays)
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole
    before = weights.get_arrays(model)
    with pytest.raises(weights.WeightsError) as error:
        weights.set_arrays(model, weights.load(path))
    assert words in str(error.value)
    # Where a record names the digest no damage gets that far.
    with pytest.raises(weights.WeightsError, match=rf"^{path} (is no|does not hold)"):
        weights.load(path, weights.digest(arrays))
    assert are_equal(weights.get_arrays(model), before)
    assert list(tmp_path.iterdir()) == [path]
    tally("damaged weights refused")


def test_a_flipped_bit_is_noticed_by_the_digest(tmp_path, arrays, tally):
    path = tmp_path / "w.safetensors"
    path.write_bytes(flip(safetensors.numpy.save(arrays)))
    assert weights.load(path).keys() == arrays.keys()
    with pytest.raises(weights.WeightsError, match="does not hold the weights that its record"):
        weights.load(path, weights.digest(arrays))
    tally("damaged weights refused")


def test_a_missing_file_and_one_of_other_weights_are_named(tmp_path, arrays):
    path = tmp_path / "w.safetensors"
    with pytest.raises(weights.WeightsError, match=r"w\.safetensors is missing"):
        weights.load(path, weights.digest(arrays))
    weights.save(path, without(arrays))
    with pytest.raises(weights.WeightsError, match="does not hold the weights"):
        weights.load(path, weights.digest(arrays))


def test_a_native_net_with_the_same_weights_gives_the_same_images(model, dataset):
    arrays = torch_weights.to_native(weights.get_arrays(model))
    assert list(arrays)[:2] == ["encoder.conv1.weight", "encoder.conv1.bias"]
    net = nets.Autoencoder(nets.Encoder(), nets.Decoder()).eval()
    net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    images = dataset.test_images[:5].astype(np.float32) / 255
    with torch.no_grad():
        theirs = net(torch.from_numpy(images).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    ours = keras.ops.convert_to_numpy(model(images, training=False))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_native_names_and_layouts_turn_back_exactly(arrays):
    back = torch_weights.from_native(torch_weights.to_native(arrays), arrays)
    assert are_equal(back, arrays)
    with pytest.raises(weights.WeightsError, match=r"encoder\.conv2\.weight is missing"):
        torch_weights.from_native(torch_weights.to_native(without(arrays)), arrays)
    with pytest.raises(weights.WeightsError, match=r"encoder\.conv2\.weight belongs to no layer"):
        torch_weights.from_native(torch_weights.to_native(arrays), without(arrays))


def test_a_native_file_gives_back_its_arrays_and_one_with_code_is_refused(arrays, tmp_path):
    path = tmp_path / "w.pt"
    torch_weights.save_native(path, torch_weights.to_native(arrays))
    assert are_equal(torch_files.load_native(path).arrays, torch_weights.to_native(arrays))
    marker = tmp_path / "ran"
    torch.save({"encoder.conv1.weight": RunsCode(marker)}, path)
    with pytest.raises(weights.WeightsError, match=r"w\.pt holds an object, io\.open,"):
        torch_files.load_native(path)
    assert not marker.exists()
    torch.save({"epochs": 3}, path)
    with pytest.raises(weights.WeightsError, match=r"w\.pt must hold a state_dict"):
        torch_files.load_native(path)
    with pytest.raises(weights.WeightsError, match=r"none\.pt does not exist"):
        torch_files.load_native(tmp_path / "none.pt")


class RunsCode:
    """Unpickling it would write a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))
