"""The native twin of a spec: the net, the optimiser, the loss and the step that a spec asks for."""

import keras
import numpy as np
import pytest
import torch

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.models import networks, torch_weights, weights
from keras_fmnist.pytorch import from_spec
from keras_fmnist.specs import override
from keras_fmnist.training.compile import compile_model


@pytest.fixture(scope="module")
def images(dataset):
    return dataset.train_images[:20].astype(np.float32) / 255


@pytest.fixture(scope="module")
def labels(dataset):
    return dataset.train_labels[:20].astype(np.int32)


@pytest.fixture(params=["keras", "native"])
def classifier(request, images, labels):
    """`classifier(spec)`: one side of a classifier, as functions `call`, `step` and `encoder`."""

    def make(spec):
        model, net = networks.build(spec), from_spec.build(spec)
        from_spec.load(net, model)
        if request.param == "keras":
            compile_model(model, spec)
            return (
                lambda training: keras.ops.convert_to_numpy(model(images, training=training)),
                lambda: model.train_on_batch(images, labels),
                lambda: torch_weights.to_native(weights.get_arrays(model)),
            )
        stepper = from_spec.optimizer(spec, net)

        def call(training):
            return net.train(training)(from_spec.to_torch(images, labels)[0]).detach().numpy()

        def arrays():
            return {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}

        return call, lambda: from_spec.step(spec, net, stepper, images, labels), arrays

    return make


def changed(before, after):
    return {name for name in before if not np.array_equal(before[name], after[name])}


@pytest.mark.portable
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("acts", [True, False])
def test_a_frozen_encoder_drops_unless_the_spec_says_otherwise(classifier, frozen, acts):
    changes = {"frozen": frozen, "encoder_dropout": acts, "relu_logits": False}
    call, _, _ = classifier(override(CLASSIFIER_FULL, changes))
    evaluated, first, second = call(False), call(True), call(True)
    np.testing.assert_array_equal(evaluated, call(False))
    if acts:
        assert np.abs(first - second).max() > 1e-3
        assert np.abs(first - evaluated).max() > 1e-3
    else:
        np.testing.assert_array_equal(first, evaluated)
        np.testing.assert_array_equal(second, evaluated)


@pytest.mark.portable
def test_an_encoder_without_dropout_has_batch_norm_that_trains_on_both_sides(classifier):
    changes = {"encoder_dropout": False, "autoencoder_batchnorm": True}
    call, step, arrays = classifier(override(CLASSIFIER_FULL, changes))
    assert np.abs(call(True) - call(False)).max() > 1e-3
    before = arrays()
    step()
    assert {"encoder.bn1.running_mean", "encoder.bn2.running_var"} <= changed(before, arrays())


@pytest.mark.portable
def test_training_moves_the_head_alone_where_the_encoder_is_frozen(classifier):
    _, step, arrays = classifier(CLASSIFIER_FROZEN)
    before = arrays()
    for _ in range(3):
        step()
    assert changed(before, arrays()) == {"logits.weight", "logits.bias"}


@pytest.mark.portable
def test_training_moves_everything_where_nothing_is_frozen(classifier):
    _, step, arrays = classifier(CLASSIFIER_FULL)
    before = arrays()
    step()
    assert changed(before, arrays()) == before.keys()
    assert len(before) == 8


def test_a_net_has_every_setting_of_its_spec():
    changes = {"kernels": (8, 24), "latent": 48, "dropout": 0.3, "deconv2": "k4s2"}
    spec = override(BASE, changes)
    net = from_spec.build(spec)
    assert (net.encoder.conv1.out_channels, net.encoder.conv2.out_channels) == (8, 24)
    assert net.encoder.latent.out_features == net.decoder.hidden.in_features == 48
    dropped = [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)]
    assert dropped == [0.3] * 5
    shapes = [
        (d.in_channels, d.out_channels, d.kernel_size, d.stride, d.padding, d.output_padding)
        for d in (net.decoder.deconv1, net.decoder.deconv2)
    ]
    assert shapes == [
        (24, 8, (4, 4), (2, 2), (0, 0), (1, 1)),
        (8, 1, (4, 4), (2, 2), (0, 0), (0, 0)),
    ]
    assert net(torch.zeros(1, 1, 28, 28)).shape == (1, 1, 28, 28)


