"""export: the format follows from the target, and the file computes what the run has trained."""

import keras
import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.inference import trained
from keras_fmnist.models import weights
from tests.helpers.nets import load_net


def test_export_takes_its_format_from_the_target_and_its_target_from_the_format(run_line, studied):
    digest = trained.find(studied, BASE.id).weights_sha256["final"]
    for words, target in {
        "--format safetensors": "base.safetensors",
        "--target here/net.safetensors": "here/net.safetensors",
        "--format safetensors --target net.safetensors": "net.safetensors",
    }.items():
        status, out, err = run_line(f"export mansilla/base {words}")
        assert (status, err) == (0, "")
        assert out.startswith(f"{target}: ")
        weights.load(target, digest)


def test_export_writes_a_keras_model_that_computes_what_the_run_has_trained(
    run_line, studied, dataset
):
    assert run_line("export mansilla/classifier_full --format keras")[0] == 0
    model = keras.models.load_model("classifier_full.keras")
    images = dataset.test_images[:9]
    found = model.predict(images.astype(np.float32) / 255, verbose=0)
    np.testing.assert_allclose(found, load_net(studied, CLASSIFIER_FULL).logits(images), atol=1e-6)
    assert found.std() > 1e-3


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=lambda spec: spec.name)
def test_export_writes_the_weights_of_the_run(run_line, studied, spec):
    status, out, err = run_line(f"export {spec.id} --target net.safetensors")
    record = trained.find(studied, spec.id)
    arrays = weights.load("net.safetensors", record.weights_sha256["final"])
    assert (status, err) == (0, "")
    assert out == (
        f"net.safetensors: {len(arrays)} tensors of {spec.id}, seed 0; "
        "images are (n, 28, 28, 1) float32 from 0 to 1\n"
    )
