"""convert: parts of nets, other architectures, and what decides where names do not."""

from pathlib import Path

import pytest
import torch
from torch.nn.utils import prune

from experiments.mansilla import BASE, CLASSIFIER_FULL
from tests.helpers.weights_forms import assert_equal, fresh_state, number


@pytest.fixture
def convert(run_command):
    """`convert(…)` of w.pt to again.pt in an empty folder: exit status, stdout and stderr."""

    def call(*words, source="w.pt", target="again.pt", experiment=BASE.id):
        return run_command("convert", source, target, experiment, *words)

    return call


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
    assert err.endswith("their order is another: --map FILE says which is which\n")
    assert {word for line in out.splitlines() for word in line.split()} >= {*names, "p0", "p11"}
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
