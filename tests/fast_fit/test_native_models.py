"""The native nets of benchmarks/models.py are those that Keras trains there."""

import numpy as np
import pytest
import torch

from tests.helpers.benchmarks import load_benchmark
from tests.helpers.nets import native_outputs, outputs_of

NAMES = (
    "convnet",
    "convnet with RandomFlip and GaussianNoise",
    "denoising autoencoder",
    "transformer block",
    "bidirectional LSTM",
)


@pytest.fixture
def models():
    return load_benchmark("models")


def in_torchs_order(weight, wanted):
    """A weight of Keras as torch keeps it."""
    if weight.ndim == 4:  # height, width, and two of channels
        return weight.transpose(3, 2, 0, 1)
    if weight.shape == (5 * 5 * 64, 10):  # what follows a map: torch counts its channels first
        weight = weight.reshape(5, 5, 64, 10).transpose(2, 0, 1, 3)
    if len(wanted) == 1:
        return weight.reshape(wanted)
    return weight.reshape(wanted[::-1]).T


def share_weights(keras_net, native, mirrored):
    rng = np.random.default_rng(0)
    trained = [weight for weight in native.parameters() if weight.requires_grad]
    with torch.no_grad():
        for ours, theirs in zip(trained, keras_net.trainable_weights, strict=True):
            weight = rng.normal(0, 0.2, theirs.shape).astype("float32")
            theirs.assign(weight)
            if mirrored and weight.ndim == 4:
                weight = weight[::-1, ::-1]
            ours.copy_(torch.tensor(in_torchs_order(weight, tuple(ours.shape)).copy()))


@pytest.mark.parametrize("name", NAMES)
def test_a_native_net_gives_what_the_keras_net_gives_with_its_weights(models, name):
    keras_net, shape = models.MODELS[name]()
    native = models._native(name, keras_net)
    # Of the 15 positions that a transposed convolution makes of 7, Keras cuts off the last and
    # torch the first: they agree on images, and with kernels, that are turned by half a circle.
    mirrored = name == "denoising autoencoder"
    share_weights(keras_net, native, mirrored)
    inputs = np.random.default_rng(1).random((3, *shape), dtype="float32")
    turned = inputs[:, ::-1, ::-1] if mirrored else inputs
    if inputs.ndim == 4:
        outputs = native_outputs(native, turned)
    else:
        with torch.no_grad():
            outputs = native.eval()(torch.tensor(inputs)).numpy()
    expected = outputs_of(keras_net, inputs)
    assert np.ptp(expected) > 0.1
    outputs = outputs[:, ::-1, ::-1] if mirrored else outputs
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def test_every_native_net_is_measured_and_named_here(models):
    assert tuple(models.NATIVE) == NAMES


def test_a_native_net_of_another_size_is_refused(models, monkeypatch):
    monkeypatch.setitem(models.NATIVE, "convnet", models.NATIVE["denoising autoencoder"])
    keras_net, _ = models.MODELS["convnet"]()
    with pytest.raises(SystemExit, match="28353 numbers in PyTorch, 34826 in Keras"):
        models._native("convnet", keras_net)


@pytest.mark.parametrize("name", NAMES)
def test_a_native_training_learns_its_batch(models, name):
    keras_net, shape = models._compiled(models.MODELS[name])
    torch.manual_seed(0)
    training = models.Training(
        models._native(name, keras_net), models._batch_for(keras_net, shape, 8)
    )
    totals = []
    for _ in range(12):
        training.step()
        totals.append(float(training.totals[0]))
    losses = np.diff([0, *totals]) / 8
    assert losses[-1] < losses[0]
    assert float(training.totals[2]) == 12 * 8


def test_augmentation_flips_some_images_adds_noise_and_rests_outside_training(models):
    torch.manual_seed(0)
    augment = models.NATIVE["convnet with RandomFlip and GaussianNoise"]()[0]
    images = torch.linspace(0, 1, 28).expand(64, 1, 28, 28)
    augmented = augment(images)
    is_flipped = (augmented - images.flip(3)).std(dim=(1, 2, 3)) < 0.15
    is_kept = (augmented - images).std(dim=(1, 2, 3)) < 0.15
    assert bool((is_flipped ^ is_kept).all())
    assert 16 < int(is_flipped.sum()) < 48
    assert torch.equal(augment.eval()(images), images)
