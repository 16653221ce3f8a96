"""Models: sizes by arithmetic, names, PyTorch's initialisation, and values by the formulas."""

import math

import keras
import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.models import networks, weights
from keras_fmnist.specs import override

ENCODER_LAYERS = [
    *("image", "conv1", "conv1_relu", "conv1_dropout", "pool1"),
    *("conv2", "conv2_relu", "conv2_dropout", "pool2"),
    *("flatten", "latent", "latent_relu", "latent_dropout"),
]
DECODER_LAYERS = [
    *("code", "hidden", "hidden_relu", "hidden_dropout", "unflatten"),
    *("deconv1", "deconv1_relu", "deconv1_dropout", "deconv2", "output"),
]


@pytest.fixture
def images(dataset):
    return dataset.test_images[:5].astype(np.float32) / 255


@pytest.fixture
def noise():
    """Codes or images between 0 and 1 that no pooling or padding treats alike."""
    return np.random.default_rng(0).random((5, 28, 28, 1), np.float32)


def call(model, inputs, training):
    return keras.ops.convert_to_numpy(model(inputs, training=training))


def names_but_layout(model):
    """The layers' names, and apart from them the one that only turns the layout."""
    names = [layer.name for layer in model.layers]
    turning = [name for name in names if name.startswith("to_channels_")]
    return [name for name in names if name not in turning], turning


@pytest.mark.portable
def test_parameter_counts_are_those_of_the_reports_layers():
    encoder, decoder = networks.encoder(BASE), networks.decoder(BASE)
    conv1, conv2 = 16 * 1 * 9 + 16, 32 * 16 * 9 + 32
    assert (conv1, conv2) == (160, 4_640)
    assert encoder.count_params() == conv1 + conv2 + (800 * 64 + 64) == 56_064
    # Linear 64→800, ConvT 32→16 k4, ConvT 16→1 k3
    hidden, deconv1 = 64 * 800 + 800, 32 * 16 * 16 + 16
    assert decoder.count_params() == hidden + deconv1 + (16 * 9 + 1) == 60_353
    assert networks.autoencoder(BASE).count_params() == 56_064 + 60_353 == 116_417
    assert (
        networks.classifier(encoder, CLASSIFIER_FULL).count_params() == 56_064 + 640 + 10 == 56_714
    )


def test_parameter_counts_of_the_variants():
    latent_256 = override(BASE, {"latent": 256})
    encoder = 160 + 4_640 + (800 * 256 + 256)
    decoder = (256 * 800 + 800) + (32 * 16 * 16 + 16) + (16 * 9 + 1)
    assert networks.encoder(latent_256).count_params() == encoder == 209_856
    assert networks.decoder(latent_256).count_params() == decoder == 213_953
    kernel4 = override(BASE, {"deconv2": "k4s2"})
    assert networks.decoder(kernel4).count_params() == 60_353 + 16 * (16 - 9) == 60_465
    narrow = override(BASE, {"kernels": (4, 8)})
    encoder = (4 * 9 + 4) + (8 * 4 * 9 + 8) + (8 * 25 * 64 + 64)
    assert networks.encoder(narrow).count_params() == encoder == 13_200


@pytest.mark.portable
def test_every_layer_has_its_name_and_the_reports_place():
    encoder, turned = names_but_layout(networks.encoder(BASE))
    assert (encoder, turned) == (ENCODER_LAYERS, ["to_channels_first"])
    decoder, turned = names_but_layout(networks.decoder(BASE))
    assert (decoder, turned) == (DECODER_LAYERS, ["to_channels_last"])
    autoencoder = networks.autoencoder(BASE)
    assert names_but_layout(autoencoder) == (["image", "encoder", "decoder"], [])
    classifier = networks.classifier(autoencoder.get_layer("encoder"), CLASSIFIER_FULL)
    assert names_but_layout(classifier) == (["image", "encoder", "logits", "logits_relu"], [])
    assert (autoencoder.name, classifier.name) == ("autoencoder", "classifier")


@pytest.mark.portable
def test_images_go_in_and_come_out_with_the_channel_last():
    autoencoder = networks.autoencoder(BASE)
    assert autoencoder.input_shape == autoencoder.output_shape == (None, 28, 28, 1)
    encoder = autoencoder.get_layer("encoder")
    assert (encoder.input_shape, encoder.output_shape) == ((None, 28, 28, 1), (None, 64))
    classifier = networks.classifier(encoder, CLASSIFIER_FULL)
    assert (classifier.input_shape, classifier.output_shape) == ((None, 28, 28, 1), (None, 10))


