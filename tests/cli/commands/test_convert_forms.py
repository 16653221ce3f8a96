"""Weights as people have them: each form of a file of the right weights, and what it gives."""

import argparse
import io
import zipfile
from collections import OrderedDict
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import strategies as st
from torch.nn.utils import prune

from experiments import manolucos
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.commands.convert import read_arrays
from keras_fmnist.models import networks, weights
from keras_fmnist.models.torch_weights import to_native
from keras_fmnist.specs import override


def prefix(start):
    return lambda state: {f"{start}{name}": tensor for name, tensor in state.items()}


def cast(kind):
    return lambda state: {
        name: tensor.to(kind) if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }


def number(state):
    """Names as nn.Sequential gives them: each layer's place, and then the variable."""
    places = {
        name: str(k) for k, name in enumerate(dict.fromkeys(n[: n.rindex(".")] for n in state))
    }
    return {f"{places[n[: n.rindex('.')]]}{n[n.rindex('.') :]}": t for n, t in state.items()}


def share(state):
    """Every tensor a view of one storage, as of flattened parameters."""
    flat = torch.cat([tensor.double().flatten().float() for tensor in state.values()])
    sizes = [tensor.numel() for tensor in state.values()]
    views = [
        part.reshape(tensor.shape)
        for part, tensor in zip(flat.split(sizes), state.values(), strict=True)
    ]
    return dict(zip(state, views, strict=True))


def turn(state):
    """The same values in another order of memory: channels last, and transposed."""
    return {
        name: tensor.to(memory_format=torch.channels_last)
        if tensor.ndim == 4
        else tensor.T.contiguous().T
        if tensor.ndim == 2
        else torch.stack([tensor, tensor], -1)[..., 0]
        for name, tensor in state.items()
    }


def checkpoint(key):
    return lambda state: {
        "epoch": 3,
        "loss": torch.tensor(0.3),
        "note": "the best so far",
        key: state,
        "optimizer_state_dict": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{}]},
    }


def split(state):
    """Each part of the net in an entry of its own."""
    parts = {}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    return parts


# What is done to a state_dict before it is saved, and what `convert` says of it.
FORMS = {
    "as it is": (lambda state: state, None),
    "an OrderedDict of parameters": (
        lambda state: OrderedDict((n, torch.nn.Parameter(t)) for n, t in state.items()),
        None,
    ),
    "DataParallel, DistributedDataParallel": (prefix("module."), "without module."),
    "torch.compile": (prefix("_orig_mod."), "without _orig_mod."),
    "both of them": (prefix("module._orig_mod."), "without module. and _orig_mod."),
    "Lightning's model.": (prefix("model."), "without model."),
    "Lightning's net.": (prefix("net."), "without net."),
    "parts compiled one by one": (
        lambda state: {name.replace(".", "._orig_mod.", 1): t for name, t in state.items()},
        "without _orig_mod.",
    ),
    "an averaged model": (
        lambda state: {"n_averaged": torch.tensor(5), **prefix("module.")(state)},
        "without module.",
    ),
    **{
        f"a checkpoint's {key}": (checkpoint(key), f"taken from {key!r}")
        for key in ("state_dict", "model_state_dict", "model")
    },
    "a wrapped net's checkpoint": (
        lambda state: checkpoint("state_dict")(prefix("model.")(state)),
        "taken from 'state_dict', without model.",
    ),
    "an entry for each part": (split, "taken from 'encoder', taken from 'decoder'"),
    "numbers and text beside the tensors": (lambda state: state | {"epoch": 3, "by": "me"}, None),
    "numpy's numbers, arguments and paths beside the tensors": (
        lambda state: {
            "best": np.float64(0.9),
            "curve": np.arange(3.0),
            "args": argparse.Namespace(lr=0.1, seed=np.int64(3)),
            "path": Path("w.pt"),
            "model_state_dict": state,
        },
        "taken from 'model_state_dict'",
    ),
    "float64": (cast(torch.float64), "float64 made float32"),
    "float16": (cast(torch.float16), "float16 made float32"),
    "bfloat16": (cast(torch.bfloat16), "bfloat16 made float32"),
    "views of one storage": (share, None),
    "channels last, not contiguous": (turn, None),
    "nn.Sequential's numbers": (number, "matched by order and shape"),
    "own names": (
        lambda state: {
            name.replace("encoder.conv", "features.c").replace("decoder.deconv", "up.t"): t
            for name, t in state.items()
        },
        "matched by order and shape",
    ),
    "own names in another order": (
        lambda state: dict(reversed(number(state).items())),
        "matched by order and shape",
    ),
}
ROUNDED = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def fresh_state(spec, seed=1):
    """A state_dict of random values, each an own one."""
    arrays = to_native(weights.get_arrays(networks.build(spec, seed)))
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def expect(state, form):
    kind = ROUNDED.get(form, torch.float32)
    return {n: t.to(kind).float() for n, t in state.items() if t.is_floating_point()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor), name


