"""convert: from format to format without a change, and nothing that is no file of tensors."""

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import safetensors.numpy
import torch

from experiments.mansilla import BASE
from keras_fmnist.models import networks, weights
from keras_fmnist.pytorch import from_spec
from keras_fmnist.specs import override
from tests.helpers.nets import by_name, native_outputs, outputs_of


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
def test_the_command_makes_a_keras_model_with_the_outputs_of_the_native_net(convert, spec, dataset):
    net = native_net(spec)
    torch.save(net.state_dict(), "w.pt")
    assert convert("w.pt", "model.keras", spec.id)[0] == 0
    model = keras.models.load_model("model.keras")
    images = dataset.test_images[:8].astype(np.float32) / 255
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


def test_a_torch_whose_reader_can_be_broken_into_is_not_used(convert, monkeypatch):
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.9.1+cu128"))
    torch.save(native_net().state_dict(), "w.pt")
    assert_refused(convert("w.pt", "w.safetensors"), "w.pt needs torch 2.10")


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
@pytest.mark.parametrize("layout", ["zip", "legacy", "pickle"])
def test_code_in_a_native_file_is_refused_and_does_not_run(convert, tally, wrap, layout):
    content = wrap(WritesFile())
    if layout == "pickle":
        Path("w.pt").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, "w.pt", _use_new_zipfile_serialization=layout == "zip")
    status, out, err = convert("w.pt", "w.safetensors")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    refused = "w.pt holds an object, io.open, and not tensors, numbers and text alone"
    assert (NO_TENSORS if layout == "pickle" else refused) in err
    assert os.listdir() == ["w.pt"]  # neither the target nor what the code would have written
    tally("damaged weights refused")
    # The file is as dangerous as it is meant to be.
    with open("w.pt", "rb") as file:
        torch.load(file, weights_only=False) if layout != "pickle" else pickle.load(file)
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