@pytest.mark.parametrize("spec", [CLASSIFIER_FULL, CLASSIFIER_FROZEN], ids=lambda spec: spec.name)
@pytest.mark.parametrize("relu", [True, False])
def test_a_classifier_has_the_encoder_of_its_autoencoder_and_the_relu_of_its_spec(spec, relu):
    changes = {"relu_logits": relu, "autoencoder_latent": 32}
    net = from_spec.build(override(spec, changes))
    assert (net.encoder.latent.out_features, net.logits.in_features) == (32, 32)
    learns = {name for name, p in net.named_parameters() if p.requires_grad}
    head = {"logits.weight", "logits.bias"}
    assert learns == (head if spec.frozen else net.state_dict().keys())
    with torch.no_grad():
        outputs = net.eval()(torch.rand(50, 1, 28, 28))
    assert bool((outputs < 0).any()) != relu


def test_a_native_net_starts_from_weights_of_its_own():
    torch.manual_seed(0)
    first, second = (from_spec.build(BASE).encoder.conv1.weight for _ in range(2))
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    assert torch.equal(from_spec.build(BASE).encoder.conv1.weight, first)


def test_the_optimizer_is_pytorchs_with_the_settings_of_the_spec():
    net = from_spec.build(BASE)
    adam = from_spec.optimizer(override(BASE, {"learning_rate": 2e-3}), net)
    assert type(adam) is torch.optim.Adam
    assert (adam.defaults["lr"], adam.defaults["eps"]) == (2e-3, 1e-8)
    changes = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9}
    sgd = from_spec.optimizer(override(BASE, changes), net)
    assert type(sgd) is torch.optim.SGD
    assert (sgd.defaults["lr"], sgd.defaults["momentum"]) == (0.1, 0.9)
    assert sum(p.numel() for p in sgd.param_groups[0]["params"]) == 116_417


def test_the_loss_is_the_mean_over_pixels_or_the_cross_entropy_of_logits():
    ones, zeros = torch.ones(2, 1, 28, 28), torch.zeros(2, 1, 28, 28)
    assert from_spec.loss(BASE)(ones * 0.5, zeros).item() == 0.25
    logits = torch.zeros(3, 10)
    assert from_spec.loss(CLASSIFIER_FULL)(logits, torch.tensor([1, 2, 3])).item() == pytest.approx(
        2.302585
    )


def test_a_batch_has_its_channel_first_and_targets_of_the_kind_the_loss_takes(images, labels):
    x, y = from_spec.to_torch(images, labels)
    assert x.shape == (20, 1, 28, 28)
    np.testing.assert_array_equal(x.numpy()[:, 0], images[..., 0])
    assert y.dtype == torch.int64
    assert y.tolist() == labels.tolist()
    again, target = from_spec.to_torch(images, images)
    assert target is again
    before = images.copy()
    x.zero_()
    np.testing.assert_array_equal(images, before)  # a copy, not a view


@pytest.mark.portable
def test_loaded_weights_are_the_models_bit_for_bit():
    model, net = networks.build(BASE, 3), from_spec.build(BASE)
    from_spec.load(net, model)
    arrays = torch_weights.to_native(weights.get_arrays(model))
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), arrays[name])


