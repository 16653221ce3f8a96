"""A net from its record: the weights of that run, its settings, and what goes through it."""

import numpy as np
import pytest

from experiments import manolucos
from experiments.assumptions import FIRST_DEFAULT
from experiments.mansilla import BASE, CLASSIFIER_FULL, SGD
from keras_fmnist.inference import trained
from keras_fmnist.models import weights
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.run import RunFiles
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import settings
from tests.helpers.runs import make_run
from tests.helpers.train import train_spec


@pytest.fixture(scope="module")
def net(studied):
    """`net(spec)`: what was trained of it."""
    return lambda spec: trained.load(studied, trained.find(studied, spec.id), spec)


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=lambda spec: spec.name)
def test_a_net_has_the_weights_and_the_settings_of_its_run(net, spec):
    loaded = net(spec)
    assert loaded.record.id == spec.id
    final = loaded.record.weights_sha256["final"]
    assert weights.digest(weights.get_arrays(loaded.model)) == final
    # The run had changed some, the declared spec has not.
    assert settings(loaded.spec) == loaded.record.spec != settings(spec)


def test_probabilities_are_the_softmax_of_the_formulas(net, reference, dataset):
    loaded = net(CLASSIFIER_FULL)
    arrays = weights.get_arrays(loaded.model)
    images = dataset.test_images[:7]
    kernel, bias = arrays["logits/kernel"], arrays["logits/bias"]
    logits = reference.encode(arrays, images / 255) @ kernel + bias
    np.testing.assert_allclose(loaded.logits(images), logits, atol=1e-5, rtol=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(loaded.probabilities(images), expected, atol=1e-6, rtol=0)


def test_logits_of_any_size_have_probabilities():
    class Sure(trained.Trained):
        def logits(self, images):
            return np.float32([[2000, 1000], [-1000, -1000]])

    found = Sure(None, None, None).probabilities(None)
    assert found.tolist() == [[1, 0], [0.5, 0.5]]


def test_codes_and_what_is_decoded_of_them_are_those_of_the_formulas(net, reference, dataset):
    loaded = net(BASE)
    arrays = weights.get_arrays(loaded.model)
    images = dataset.test_images[:7]
    codes = loaded.encode(images)
    assert codes.shape == (7, loaded.spec.code_size) == (7, 64)
    np.testing.assert_allclose(codes, reference.encode(arrays, images / 255), atol=1e-5, rtol=0)
    expected = reference.reconstruct(arrays, images / 255)
    np.testing.assert_allclose(loaded.decode(codes), expected, atol=1e-5, rtol=0)


def test_a_code_that_is_a_map_is_flat_and_signed_pixels_come_back_from_0_to_1(
    tmp_path, tiny, dataset
):
    declared = FIRST_DEFAULT[manolucos.BASELINE]
    spec = tiny(declared, epochs=0)
    train_spec(spec, 0, tmp_path, dataset=dataset)
    loaded = trained.load(tmp_path, trained.find(tmp_path, spec.id), declared)
    images = dataset.test_images[:5]
    codes = loaded.encode(images)
    assert codes.shape == (5, 32 * 5 * 5)
    signed = loaded.model.predict(images.astype(np.float32) / 255 * 2 - 1, verbose=0)
    assert signed.min() < 0
    np.testing.assert_allclose(loaded.decode(codes), (signed + 1) / 2, atol=1e-6, rtol=0)


def test_what_has_no_weights_is_named_with_the_command_that_makes_them(
    tmp_path, make_record, put_record
):
    put_record(tmp_path, make_record(SGD))  # a record alone
    for seed in (0, 3):
        with pytest.raises(SpecError) as error:
            trained.find(tmp_path, SGD.id, seed)
        assert str(error.value) == (
            f"{tmp_path} holds no weights of mansilla/sgd, seed {seed}: train it with "
            f"python -m experiments.mansilla sgd --seed {seed} --out {tmp_path}"
        )


def test_of_several_runs_of_a_seed_the_one_on_torch_is_taken(tmp_path, make_record, put_record):
    for backend in ("jax", "torch", "tensorflow"):
        path = put_record(tmp_path, make_record(BASE, 0, backend=backend))
        RunFiles(path).weights.touch()
    other = put_record(tmp_path, make_record(BASE, 1))
    RunFiles(other).weights.touch()
    record = trained.find(tmp_path, BASE.id, 0)
    assert (record.backend, record.seed) == ("torch", 0)
    assert trained.find_all(tmp_path, 0) == {BASE.id: record}
    assert trained.find_all(tmp_path, 2) == {}


def test_weights_that_the_record_does_not_name_are_refused(tmp_path, studied):
    record = trained.find(studied, BASE.id)
    path = make_run(BASE).files(tmp_path).record
    write_dataclass(path, record)
    weights.save(RunFiles(path).weights, {"encoder/conv1/kernel": np.zeros(3, np.float32)})
    with pytest.raises(weights.WeightsError, match="not hold the weights that its record names"):
        trained.load(tmp_path, record, BASE)
