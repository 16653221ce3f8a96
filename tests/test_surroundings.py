"""What stands around a run, in files and variables of the user's, is no part of its result."""

import importlib.util
import json
import os

import keras
import pytest

import keras_fmnist
from experiments.mansilla import BASE
from keras_fmnist.backends import find_device, select_device
from keras_fmnist.models import networks, weights
from keras_fmnist.settings import SpecError
from tests.helpers.processes import run_python

# What a user's keras.json and variables may say, and the weights that come out all the same.
WORLD = """
import keras_fmnist
from keras_fmnist.models import networks, weights
from experiments.mansilla import BASE
import keras

arrays = weights.get_arrays(networks.build(BASE))
config = keras.config
print(weights.digest(arrays), config.floatx(), config.epsilon(), config.max_epochs(),
      config.max_steps_per_epoch(), config.image_data_format())
"""


def test_what_stands_outside_a_run_does_not_change_it(tmp_path):
    settings = {"floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings | {"backend": "jax"}))
    said = run_python(
        "-c",
        WORLD,
        KERAS_HOME=str(tmp_path),
        KERAS_BACKEND="torch",
        **dict.fromkeys(keras_fmnist.CHANGES_RESULTS, "1"),
    )
    assert said.returncode == 0, said.stderr[-3000:]
    expected = weights.digest(weights.get_arrays(networks.build(BASE)))
    assert said.stdout.split() == [expected, "float32", "1e-07", "None", "None", "channels_last"]


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_device_that_a_variable_names_and_that_is_not_there_is_refused(monkeypatch, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    variable = {"torch": "KERAS_TORCH_DEVICE", "jax": "JAX_PLATFORMS"}[backend]
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setenv(variable, "cuda")

    def refuse():
        raise AssertionError("Torch not compiled with CUDA enabled")

    monkeypatch.setattr(keras.backend, "backend", refuse)
    with pytest.raises(SpecError, match=f"{variable} names 'cuda', which {backend} does not find"):
        find_device()
    monkeypatch.delenv(variable)
    with pytest.raises(AssertionError):
        find_device()


def test_where_the_cpu_is_asked_for_a_variable_has_no_say(monkeypatch):
    for variable in ("JAX_PLATFORMS", "KERAS_TORCH_DEVICE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(variable, "cuda")
    select_device("cpu")
    assert (os.environ["JAX_PLATFORMS"], os.environ["KERAS_TORCH_DEVICE"]) == ("cpu", "cpu")