def test_a_step_moves_each_weight_by_the_learning_rate_times_its_gradient(images):
    spec = override(BASE, {"dropout": 0.0, "optimizer": "sgd", "learning_rate": 0.5})
    net = from_spec.build(spec).eval()
    stepper = from_spec.optimizer(spec, net)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    x = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    gradients = torch.autograd.grad(((net(x) - x) ** 2).mean(), list(net.parameters()))
    for p in net.parameters():
        p.grad = torch.ones_like(p)  # left over from elsewhere; a step must not add to it
    from_spec.step(spec, net, stepper, images, images)
    assert net.training
    for (name, p), gradient in zip(net.named_parameters(), gradients, strict=True):
        assert gradient.abs().max() > 0
        torch.testing.assert_close(p.detach(), before[name] - 0.5 * gradient, atol=1e-7, rtol=0)


@pytest.mark.parametrize("kind", ["element", "channel"])
@pytest.mark.parametrize(
    ("at", "encoder"),
    [
        ("before_pooling", ["conv1_dropout", "conv2_dropout"]),
        ("after_pooling", ["pool1_dropout", "pool2_dropout"]),
        ("both", ["conv1_dropout", "pool1_dropout", "conv2_dropout", "pool2_dropout"]),
    ],
)
def test_dropout_stands_where_the_spec_says_on_both_sides(at, encoder, kind):
    spec = override(BASE, {"dropout_at": at, "dropout_kind": kind})
    model, net = networks.build(spec), from_spec.build(spec)
    ours = {
        layer.name: type(layer).__name__
        for part in ("encoder", "decoder")
        for layer in model.get_layer(part).layers
        if "dropout" in layer.name
    }
    theirs = {
        name.rpartition(".")[2]: type(module).__name__
        for name, module in net.named_modules()
        if "dropout" in name
    }
    maps, vectors = (*encoder, "deconv1_dropout"), ("latent_dropout", "hidden_dropout")
    of_maps = {"element": ("Dropout", "Dropout"), "channel": ("ChannelDropout", "Dropout2d")}[kind]
    assert ours == dict.fromkeys(maps, of_maps[0]) | dict.fromkeys(vectors, "Dropout")
    assert theirs == dict.fromkeys(maps, of_maps[1]) | dict.fromkeys(vectors, "Dropout")
    # Each stands after what it is named for.
    names = [layer.name for layer in model.get_layer("encoder").layers]
    for name in encoder:
        before = name.replace("_dropout", "_relu" if "conv" in name else "")
        assert names[names.index(name) - 1] == before


@pytest.mark.parametrize("relu", [True, False])
def test_both_encoders_have_the_relu_on_the_code_that_the_spec_says(relu):
    spec = override(BASE, {"code_relu": relu})
    ours = [layer.name for layer in networks.encoder(spec).layers]
    theirs = [name for name, _ in from_spec.build(spec).encoder.named_children()]
    layers = ["flatten", "latent", *(["latent_relu"] if relu else []), "latent_dropout"]
    assert ours[-len(layers) :] == theirs[-len(layers) :] == layers


@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear"])
@pytest.mark.parametrize(
    ("between", "layers"),
    [
        ("relu_dropout", ["deconv1", "deconv1_relu", "deconv1_dropout", "deconv2", "output"]),
        ("nothing", ["deconv1", "deconv2", "output"]),
    ],
)
def test_both_decoders_end_in_the_layers_of_the_spec(output, between, layers):
    spec = override(BASE, {"output": output, "between": between})
    decoder, native_decoder = (
        networks.build(spec).get_layer("decoder"),
        from_spec.build(spec).decoder,
    )
    ours = [layer.name for layer in decoder.layers if not layer.name.startswith("to_channels_")]
    theirs = [name for name, _ in native_decoder.named_children()]
    assert ours[-len(layers) :] == theirs[-len(layers) :] == layers
    assert ours[-len(layers) - 1] == theirs[-len(layers) - 1] == "unflatten"
    kinds = {"sigmoid": "Sigmoid", "tanh": "Tanh", "linear": "Identity"}
    assert decoder.get_layer("output").activation.__name__ == output
    assert type(native_decoder.output).__name__ == kinds[output]