@pytest.fixture
def convert(run_command):
    """`convert(…)` of w.pt to again.pt in an empty folder: exit status, stdout and stderr."""

    def call(*words, source="w.pt", target="again.pt", experiment=BASE.id):
        return run_command("convert", source, target, experiment, *words)

    return call


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_right_weights_gives_them_and_says_what_was_done(convert, tally, form):
    change, note = FORMS[form]
    state = fresh_state(BASE)
    torch.save(change(state), "w.pt")
    status, out, err = convert()
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[-1] == "again.pt: 12 tensors of mansilla/base"
    assert lines[:-1][:1] == ([f"w.pt: {note}"] if note else [])
    assert_equal(torch.load("again.pt", weights_only=True), expect(state, form))
    tally("forms of a file of weights taken")


def test_a_way_that_order_and_shape_decide_is_shown(convert):
    torch.save(number(fresh_state(BASE)), "w.pt")
    rows = [line.split() for line in convert()[1].splitlines()[2:-1]]
    assert rows[:3] == [
        ["0.weight", "encoder.conv1.weight"],
        ["0.bias", "encoder.conv1.bias"],
        ["1.weight", "encoder.conv2.weight"],
    ]
    assert len(rows) == 12


@hypothesis.settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(
    form=st.sampled_from(sorted(FORMS)),
    kernels=st.tuples(st.integers(1, 4), st.integers(5, 8)),
    latent=st.sampled_from([0, 9]),
    batchnorm=st.booleans(),
    is_classifier=st.booleans(),
    seed=st.integers(0, 9),
)
def test_any_net_in_any_form_comes_back_to_the_bit_or_rounded_as_it_was_saved(
    tmp_path, form, kernels, latent, batchnorm, is_classifier, seed
):
    spec = override(
        manolucos.BASELINE, {"kernels": kernels, "latent": latent, "batchnorm": batchnorm}
    )
    if is_classifier:
        spec = override(
            CLASSIFIER_FULL,
            {"autoencoder_kernels": kernels, "autoencoder_latent": latent, "hidden": 11},
        )
    state = fresh_state(spec, seed)
    path = tmp_path / "w.pt"
    torch.save(FORMS[form][0](state), path)
    arrays = read_arrays(str(path), networks.build(spec, seed + 1))
    again = {name: torch.from_numpy(array) for name, array in to_native(arrays).items()}
    expected = expect(state, form)
    assert_equal({name: again[name] for name in expected}, expected)


def test_the_largest_rounding_of_doubles_is_said(convert):
    state = cast(torch.float64)(fresh_state(BASE))
    state["encoder.conv1.bias"][0] = 0.1
    torch.save(state, "w.pt")
    apart = abs(0.1 - float(np.float32(0.1)))
    assert convert()[1].splitlines()[0] == (
        f"w.pt: float64 rounded to float32, by {apart:.1g} at most"
    )


def test_a_net_that_was_on_a_gpu_is_taken(convert):
    content = io.BytesIO()
    torch.save(fresh_state(BASE), content)
    source = zipfile.ZipFile(content)
    with zipfile.ZipFile("w.pt", "w") as moved:
        for name in source.namelist():
            part = source.read(name)
            if name.endswith("data.pkl"):
                here, there = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
                assert here in part
                part = part.replace(here, there)
            moved.writestr(name, part)
    assert convert()[0] == 0
    assert_equal(torch.load("again.pt", weights_only=True), fresh_state(BASE))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_safetensors_of_pytorchs_names_are_taken(convert, kind):
    state = fresh_state(BASE)
    safetensors.torch.save_file(prefix("module.")(cast(kind)(state)), "w.safetensors")
    status, _, err = convert(source="w.safetensors")
    assert (status, err) == (0, "")
    expected = {name: tensor.to(kind).float() for name, tensor in state.items()}
    assert_equal(torch.load("again.pt", weights_only=True), expected)


ENCODERS = {
    "an encoder's own names": lambda state: {
        name.removeprefix("encoder."): t for name, t in state.items() if name.startswith("encoder.")
    },
    "an encoder in its net": lambda state: {
        name: t for name, t in state.items() if name.startswith("encoder.")
    },
    "an encoder by numbers": lambda state: number(ENCODERS["an encoder's own names"](state)),
    "the other kind of net": lambda state: state,
}


