"""The native loops: they train, weigh each example once, and freeze as torch does."""

import copy

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from keras_fmnist.pytorch.loops import (
    ImageDataset,
    accuracy,
    evaluate,
    train,
    train_with_dataloader,
)
from keras_fmnist.pytorch.nets import DECONVS, Autoencoder, Classifier, Decoder, Encoder, freeze
from tests.helpers.native_nets import copied, manolucos, moved


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
