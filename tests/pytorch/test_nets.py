"""The native twin: its sizes by arithmetic, its values, and what its loops and its freezing do."""

import pytest
import torch
from torch import nn

from keras_fmnist.pytorch.nets import DECONVS, K4, Autoencoder, Classifier, Decoder, Encoder
from tests.helpers.native_nets import manolucos, parameters


def test_parameter_counts_are_those_of_the_reports_layers():
    conv1, conv2 = 16 * 1 * 9 + 16, 32 * 16 * 9 + 32
    assert (conv1, conv2) == (160, 4_640)

    # mansilla: Linear 800→64, Linear 64→800, ConvT k4 and ConvT k3
    encoder = Encoder()
    assert parameters(encoder) == conv1 + conv2 + (800 * 64 + 64) == 56_064
    decoder = Decoder()
    assert parameters(decoder) == (64 * 800 + 800) + (32 * 16 * 16 + 16) + (16 * 9 + 1) == 60_353
    kernel4 = Decoder(deconvs=DECONVS["mansilla_kernel4"])
    assert parameters(kernel4) == 60_353 + 16 * (16 - 9) == 60_465
    assert parameters(Encoder(latent=256)) == conv1 + conv2 + (800 * 256 + 256) == 209_856
    assert parameters(Classifier(encoder)) == 56_064 + (64 * 10 + 10) == 56_714

    # manolucos: no linear layer, ConvT k5 and ConvT k6; `wide` is 64 and 96 kernels, batch norm
    deconvs = (32 * 16 * 25 + 16) + (16 * 36 + 1)
    assert parameters(manolucos()) == conv1 + conv2 + deconvs == 18_193
    assert parameters(manolucos("manolucos_repaired")) == 18_193
    wide = Encoder((64, 96), latent=None, batchnorm=True, pooling=("max", "avg"))
    assert parameters(wide) == (64 * 9 + 64 + 2 * 64) + (96 * 64 * 9 + 96 + 2 * 96) == 56_352
    head = 96 * 25 * 10 + 10
    assert parameters(Classifier(wide, relu_logits=False)) == 56_352 + head == 80_362
    hidden = (96 * 25 * 128 + 128) + (128 * 10 + 10)
    assert parameters(Classifier(wide, hidden=128)) == 56_352 + hidden == 364_970


def test_parameters_keep_the_names_and_the_order_that_weights_are_mapped_by():
    def layers(module):
        return list(dict.fromkeys(name.rpartition(".")[0] for name in module.state_dict()))

    assert layers(Autoencoder(Encoder(batchnorm=True), Decoder())) == [
        "encoder.conv1",
        "encoder.bn1",
        "encoder.conv2",
        "encoder.bn2",
        "encoder.latent",
        "decoder.hidden",
        "decoder.deconv1",
        "decoder.deconv2",
    ]
    assert layers(Classifier(Encoder(latent=None), hidden=8)) == [
        "encoder.conv1",
        "encoder.conv2",
        "hidden1",
        "logits",
    ]


def test_layers_follow_each_other_as_in_the_reports():
    def kinds(net):
        return " ".join(type(layer).__name__ for layer in net)

    block, code = "Conv2d ReLU Dropout MaxPool2d", "Linear ReLU Dropout"
    assert kinds(Encoder()) == f"{block} {block} Flatten {code}"
    last = "ConvTranspose2d ReLU Dropout ConvTranspose2d Sigmoid"
    assert kinds(Decoder()) == f"{code} Unflatten {last}"
    assert kinds(Classifier(Encoder())) == "Encoder Flatten Linear ReLU"

    bare = "Linear ReLU Dropout Unflatten ConvTranspose2d ConvTranspose2d Identity"
    assert kinds(Decoder(output="linear", between=False)) == bare

    assert kinds(manolucos().encoder) == f"{block} {block}"
    assert kinds(manolucos().decoder) == last
    wide = Encoder((64, 96), latent=None, batchnorm=True, pooling=("max", "avg"))
    first, second = (f"Conv2d BatchNorm2d ReLU Dropout {pool}Pool2d" for pool in ("Max", "Avg"))
    assert kinds(wide) == f"{first} {second}"
    hidden = Classifier(wide, hidden=128, relu_logits=False)
    assert kinds(hidden) == "Encoder Flatten Linear ReLU Linear"

    net = Autoencoder(Encoder(dropout=0.1), Decoder(dropout=0.1))
    rates = [layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)]
    assert rates == [0.1] * 5


