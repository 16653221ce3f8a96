"""The compiled model: its optimiser and its loss move the weights as native PyTorch does."""

import numpy as np
import pytest
import torch

from experiments.mansilla import BASE
from keras_fmnist.models import networks, torch_weights, weights
from keras_fmnist.pytorch import nets
from keras_fmnist.seeds import permutation
from tests.helpers.train import load_weights, train_spec
from tests.training.test_evaluation import scaled


def native_after(spec, dataset, make_optimizer):
    """The native twin after the same epochs from the same weights, as Keras arrays."""
    start = weights.get_arrays(networks.autoencoder(spec, 0))
    net = nets.Autoencoder(nets.Encoder(dropout=0), nets.Decoder(dropout=0))
    tensors = {k: torch.from_numpy(a) for k, a in torch_weights.to_native(start).items()}
    net.load_state_dict(tensors)
    optimizer = make_optimizer(net.parameters())
    images = torch.from_numpy(scaled(dataset.train_images)).permute(0, 3, 1, 2)
    for epoch in range(spec.epochs):
        order = permutation(0, epoch, len(images))
        for first in range(0, len(order), spec.batch_size):
            batch = images[order[first : first + spec.batch_size]]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(net(batch), batch).backward()
            optimizer.step()
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    return start, torch_weights.from_native(state, start)


@pytest.mark.parametrize(
    ("changes", "make_optimizer", "tolerance"),
    [
        # Adam divides by the gradient's own size, so rounding shows where that is tiny; Keras's
        # default epsilon, or PyTorch's where Keras has its own, would differ by over 1e-2.
        ({}, lambda parameters: torch.optim.Adam(parameters, lr=1e-3), 5e-3),
        (
            {"optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.9},
            lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=0.9),
            1e-5,
        ),
    ],
    ids=["adam", "sgd"],
)
def test_two_epochs_move_the_weights_as_native_pytorch_does(
    tmp_path, dataset, tiny, changes, make_optimizer, tolerance
):
    spec = tiny(BASE, dropout=0, **changes)
    start, theirs = native_after(spec, dataset, make_optimizer)
    ours = load_weights(tmp_path, train_spec(spec, 0, tmp_path, dataset=dataset))
    for name in start:
        moved = np.abs(theirs[name] - start[name]).mean()
        assert moved > 1e-6, name
        differs = np.abs(ours[name] - theirs[name]).mean()
        assert differs < tolerance * moved, f"{name} moved by {moved} and differs by {differs}"


def test_replayed_steps_move_the_weights_as_keras_own_do(tmp_path, dataset, tiny):
    spec = tiny(BASE, dropout=0, optimizer="sgd", learning_rate=1.0, momentum=0.9)
    fast, stock = (
        load_weights(
            tmp_path / name, train_spec(spec, 0, tmp_path / name, fast=fast, dataset=dataset)
        )
        for name, fast in (("fast", True), ("stock", False))
    )
    start = weights.get_arrays(networks.build(spec, 0))
    for name in start:
        moved = np.abs(stock[name] - start[name]).mean()
        assert moved > 1e-6, name
        assert np.abs(fast[name] - stock[name]).mean() < 1e-5 * moved, name
