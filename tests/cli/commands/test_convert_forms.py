"""convert: each form of a file of the right weights, and what it gives."""

import io
import zipfile

import hypothesis
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import strategies as st

from experiments import manolucos
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.commands.convert import read_arrays
from keras_fmnist.models import networks
from keras_fmnist.models.torch_weights import to_native
from keras_fmnist.specs import override
from tests.helpers.weights_forms import (
    FORMS,
    assert_equal,
    cast,
    expect,
    fresh_state,
    number,
    prefix,
)


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