def test_every_map_has_the_size_that_the_reports_give(images):
    sizes = {}
    for net in (Autoencoder(Encoder(), Decoder()), *map(manolucos, DECONVS)):
        for name, module in net.named_modules():
            module.register_forward_hook(
                lambda _, __, output, name=name: sizes.update({name: tuple(output.shape[1:])})
            )
        net(images[:3])
        assert sizes["encoder.conv1"] == (16, 26, 26)
        assert sizes["encoder.pool1"] == (16, 13, 13)
        assert sizes["encoder.conv2"] == (32, 11, 11)
        assert sizes["encoder.pool2"] == (32, 5, 5)
        assert sizes["decoder.deconv1"] == (16, 13, 13)
        assert sizes["decoder.output"] == (1, 28, 28)
    assert sizes["encoder"] == (32, 5, 5)  # manolucos
    assert Encoder(latent=256)(images[:3]).shape == (3, 256)
    assert Classifier(Encoder())(images[:3]).shape == (3, 10)


def test_the_last_layer_as_mansilla_prints_it_gives_29_pixels(images):
    net = Autoencoder(Encoder(), Decoder(deconvs=(K4, K4)))
    assert net(images[:1]).shape == (1, 1, 29, 29)


def test_outputs_lie_in_the_range_of_their_activation(images):
    loud = 100 * images
    sigmoid, tanh = manolucos(), manolucos(output="tanh")
    tanh.load_state_dict(sigmoid.state_dict())
    sigmoid.eval()
    tanh.eval()
    assert 0 <= sigmoid(loud).min() < sigmoid(loud).max() <= 1
    assert -1 <= tanh(loud).min() < 0
    # One pre-activation, two squashings: tanh(z) = 2 sigmoid(2z) - 1.
    z = torch.logit(sigmoid(images))
    torch.testing.assert_close(tanh(images), 2 * torch.sigmoid(2 * z) - 1, atol=1e-5, rtol=0)
    linear = manolucos(output="linear").eval()
    linear.load_state_dict(sigmoid.state_dict())
    torch.testing.assert_close(linear(images), z, atol=1e-5, rtol=0)
    code = Encoder().eval()(images)
    assert code.min() == 0 < code.max()


def test_the_encoder_is_the_reports_formula(images):
    encoder = Encoder(pooling=("max", "avg"), batchnorm=True).eval()
    weights = {name: value for name, value in encoder.state_dict().items() if "num_" not in name}
    for value in weights.values():
        value.uniform_(0.1, 0.9)  # the statistics too, or batch norm would be the identity

    def block(x, number, pool):
        x = nn.functional.conv2d(x, *(weights[f"conv{number}.{end}"] for end in ("weight", "bias")))
        scale, shift, mean, variance = (
            weights[f"bn{number}.{end}"].view(-1, 1, 1)
            for end in ("weight", "bias", "running_mean", "running_var")
        )
        x = (x - mean) / (variance + 1e-5).sqrt() * scale + shift
        return pool(x.clamp(min=0)[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2])

    def maximum(x):
        return x.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))

    def average(x):
        return x.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5))

    maps = block(block(images[:5], 1, maximum), 2, average)
    code = maps.reshape(5, 800) @ weights["latent.weight"].T + weights["latent.bias"]
    torch.testing.assert_close(encoder(images[:5]), code.clamp(min=0))


def test_the_dilated_deconvolution_leaves_120_of_169_positions_with_the_bias_alone():
    def positions_beyond_bias(decoder):
        output = decoder.deconv1(torch.rand(8, 32, 5, 5))
        beyond = output != decoder.deconv1.bias.view(1, 16, 1, 1)
        return beyond.any(dim=(0, 1))

    written = positions_beyond_bias(manolucos().decoder)
    assert written.shape == (13, 13)
    assert (~written).sum() == 120
    assert written[::2, ::2].all()  # the other 49 = 7 x 7
    assert positions_beyond_bias(manolucos("manolucos_repaired").decoder).all()


def test_an_unknown_pooling_or_output_is_refused():
    with pytest.raises(KeyError, match="mean"):
        Encoder(pooling=("max", "mean"))
    with pytest.raises(KeyError, match="softmax"):
        Decoder(output="softmax")


def test_dropout_acts_in_training_mode_only_and_never_on_the_output(images):
    net = Autoencoder(Encoder(), Decoder())
    assert not net(images).equal(net(images))
    assert net(images).min() > 0  # a dropped output would be 0
    net.eval()
    assert net(images).equal(net(images))
    without = Autoencoder(Encoder(dropout=0), Decoder(dropout=0))
    without.load_state_dict(net.state_dict())
    assert without.training
    assert without(images).equal(net(images))


def test_the_relu_on_the_logits_can_be_left_out(images):
    clipped, plain = Classifier(Encoder()), Classifier(Encoder(), relu_logits=False)
    plain.load_state_dict(clipped.state_dict())
    clipped.eval()
    plain.eval()
    assert plain(images).min() < 0
    assert clipped(images).equal(plain(images).clamp(min=0))