@pytest.mark.parametrize(("spec", "other"), [(BASE, CLASSIFIER_FULL), (CLASSIFIER_FULL, BASE)])
@pytest.mark.parametrize("form", ENCODERS)
def test_an_encoder_is_taken_and_the_rest_is_fresh(convert, form, spec, other):
    state, fresh = fresh_state(other), fresh_state(spec, seed=0)
    torch.save(ENCODERS[form](state), "w.pt")
    status, out, _ = convert(experiment=spec.id)
    assert status == 0
    left = "decoder" if spec is BASE else "logits"
    assert f"the encoder alone, {left} fresh" in out
    expected = {name: (state if name.startswith("encoder.") else fresh)[name] for name in fresh}
    assert_equal(torch.load("again.pt", weights_only=True), expected)
    if form == "the other kind of net":
        assert f"not used: {'logits.weight' if spec is BASE else 'decoder.hidden.weight'}, " in out


class TheirNet(torch.nn.Sequential):
    """Another architecture of the same course: three convolutions, and no linear layers."""

    def __init__(self):
        super().__init__()
        self.down = torch.nn.Sequential(
            torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 3)
        )
        self.up = torch.nn.Sequential(torch.nn.ConvTranspose2d(64, 16, 4))


def test_another_architecture_is_refused_with_which_tensor_does_not_fit_which_layer(convert):
    torch.save(TheirNet().state_dict(), "w.pt")
    status, out, err = convert()
    assert status == 1
    assert err == (
        "keras-fmnist: w.pt: 6 tensors do not fit the 12 of this model: "
        "encoder.conv1.weight 16×1×3×3 meets down.0.weight 32×1×3×3; "
        "encoder.conv1.bias 16 meets down.0.bias 32; "
        "encoder.conv2.weight 32×16×3×3 meets down.2.weight 64×32×3×3; "
        "encoder.conv2.bias 32 meets down.2.bias 64\n"
    )
    rows = [line.split() for line in out.splitlines()]
    assert ["up.0.weight", "64×16×4×4", "encoder.latent.weight", "64×800"] in rows
    assert ["decoder.deconv2.bias", "1"] in rows
    assert not Path("again.pt").exists()


def test_where_order_and_shape_leave_two_ways_both_sides_are_shown_and_a_map_decides(convert):
    state = fresh_state(BASE)
    names = {name: f"p{k}" for k, name in enumerate(reversed(state))}  # conv1 is shaped as deconv2
    torch.save({names[name]: state[name] for name in reversed(state)}, "w.pt")
    status, out, err = convert()
    assert status == 1
    assert err.startswith("keras-fmnist: w.pt: 12 tensors do not fit the 12 of this model: ")
    assert len(out.splitlines()) == 13
    lines = [f"{theirs}\t{ours}" for ours, theirs in names.items()]
    Path("map.txt").write_text("# theirs, ours\n\n" + "\n".join(lines) + "\n")
    status, out, err = convert("--map", "map.txt")
    assert (status, out, err) == (0, "again.pt: 12 tensors of mansilla/base\n", "")
    assert_equal(torch.load("again.pt", weights_only=True), state)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\n", "map map.txt, line 1: it takes two names"),
        ("a b\n\na c\n", "line 3: a name of 'a c' stands twice"),
        ("a b\nc b\n", "line 2: a name of 'c b' stands twice"),
        (b"\xff\xfe", "map map.txt is no text"),
    ],
)
def test_a_map_that_cannot_be_read_is_a_wrong_request(convert, text, words):
    torch.save(fresh_state(BASE), "w.pt")
    Path("map.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    status, out, err = convert("--map", "map.txt")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_map_that_names_what_is_not_there_is_refused_with_what_is_near(convert):
    torch.save(fresh_state(BASE), "w.pt")
    Path("map.txt").write_text("encoder.cnv1.weight encoder.conv1.weight\n")
    status, _, err = convert("--map", "map.txt")
    assert status == 1
    assert "the map's encoder.cnv1.weight is not in the file; the file has encoder.conv1.w" in err


NORM = torch.nn.utils.parametrizations
REWRITTEN = {
    "weight norm": lambda layer: NORM.weight_norm(layer),
    "spectral norm": lambda layer: NORM.spectral_norm(layer),
    "pruning": lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
}


@pytest.mark.parametrize("kind", REWRITTEN)
def test_a_weight_that_is_saved_in_parts_is_refused_by_what_makes_it(convert, kind):
    state = fresh_state(BASE)
    layer = REWRITTEN[kind](torch.nn.Conv2d(1, 16, 3))
    for name, tensor in layer.state_dict().items():
        state[f"encoder.conv1.{name}"] = tensor
    torch.save(state, "w.pt")
    status, out, err = convert()
    assert (status, out) == (1, "")
    assert f" is a part of {kind}: torch.nn.utils." in err


def test_what_a_file_calls_its_tensors_moves_no_cursor(convert):
    state = number(fresh_state(BASE))
    torch.save({f"\x1b[2J{name}": tensor for name, tensor in state.items()}, "w.pt")
    status, out, _ = convert()
    assert status == 0
    assert "\\x1b[2J0.weight" in out
    assert "\x1b" not in out
