"""Weights that travel from backend to backend."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.helpers.processes import COMPILE_LESS
from tests.helpers.repository import ROOT

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
            **COMPILE_LESS,
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
            output = process.stdout.readline()
            assert output == "trained\n", (out / f"{backend}-errors").read_text()[-3000:]
        found = []
        for backend, process in zip(there, running, strict=True):
            output, _ = process.communicate(" ".join(there) + "\n", timeout=300)
            assert process.returncode == 0, (out / f"{backend}-errors").read_text()[-3000:]
            found += json.loads(output)
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