@pytest.mark.portable
@pytest.mark.parametrize(
    ("name", "fan_in"),
    [
        ("encoder/conv1", 1 * 9),
        ("encoder/conv2", 16 * 9),
        ("encoder/latent", 800),
        ("decoder/hidden", 64),
        ("decoder/deconv1", 16 * 4 * 4),  # PyTorch counts a transposed one's fan-in over outputs
        ("decoder/deconv2", 1 * 3 * 3),
        ("logits", 64),
    ],
)
def test_weights_and_biases_start_uniform_within_pytorchs_bound(name, fan_in):
    model = networks.autoencoder(BASE)
    if name == "logits":
        model = networks.classifier(model.get_layer("encoder"), CLASSIFIER_FULL)
    layer = model
    for part in name.split("/"):
        layer = layer.get_layer(part)
    bound = 1 / math.sqrt(fan_in)
    for initializer in (layer.kernel_initializer, layer.bias_initializer):
        assert isinstance(initializer, keras.initializers.RandomUniform)
        assert (initializer.minval, initializer.maxval) == pytest.approx((-bound, bound))
    arrays = weights.get_arrays(model)
    kernel, bias = arrays[f"{name}/kernel"], arrays[f"{name}/bias"]
    assert 0.9 * bound < np.abs(kernel).max() <= bound
    assert abs(kernel.mean()) < 0.2 * bound
    assert np.abs(bias).max() <= bound
    assert np.count_nonzero(bias) == bias.size
    if bias.size >= 10:
        assert np.abs(bias).max() > 0.5 * bound


def test_initial_weights_follow_from_the_seed_and_differ_from_layer_to_layer():
    zero, again, one = (weights.get_arrays(networks.autoencoder(BASE, seed)) for seed in (0, 0, 1))
    assert weights.digest(zero) == weights.digest(again)
    for name in zero:
        assert not np.array_equal(zero[name], one[name]), name
    latent, hidden = zero["encoder/latent/kernel"], zero["decoder/hidden/kernel"]
    # As many numbers from one seed would be the same but for their bound.
    assert abs(np.corrcoef(latent.ravel(), hidden.ravel())[0, 1]) < 0.05


@pytest.mark.portable
@pytest.mark.parametrize("deconvs", [("k4s2o1", "k3s2o1"), ("k4s2o1", "k4s2"), ("k5s2", "k4s2")])
def test_an_autoencoder_is_the_reports_formula_in_any_inner_layout(noise, reference, deconvs):
    spec = override(BASE, {"deconv1": deconvs[0], "deconv2": deconvs[1], "kernels": (5, 7)})
    model = networks.autoencoder(spec, seed=3)
    arrays = {name: 4 * array for name, array in weights.get_arrays(model).items()}
    weights.set_arrays(model, arrays)  # fresh weights make a grey that hides much
    expected = reference.reconstruct(arrays, noise, deconvs)
    assert expected.shape == (5, 28, 28, 1)
    assert expected.std() > 0.1
    np.testing.assert_allclose(call(model, noise, False), expected, atol=1e-5)


@pytest.mark.portable
@pytest.mark.parametrize("between", [True, False])
@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear"])
def test_the_decoder_ends_as_its_spec_says(noise, reference, output, between):
    changes = {"output": output, "between": "relu_dropout" if between else "nothing"}
    model = networks.autoencoder(override(BASE, changes | {"kernels": (5, 7)}), seed=3)
    arrays = {name: 3 * array for name, array in weights.get_arrays(model).items()}
    weights.set_arrays(model, arrays)
    expected = reference.reconstruct(arrays, noise, output=output, between=between)
    assert expected.std() > 0.1
    rounding = 1e-5 * max(1, np.abs(expected).max())  # a linear output reaches 17
    np.testing.assert_allclose(call(model, noise, False), expected, atol=rounding)


@pytest.mark.portable
def test_a_classifier_is_the_reports_formula(noise, reference):
    model = networks.classifier(networks.encoder(BASE), CLASSIFIER_FULL)
    expected = reference.classify(weights.get_arrays(model), noise)
    assert (expected > 0).any()
    np.testing.assert_allclose(call(model, noise, False), expected, atol=2e-6)


def test_the_other_inner_layout_has_the_same_weights_and_results(noise):
    if networks.DATA_FORMAT != networks.FIRST:
        pytest.skip("channels first needs torch: tensorflow's CPU kernels do not know it")
    first = networks.autoencoder(BASE)
    last = networks.autoencoder(BASE, data_format=networks.LAST)
    assert last.get_layer("encoder").get_layer("conv1").data_format == "channels_last"
    assert weights.digest(weights.get_arrays(first)) == weights.digest(weights.get_arrays(last))
    np.testing.assert_allclose(call(first, noise, False), call(last, noise, False), atol=2e-6)


