"""Weights that travel: Keras, PyTorch's state_dict, safetensors, and from backend to backend."""

import importlib.util
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import safetensors.numpy
import torch

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.models import networks, torch_weights, weights
from keras_fmnist.models.torch_files import load_native
from keras_fmnist.pytorch import from_spec
from keras_fmnist.specs import override
from tests.helpers.repository import ROOT

SPECS = (BASE, CLASSIFIER_FULL, CLASSIFIER_FROZEN)
by_name = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


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


@pytest.fixture(scope="module")
def images(dataset):
    return dataset.test_images[:8].astype(np.float32) / 255


def outputs_of(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def native_outputs(net, images):
    with torch.no_grad():
        outputs = net.eval()(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    return outputs.transpose(0, 2, 3, 1) if outputs.ndim == 4 else outputs


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


@pytest.fixture
def convert(run_command):
    """`convert(source, target, …)` in an empty folder: exit status, stdout and stderr."""

    def call(source, target, experiment="mansilla/base"):
        return run_command("convert", source, target, experiment)

    return call


def native_net(spec=BASE):
    torch.manual_seed(0)
    return from_spec.build(spec)


@by_name
def test_the_command_goes_from_pytorch_to_safetensors_and_back_without_a_change(convert, spec):
    net = native_net(spec)
    torch.save(net.state_dict(), "first.pt")
    status, out, err = convert("first.pt", "w.safetensors", spec.id)
    assert (status, err) == (0, "")
    assert out == f"w.safetensors: {len(net.state_dict())} tensors of {spec.id}\n"
    keras_names = weights.variables(networks.build(spec))
    assert safetensors.numpy.load_file("w.safetensors").keys() == keras_names.keys()
    assert convert("w.safetensors", "again.pth", spec.id)[0] == 0
    again = torch.load("again.pth", weights_only=True)
    assert again.keys() == net.state_dict().keys()
    for name, tensor in net.state_dict().items():
        assert again[name].dtype == torch.float32
        assert torch.equal(again[name], tensor), name


@by_name
def test_the_command_makes_a_keras_model_with_the_outputs_of_the_native_net(convert, spec, images):
    net = native_net(spec)
    torch.save(net.state_dict(), "w.pt")
    assert convert("w.pt", "model.keras", spec.id)[0] == 0
    model = keras.models.load_model("model.keras")
    expected = native_outputs(net, images)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(outputs_of(model, images), expected, atol=1e-5, rtol=0)
    assert sorted(os.listdir()) == ["model.keras", "w.pt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("w.pt", "w.onnx"), "target must end in .safetensors or .pt or .pth or .keras"),
        (("w.pt", "w"), "target must end in"),
        (("w.pt", "folder.pt"), "target folder.pt is a folder"),
        (("w.pt", "w.pt/w.keras"), "is a file, not a folder"),
        (("w.txt", "w.keras"), "source must end in .pt, .pth, .ckpt, .bin or .safetensors"),
        (("w.keras", "w.safetensors"), "source must end in .pt, .pth, .ckpt, .bin or .safetensors"),
        (("none.pt", "w.safetensors"), "source none.pt does not exist"),
        (("folder.pt", "w.safetensors"), "source folder.pt does not exist"),
        (("w.pt", "w.keras", "mansilla/bsae"), "no experiment; did you mean mansilla/base?"),
        (("w.pt", "w.keras", "base"), "no experiment"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_request_is_one_line_and_writes_nothing(convert, arguments, words):
    torch.save(native_net().state_dict(), "w.pt")
    Path("w.txt").write_text("text")
    Path("w.keras").write_text("text")
    Path("folder.pt").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    status, out, err = convert(*arguments)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("keras-fmnist: ")
    assert words in err
    after = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    assert after == before


WEIGHT = "encoder.conv2.weight"

DAMAGES = {
    "missing": (lambda s: {k: v for k, v in s.items() if k != WEIGHT}, f"{WEIGHT} is missing"),
    "unknown": (lambda s: s | {"head.weight": s[WEIGHT]}, "head.weight belongs to no layer"),
    "shape": (lambda s: s | {WEIGHT: s[WEIGHT].mT[:1]}, "encoder/conv2/kernel must have the shape"),
    "sparse": (
        lambda s: s | {WEIGHT: s[WEIGHT].to_sparse()},
        f"w.pt: {WEIGHT} must be dense float32, not float32, sparse_coo",
    ),
    "number for a name": (lambda s: s | {1: s[WEIGHT]}, "must hold a state_dict"),
    "nan": (lambda s: s | {WEIGHT: s[WEIGHT] * np.nan}, "encoder/conv2/kernel holds values"),
    "infinite": (lambda s: s | {WEIGHT: s[WEIGHT] / 0}, "encoder/conv2/kernel holds values"),
    "integers": (lambda s: s | {WEIGHT: s[WEIGHT].long()}, "must be float32, not int64"),
    "complex": (lambda s: s | {WEIGHT: s[WEIGHT] * 1j}, "must be float32, not complex64"),
    "empty": (lambda s: s | {WEIGHT: torch.zeros(0, 10**9)}, "kernel must have the shape"),
    "a number for a list": (
        lambda s: s | {"decoder.deconv2.bias": torch.tensor(0.5)},
        "decoder/deconv2/bias must have the shape (1,), not ()",
    ),
    "one number as 400 megabytes": (
        lambda s: s | {WEIGHT: torch.zeros(1).expand(10_000, 10_000)},
        f"w.pt: {WEIGHT} has more elements than the file holds",
    ),
    "no numbers": (
        lambda s: s | {WEIGHT: torch.zeros(3, device="meta")},
        f"w.pt: {WEIGHT} must be dense float32, not float32, strided, on meta",
    ),
    "a path for a name": (
        lambda s: s | {"../../../tmp/evil": s[WEIGHT]},
        "../../../tmp/evil belongs to no layer",
    ),
    "a name that moves the cursor": (
        lambda s: s | {"\x1b[2J\n": s[WEIGHT]},
        "\\x1b[2J belongs to no layer",
    ),
    "itself alone": (lambda s: (d := {}).__setitem__("model", d) or d, "must hold a state_dict"),
    "list": (lambda s: list(s.values()), "must hold a state_dict"),
    "tensor": (lambda s: s[WEIGHT], "must hold a state_dict"),
    "a thousand names of the same numbers": (
        lambda s: {f"{k}": s[WEIGHT] for k in range(1000)},
        "w.pt: its tensors share their numbers, and would fill 18432000 bytes",
    ),
    "a thousand tensors": (
        lambda s: s | {f"more.{k}": torch.zeros(1) for k in range(1000)},
        "1012 tensors are no net of ours: this one has 12",
    ),
    "whole net": (
        lambda s: native_net(),
        "w.pt holds an object, keras_fmnist.pytorch.nets.Autoencoder, and not tensors",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_native_weights_that_do_not_fit_are_named_and_nothing_is_written(convert, tally, damage):
    change, words = DAMAGES[damage]
    torch.save(change(dict(native_net().state_dict())), "w.pt")
    assert_refused(convert("w.pt", "w.safetensors"), words)
    tally("damaged weights refused")


def assert_refused(answer, words):
    """One line that says why, and neither the target nor anything else beside `w.pt`."""
    status, out, err = answer
    assert (status, out) == (1, "")
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert words in err
    assert os.listdir() == ["w.pt"]


def zipped(pickled, extra=(), folder="archive", compression=zipfile.ZIP_STORED):
    """A file as torch.save makes it, of a pickle and other entries."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        archive.writestr(f"{folder}/data.pkl", pickled)
        for name, part in {"version": b"3\n", "byteorder": b"little", **dict(extra)}.items():
            archive.writestr(f"{folder}/{name}", part)
    return content.getvalue()


def legacy(elements):
    """A file in torch's older format whose header promises so many elements, and has a million."""
    content = io.BytesIO()
    torch.save({WEIGHT: torch.zeros(10**6)}, content, _use_new_zipfile_serialization=False)
    promise = b"J" + struct.pack("<i", 10**6)  # a four-byte number in a pickle
    assert promise in content.getvalue()
    return content.getvalue().replace(promise, b"\x8a\x08" + struct.pack("<q", elements))


EMPTY = pickle.dumps({}, 2)
NO_TENSORS = "w.pt is no PyTorch file of tensors alone"
UNPACKS = "w.pt unpacks to more bytes than it has"
CONTENTS = {
    "empty": (lambda: b"", "w.pt is empty"),
    "html": (lambda: b"<html>404</html>", "w.pt is a web page"),
    "an archive of nothing": (lambda: zipped(b""), NO_TENSORS),
    "no archive's end": (lambda: zipped(EMPTY)[:-10], NO_TENSORS),
    "TorchScript": (
        lambda: zipped(EMPTY, {"constants.pkl": EMPTY, "code/x.py": b"import os"}),
        "w.pt is a TorchScript program, which would be run: load it where it was made",
    ),
    "an archive of paths": (lambda: zipped(EMPTY, folder="../../tmp/evil"), NO_TENSORS),
    "a bomb": (
        lambda: zipped(EMPTY, {"data/0": bytes(64 << 20)}, compression=zipfile.ZIP_DEFLATED),
        UNPACKS,
    ),
    "legacy, 2⁶⁰ elements": (lambda: legacy(2**60), NO_TENSORS),
    "legacy, 2³¹ elements": (lambda: legacy(2**31), NO_TENSORS),
    "legacy, fewer than none": (lambda: legacy(-1), NO_TENSORS),
    "a pickle without end": (lambda: zipped(b"\x80\x02" + b"(" * 50_000), NO_TENSORS),
    "lists in lists": (
        lambda: zipped(b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."),
        "must hold a state_dict",
    ),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_native_file_of_tensors_is_refused_by_its_name(convert, tally, kind):
    content, words = CONTENTS[kind]
    Path("w.pt").write_bytes(content())
    assert_refused(convert("w.pt", "w.safetensors"), words)
    tally("damaged weights refused")


def test_a_bomb_is_refused_before_it_is_unpacked(convert, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("unpacked"))
    Path("w.pt").write_bytes(CONTENTS["a bomb"][0]())
    assert_refused(convert("w.pt", "w.safetensors"), UNPACKS)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_a_file_far_too_long_and_one_without_an_end_are_not_read(tmp_path, tally, ending):
    read = {"pt": load_native, "safetensors": weights.load}[ending]
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


def test_a_torch_whose_reader_can_be_broken_into_is_not_used(convert, monkeypatch):
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.9.1+cu128"))
    torch.save(native_net().state_dict(), "w.pt")
    assert_refused(convert("w.pt", "w.safetensors"), "w.pt needs torch 2.10")


def test_parameters_convert_as_a_state_dict_does(convert):
    net = native_net()
    torch.save(dict(net.named_parameters()), "w.pt")
    assert convert("w.pt", "again.pt")[0] == 0
    again = torch.load("again.pt", weights_only=True)
    assert all(torch.equal(again[name], p) for name, p in net.named_parameters())


@pytest.mark.parametrize("length", [0, 1, 10, 100, 1000])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_head_of_a_native_file_is_named(convert, length, zipped):
    torch.save(native_net().state_dict(), "w.pt", _use_new_zipfile_serialization=zipped)
    Path("w.pt").write_bytes(Path("w.pt").read_bytes()[:length])
    status, out, err = convert("w.pt", "w.safetensors")
    assert (status, out) == (1, "")
    what = "no PyTorch file of tensors alone" if length else "empty"
    assert err == f"keras-fmnist: w.pt is {what}\n"


def test_weights_of_another_net_are_refused(convert):
    torch.save(native_net(override(BASE, {"latent": 32})).state_dict(), "w.pt")
    status, _, err = convert("w.pt", "w.safetensors")
    assert status == 1
    assert "encoder/latent/kernel must have the shape (800, 64), not (800, 32)" in err
    status, _, err = convert("w.pt", "w.safetensors", "mansilla/classifier_full")
    assert status == 1
    assert "encoder/latent/kernel must have the shape (800, 64), not (800, 32)" in err


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("share", [0.5, 0.999])
def test_a_truncated_file_is_named_and_nothing_is_written(convert, ending, share):
    torch.save(native_net().state_dict(), "whole.pt")
    assert convert("whole.pt", f"w.{ending}")[0] == 0
    whole = Path(f"w.{ending}").read_bytes()
    Path(f"w.{ending}").write_bytes(whole[: int(len(whole) * share)])
    status, out, err = convert(f"w.{ending}", "target.keras")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert f"w.{ending} is no " in err
    assert not Path("target.keras").exists()


class WritesFile:
    """Unpickling it would write a file."""

    def __reduce__(self):
        return (open, ("ran", "w"))


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {WEIGHT: x}], ids=["alone", "in a dict"])
@pytest.mark.parametrize("how", ["zip", "legacy", "pickle"])
def test_code_in_a_native_file_is_refused_and_does_not_run(convert, tally, wrap, how):
    content = wrap(WritesFile())
    if how == "pickle":
        Path("w.pt").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, "w.pt", _use_new_zipfile_serialization=how == "zip")
    status, out, err = convert("w.pt", "w.safetensors")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    refused = "w.pt holds an object, io.open, and not tensors, numbers and text alone"
    assert (NO_TENSORS if how == "pickle" else refused) in err
    assert os.listdir() == ["w.pt"]  # neither the target nor what the code would have written
    tally("damaged weights refused")
    # The file is as dangerous as it is meant to be.
    with open("w.pt", "rb") as file:
        torch.load(file, weights_only=False) if how != "pickle" else pickle.load(file)
    assert Path("ran").exists()


def test_a_keras_model_is_never_opened_whatever_its_name(convert, tally):
    writes = keras.layers.Lambda(lambda x: [open("ran", "w").close(), x][1])
    keras.Sequential([keras.Input((1,)), writes]).save("model.keras")
    for name, status in (("model.keras", 2), ("model.pt", 1), ("model.safetensors", 1)):
        Path("model.keras").replace(name)
        Path("ran").unlink(missing_ok=True)  # building the model has written it
        asked, out, err = convert(name, "target.pt")
        assert (asked, out, err.count("\n")) == (status, "", 1)
        assert os.listdir() == [name]
        Path(name).replace("model.keras")
        tally("damaged weights refused")
    # The file is as dangerous as it is meant to be.
    keras.models.load_model("model.keras", safe_mode=False)
    assert Path("ran").exists()


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        ("posix system", "touch ran"),
        ("subprocess getoutput", "touch ran"),
        ("builtins eval", "open('ran', 'w')"),
        ("builtins exec", "open('ran', 'w')"),
        ("torch._dynamo.utils import_submodule", "antigravity"),
        ("torch.serialization load", "other.pt"),
        ("torch.storage _load_from_bytes", "abc"),
        ("keras.src.saving.saving_api load_model", "evil.keras"),
        ("numpy load", "evil.npy"),
        ("pickle loads", "abc"),
        ("codecs encode", "abc"),
    ],
)
def test_no_function_named_in_a_native_file_is_called(convert, tally, function, argument):
    name = function.replace(" ", "\n").encode()
    call = b"c" + name + b"\nX" + struct.pack("<I", len(argument)) + argument.encode() + b"\x85R"
    Path("w.pt").write_bytes(zipped(b"\x80\x02" + call + b"."))
    assert_refused(convert("w.pt", "w.safetensors"), "w.pt")
    tally("damaged weights refused")


BACKENDS = ("torch", "jax", "tensorflow")

# Trains an autoencoder and a classifier on it in two steps each, says so, waits until the others
# have done the same, then loads what each of them has left.
TRAVEL = """
import json, os, sys
from pathlib import Path

import keras
import numpy as np

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.models import networks, weights
from keras_fmnist.records.record import read_record
from keras_fmnist.specs import override
from tests.helpers.train import train_spec

out, me = Path(sys.argv[1]), keras.backend.backend()
images = data.make_synthetic(20, 20, seed=1).test_images.astype(np.float32) / 255
short = {"epochs": 1, "batch_size": 10}
nested = {f"autoencoder_{name}": value for name, value in short.items()}
specs = [override(BASE, short), override(CLASSIFIER_FULL, short | nested)]


def outputs(spec, arrays):
    model = networks.build(spec, seed=7)
    weights.set_arrays(model, arrays)
    there = weights.digest(weights.get_arrays(model))
    return there, keras.ops.convert_to_numpy(model(images, training=False))


train_spec(specs[1], 0, out / me, dataset=data.make_synthetic(20, 20))
for spec in specs:
    arrays = weights.load(next((out / me / spec.id).glob("*.safetensors")))
    np.save(out / f"{me}-{spec.name}.npy", outputs(spec, arrays)[1])
print("trained", flush=True)
others = input().split()
found = []
for other in others:
    for spec in specs:
        record = read_record(next((out / other / spec.id).glob("*.json")))
        path = next((out / other / spec.id).glob("*.safetensors"))
        digest, ours = outputs(spec, weights.load(path))
        apart = np.abs(ours - np.load(out / f"{other}-{spec.name}.npy")).max()
        found.append(
            {
                "from": record.backend,
                "to": me,
                "net": spec.name,
                "before": record.weights_sha256["initial"],
                "saved": record.weights_sha256["final"],
                "loaded": digest,
                "apart": float(apart),
                "spread": float(ours.std()),
            }
        )
print(json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module")
def travels(tmp_path_factory):
    """What each backend found when it loaded each backend's weights: `{(from, to, net): …}`."""
    out = tmp_path_factory.mktemp("travels")
    there = [name for name in BACKENDS if importlib.util.find_spec(name)]
    running = []
    for backend in there:
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "",
            "KERAS_TORCH_DEVICE": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # Compiling takes jax most of the time, and for two steps need not be thorough.
            "XLA_FLAGS": "--xla_backend_optimization_level=0 "
            "--xla_llvm_disable_expensive_passes=true",
            "PYTHONPATH": str(ROOT),
        }
        with (out / f"{backend}-errors").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-c", TRAVEL, str(out)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        running.append(process)
    try:
        for backend, process in zip(there, running, strict=True):
            said = process.stdout.readline()
            assert said == "trained\n", (out / f"{backend}-errors").read_text()[-3000:]
        found = []
        for backend, process in zip(there, running, strict=True):
            said, _ = process.communicate(" ".join(there) + "\n", timeout=300)
            assert process.returncode == 0, (out / f"{backend}-errors").read_text()[-3000:]
            found += json.loads(said)
    finally:
        for process in running:
            process.kill()
            process.wait()
    return {(one["from"], one["to"], one["net"]): one for one in found}


@pytest.mark.parametrize("target", BACKENDS)
@pytest.mark.parametrize("source", BACKENDS)
def test_what_one_backend_has_trained_another_loads_bit_for_bit(travels, source, target):
    for backend in (source, target):
        if importlib.util.find_spec(backend) is None:
            # On a developer's machine a framework may be missing; where all are installed on
            # purpose a skip would hide that they are not.
            assert not os.environ.get("CI"), f"{backend} is not installed"
            pytest.skip(f"{backend} is not installed: pip install 'keras-fmnist[{backend}]'")
    for net in ("base", "classifier_full"):
        found = travels[source, target, net]
        assert found["loaded"] == found["saved"]
        assert found["apart"] <= 1e-5
        # Not because nothing was trained, or nothing comes out.
        assert found["saved"] != found["before"]
        assert found["spread"] > 100 * 1e-5


def test_each_backend_has_trained_weights_of_its_own(travels):
    for net in ("base", "classifier_full"):
        digests = {one["saved"] for one in travels.values() if one["net"] == net}
        assert len(digests) == len({source for source, _, _ in travels})
