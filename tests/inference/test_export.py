"""A net in a file: what each ending holds, and that ONNX computes what Keras does."""

import os

import keras
import numpy as np
import pytest
import torch

from experiments import manolucos
from experiments.assumptions import FIRST_CLASSIFIERS, FIRST_DEFAULT
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import backends
from keras_fmnist.inference.export import check_onnx, write_net
from keras_fmnist.models import networks, weights
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override
from tests.helpers.lively import lively
from tests.helpers.processes import run_python

on_torch = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="an .onnx is written on torch"
)


@pytest.fixture
def onnxruntime():
    """ONNX Runtime, which `make test` installs."""
    return pytest.importorskip("onnxruntime", reason="pip install 'keras-fmnist[onnx]' runs this")


NETS = [
    *(BASE, CLASSIFIER_FULL),
    *(manolucos.BASELINE, FIRST_DEFAULT[manolucos.WIDE]),
    FIRST_CLASSIFIERS[manolucos.CLASSIFIER_FC_ADAM],
]


@on_torch
@pytest.mark.parametrize("spec", NETS, ids=lambda spec: spec.id)
def test_onnxruntime_computes_what_keras_does_for_any_number_of_images(
    onnxruntime, tmp_path, spec, dataset
):
    model = lively(spec)
    target = tmp_path / "net.onnx"
    words = write_net(target, model, spec)
    assert words.startswith("the net (onnxruntime and Keras agree within ")
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["image"]
    computed = "logits" if spec.name.startswith("classifier") else "reconstruction"
    assert [one.name for one in session.get_outputs()] == [computed]
    for count in (1, 7):
        images = dataset.test_images[:count].astype(np.float32) / 255
        expected = model.predict(images, verbose=0)
        (found,) = session.run(None, {"image": images})
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)
        assert expected.std() > 1e-3
    assert os.listdir(tmp_path) == ["net.onnx"]


@on_torch
def test_an_onnx_that_computes_something_else_is_refused_and_not_written(
    onnxruntime, tmp_path, monkeypatch
):
    model, other = networks.build(BASE), networks.build(BASE, seed=1)
    other.predict(np.zeros((1, 28, 28, 1), np.float32), verbose=0)
    monkeypatch.setattr(model, "export", other.export)
    with pytest.raises(RuntimeError, match=r"differs from Keras by 0\.\d+, more than 1e-05"):
        write_net(tmp_path / "net.onnx", model, BASE)
    assert os.listdir(tmp_path) == []


@on_torch
def test_a_difference_that_is_no_number_is_refused(onnxruntime, tmp_path):
    model = networks.build(BASE)
    for variable in weights.variables(model).values():
        variable.assign(np.full(variable.shape, np.nan, np.float32))
    with pytest.raises(RuntimeError, match="differs from Keras by nan"):
        write_net(tmp_path / "net.onnx", model, BASE)


FROM_ANYWHERE = """
import sys
import numpy as np
import keras_fmnist.models.layers
import keras

images = np.load("images.npy")
for name in sys.argv[1:]:
    np.save(f"{name}.npy", keras.models.load_model(name).predict(images, verbose=0))
"""


@on_torch
@pytest.mark.parametrize("backend", backends.list_installed()[1:])
def test_a_keras_file_runs_on_every_backend_and_computes_the_same(tmp_path, dataset, backend):
    images = dataset.test_images[:3].astype(np.float32) / 255
    np.save(tmp_path / "images.npy", images)
    expected = {}
    by_channel = override(FIRST_DEFAULT[manolucos.BASELINE], {"dropout_kind": "channel"})
    for k, spec in enumerate([BASE, by_channel, manolucos.CLASSIFIER_FC_ADAM]):
        model = lively(spec)
        path = tmp_path / f"net{k}.keras"
        words = write_net(str(path), model, spec)
        assert words == "the net (`import keras_fmnist.models.layers` before it is loaded)"
        expected[path.name] = model.predict(images, verbose=0)
        here = keras.models.load_model(path).predict(images, verbose=0)
        np.testing.assert_allclose(here, expected[path.name], atol=1e-5, rtol=0)
    done = run_python("-c", FROM_ANYWHERE, *expected, cwd=tmp_path, KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, outputs in expected.items():
        assert outputs.std() > 1e-3
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), outputs, atol=1e-5, rtol=0)


def test_weights_alone_are_the_nets_own_in_keras_names_or_in_pytorchs(tmp_path):
    model = lively(manolucos.CLASSIFIER_FC_ADAM)
    arrays = weights.get_arrays(model)
    for ending in (".safetensors", ".pt"):
        words = write_net(tmp_path / f"net{ending}", model, manolucos.CLASSIFIER_FC_ADAM)
        assert words == "18 tensors"
    assert weights.digest(weights.load(tmp_path / "net.safetensors")) == weights.digest(arrays)
    state = torch.load(tmp_path / "net.pt", weights_only=True)
    np.testing.assert_array_equal(
        state["encoder.conv1.weight"], arrays["encoder/conv1/kernel"].transpose(3, 2, 0, 1)
    )
    assert sorted(os.listdir(tmp_path)) == ["net.pt", "net.safetensors"]


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_what_an_onnx_needs_is_asked_for_by_the_name_of_its_extra(monkeypatch, missing):
    monkeypatch.setattr(backends, "get_backend", lambda: "torch")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else name)
    with pytest.raises(SpecError) as error:
        check_onnx()
    assert str(error.value) == f"{missing} is not installed: pip install 'keras-fmnist[onnx]'"


def test_an_onnx_on_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(backends, "get_backend", lambda: "jax")
    with pytest.raises(SpecError, match=r"an \.onnx is written on torch"):
        check_onnx()