@pytest.mark.portable
@pytest.mark.parametrize("deconvs", ["k4s2o1 k4s2", "k4s2o1 k3s2o1", "k1s2o1 k1s3", "k1s3 k4s2"])
def test_a_spec_that_is_taken_builds_28_pixels(noise, reference, deconvs):
    first, second = deconvs.split()
    model = networks.autoencoder(override(BASE, {"deconv1": first, "deconv2": second}))
    expected = reference.reconstruct(weights.get_arrays(model), noise, (first, second))
    np.testing.assert_allclose(call(model, noise, False), expected, atol=2e-6)


@pytest.mark.portable
def test_dropout_acts_in_training_and_not_in_evaluation(images):
    model = networks.autoencoder(BASE)
    first, second = (call(model, images, True) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    first, second = (call(model, images, False) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    without = networks.autoencoder(override(BASE, {"dropout": 0}))
    np.testing.assert_allclose(call(without, images, True), first, atol=1e-6)


@pytest.mark.parametrize("rate", [0.2, 0.1])
def test_every_activation_but_the_output_is_dropped_at_the_specs_rate(images, rate):
    model = networks.autoencoder(override(BASE, {"dropout": rate}))
    rates = {
        layer.name: layer.rate
        for part in ("encoder", "decoder")
        for layer in model.get_layer(part).layers
        if isinstance(layer, keras.layers.Dropout)
    }
    dropped = ("conv1", "conv2", "latent", "hidden", "deconv1")
    assert rates == {f"{name}_dropout": rate for name in dropped}
    assert call(model, images, True).min() > 0  # a dropped output would be 0


def test_the_code_drops_and_scales_what_is_left(images):
    spec = override(BASE, {"dropout": 0.5})
    encoder = networks.encoder(spec)
    features = keras.Model(encoder.input, encoder.get_layer("latent_relu").output)
    last = keras.Model(encoder.get_layer("latent_dropout").input, encoder.output)
    codes = call(features, images, False)
    dropped = call(last, codes, True)
    alive = dropped != 0
    np.testing.assert_allclose(dropped[alive], 2 * codes[alive], rtol=1e-6)
    assert 0.2 < alive.sum() / (codes != 0).sum() < 0.8


@pytest.mark.portable
@pytest.mark.parametrize("relu", [True, False])
def test_the_relu_on_the_code_can_be_left_out(noise, reference, relu):
    encoder = networks.encoder(override(BASE, {"code_relu": relu}), seed=3)
    arrays = {f"encoder/{name}": array for name, array in weights.get_arrays(encoder).items()}
    expected = reference.encode(arrays, noise, code_relu=relu)
    assert (expected < 0).any() == (not relu)
    np.testing.assert_allclose(call(encoder, noise, False), expected, atol=2e-6)


@pytest.mark.parametrize("relu", [True, False])
def test_the_relu_on_the_logits_can_be_left_out(noise, relu):
    encoder = networks.encoder(BASE)
    spec = override(CLASSIFIER_FULL, {"relu_logits": relu})
    model = networks.classifier(encoder, spec)
    arrays = weights.get_arrays(model)
    codes = call(encoder, noise, False)
    plain = codes @ arrays["logits/kernel"] + arrays["logits/bias"]
    assert plain.min() < 0 < plain.max()
    expected = plain.clip(0) if relu else plain
    np.testing.assert_allclose(call(model, noise, False), expected, atol=1e-5)


@pytest.mark.portable
@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
def test_dropout_in_the_encoder_is_the_specs_choice_frozen_or_not(images, acts, frozen):
    changes = {"encoder_dropout": acts, "relu_logits": False, "frozen": frozen}
    model = networks.build(override(CLASSIFIER_FULL, changes))
    first, second = (call(model, images, True) for _ in range(2))
    assert bool(np.abs(first - second).max() > 1e-3) == acts
    if not acts:
        np.testing.assert_array_equal(first, call(model, images, False))


@pytest.mark.portable
def test_a_classifier_stands_on_the_encoder_it_is_given():
    encoder = networks.encoder(BASE)
    encoder.trainable = False
    model = networks.classifier(encoder, CLASSIFIER_FROZEN)
    assert model.get_layer("encoder") is encoder
    assert [v.path for v in model.trainable_weights] == ["logits/kernel", "logits/bias"]
    assert sum(math.prod(v.shape) for v in model.trainable_weights) == 64 * 10 + 10 == 650
