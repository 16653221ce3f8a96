"""The native twin: its sizes by arithmetic, its values, and what its loops and its freezing do."""

import copy

import pytest
import torch
from keras_fmnist.native import (
    DECONVS,
    K4,
    Autoencoder,
    Classifier,
    Decoder,
    Encoder,
    freeze,
)
from keras_fmnist.native_training import (
    ImageDataset,
    accuracy,
    evaluate,
    train,
    train_with_dataloader,
)
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def one_thread():
    """On these batches a second thread gains nothing, and on a busy machine it costs tenfold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def images():
    """A bright square on black, at a random place: 250 images, so that batches of 100 leave 50."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(250, 1, 28, 28)
    for image, (row, column) in zip(
        images, torch.randint(0, 18, (250, 2), generator=generator).tolist(), strict=True
    ):
        image[:, row : row + 10, column : column + 10] = 0.9
    return images


@pytest.fixture
def labels(images):
    """Whether the square is in the upper half: 0 or 1."""
    return (images[:, :, :14].sum(dim=(1, 2, 3)) > images.sum(dim=(1, 2, 3)) / 2).long()


def manolucos(deconvs="manolucos", output="sigmoid", dropout=0.2):
    decoder = Decoder(latent=None, dropout=dropout, deconvs=DECONVS[deconvs], output=output)
    return Autoencoder(Encoder(latent=None, dropout=dropout), decoder)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def copied(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(module, before):
    return {name for name, value in module.state_dict().items() if not value.equal(before[name])}


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


@pytest.mark.parametrize("deconvs", DECONVS)
def test_two_epochs_of_training_lower_the_loss(images, deconvs):
    net = Autoencoder(Encoder(), Decoder(deconvs=DECONVS[deconvs]))
    if deconvs.startswith("manolucos"):
        net = manolucos(deconvs)
    before = evaluate(net, images, images, mse_loss, 100)
    optimizer = torch.optim.Adam(net.parameters())
    history = train(
        net, images, images, epochs=2, batch_size=10, optimizer=optimizer, loss=mse_loss
    )
    assert len(history) == 2
    assert history[1] < history[0]
    assert evaluate(net, images, images, mse_loss, 100) < 0.8 * before


def test_a_classifier_learns_the_labels(images, labels):
    net = Classifier(Encoder(), relu_logits=False)
    optimizer = torch.optim.Adam(net.parameters())
    train(net, images, labels, epochs=5, batch_size=25, optimizer=optimizer, loss=cross_entropy)
    assert 0.3 < labels.float().mean() < 0.7
    assert evaluate(net, images, labels, accuracy, 100) > 0.9


def test_accuracy_is_the_share_of_right_answers():
    logits = torch.eye(10)[[3, 1, 4, 1]]
    assert accuracy(logits, torch.tensor([3, 1, 4, 5])) == 0.75


def test_an_epoch_is_one_step_for_each_batch_of_the_generators_permutation(images):
    net = manolucos(dropout=0)
    by_hand = copy.deepcopy(net)

    def sgd(module):
        return torch.optim.SGD(module.parameters(), lr=0.1)

    generator = torch.Generator().manual_seed(7)
    train(
        net,
        images,
        images,
        epochs=2,
        batch_size=100,
        optimizer=sgd(net),
        loss=mse_loss,
        generator=generator,
    )

    optimizer, generator, steps = sgd(by_hand), torch.Generator().manual_seed(7), 0
    for _ in range(2):
        order = torch.randperm(250, generator=generator)
        assert sorted(order.tolist()) == list(range(250))
        for rows in (order[:100], order[100:200], order[200:]):
            optimizer.zero_grad()
            mse_loss(by_hand(images[rows]), images[rows]).backward()
            optimizer.step()
            steps += 1
    assert steps == 6
    assert moved(net, by_hand.state_dict()) == set()


def test_each_epoch_is_reported_and_trains_even_after_an_evaluation(images):
    net = manolucos()
    modes, reports = [], []
    net.register_forward_hook(lambda module, _, __: modes.append(module.training))

    def on_epoch(epoch, running_loss):
        reports.append((epoch, running_loss))
        evaluate(net, images, images, mse_loss, 250)

    history = train(
        net,
        images,
        images,
        epochs=2,
        batch_size=125,
        optimizer=torch.optim.Adam(net.parameters()),
        loss=mse_loss,
        on_epoch=on_epoch,
    )
    assert reports == [(1, history[0]), (2, history[1])]
    assert modes == [True, True, False] * 2


def test_the_running_loss_and_evaluate_weigh_the_last_partial_batch_by_its_size(images):
    net = manolucos(dropout=0)
    images[200:] += torch.rand(50, 1, 28, 28)  # so that the last batch differs from the others
    whole = evaluate(net, images, images, mse_loss, 250)
    assert evaluate(net, images, images, mse_loss, 100) == pytest.approx(whole, rel=1e-5)
    parts = [evaluate(net, part, part, mse_loss, 100) for part in images.split(100)]
    assert sum(parts) / 3 != pytest.approx(whole, rel=1e-2)

    still = torch.optim.SGD(net.parameters(), lr=0.0)
    (running,) = train(
        net, images, images, epochs=1, batch_size=100, optimizer=still, loss=mse_loss
    )
    assert running == pytest.approx(whole, rel=1e-5)


def test_a_target_too_few_or_no_inputs_at_all_are_refused(images, labels):
    net = Classifier(Encoder())
    with pytest.raises(ValueError, match="250 inputs and 249 targets"):
        evaluate(net, images, labels[:249], cross_entropy, 100)
    optimizer = torch.optim.Adam(net.parameters())
    with pytest.raises(ValueError, match="0 inputs and 0 targets"):
        train(
            net,
            images[:0],
            labels[:0],
            epochs=1,
            batch_size=1,
            optimizer=optimizer,
            loss=cross_entropy,
        )
    pixels, surplus = images.byte().squeeze(1), labels.repeat(2)
    with pytest.raises(ValueError, match="250 inputs and 500 targets"):
        train_with_dataloader(
            net, pixels, surplus, epochs=1, batch_size=1, optimizer=optimizer, loss=cross_entropy
        )


def train_frozen(classifier, images, labels):
    """Two epochs with the encoder frozen; returns the names in its state_dict that moved."""
    before = copied(classifier)
    freeze(classifier.encoder)
    train(
        classifier,
        images,
        labels,
        epochs=2,
        batch_size=50,
        optimizer=torch.optim.Adam(classifier.parameters(), weight_decay=0.1),
        loss=cross_entropy,
    )
    return moved(classifier, before)


def test_a_frozen_encoder_does_not_move_but_its_batchnorm_statistics_do(images, labels):
    assert train_frozen(Classifier(Encoder()), images, labels) == {"logits.weight", "logits.bias"}

    statistics = ("running_mean", "running_var", "num_batches_tracked")
    with_batchnorm = Classifier(Encoder(batchnorm=True))
    assert train_frozen(with_batchnorm, images, labels) == {
        "logits.weight",
        "logits.bias",
        *(f"encoder.bn{number}.{name}" for number in (1, 2) for name in statistics),
    }


def test_frozen_dropout_still_drops(images):
    encoder = freeze(Encoder())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder(images).equal(encoder(images))


def test_a_dataset_scales_bytes_to_one_image_at_a_time(labels):
    pixels = torch.arange(256, dtype=torch.uint8).repeat(4)[: 28 * 28].reshape(1, 28, 28)
    image, target = ImageDataset(pixels)[0]
    assert image.shape == (1, 28, 28)
    assert image.dtype == torch.float32
    assert image.flatten()[:256].equal(torch.arange(256) / 255)
    assert target.equal(image)
    image, target = ImageDataset(pixels, labels)[0]
    assert target == labels[0]
    image, target = ImageDataset(pixels, signed=True)[0]
    torch.testing.assert_close(image.flatten()[:256], torch.arange(256) / 127.5 - 1)
    assert target.equal(image)


def test_the_dataloader_trains_both_kinds_of_net_on_every_image(images, labels):
    pixels = (255 * images).byte().squeeze(1)
    autoencoder, classifier = manolucos(), Classifier(Encoder(dropout=0), relu_logits=False)

    adam = torch.optim.Adam(autoencoder.parameters())
    first, second = train_with_dataloader(
        autoencoder, pixels, epochs=2, batch_size=10, optimizer=adam, loss=mse_loss
    )
    assert second < 0.8 * first

    still = torch.optim.SGD(classifier.parameters(), lr=0.0)
    (running,) = train_with_dataloader(
        classifier, pixels, labels, epochs=1, batch_size=100, optimizer=still, loss=cross_entropy
    )
    whole = evaluate(classifier, pixels.unsqueeze(1) / 255, labels, cross_entropy, 250)
    assert running == pytest.approx(whole, rel=1e-5)
