"""Native training in PyTorch: a plain loop over tensors in memory, and one over a `DataLoader`.

Nothing of this package is imported: a ruler does not borrow from what it measures.
"""

from collections.abc import Callable, Iterable

import torch
from torch.utils.data import DataLoader, Dataset

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of outputs and targets


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Share of `(batch, 10)` logits that are largest at the label; a `loss` for `evaluate`."""
    return (logits.argmax(dim=1) == labels).float().mean()


def train(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    *,
    epochs: int,
    batch_size: int,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    generator: torch.Generator | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Trains on tensors in memory, in a new order each epoch; the last batch may be smaller.

    Args:
        model: Any module; it is in training mode at each epoch's start.
        inputs: `(n, 1, 28, 28)` float32, on the model's device.
        targets: The inputs again for an autoencoder, `(n,)` int64 labels for a classifier.
        epochs: How many times every example is seen.
        batch_size: Examples a step.
        optimizer: A `torch.optim` optimiser; what is frozen it leaves alone.
        loss: From outputs and targets to their mean loss, e.g. `nn.functional.mse_loss`.
        generator: A CPU `torch.Generator`; epoch k's order is its k-th `torch.randperm(n)`. Dropout
            draws from the global generator, and without this one so does the order.
        on_epoch: Called as `on_epoch(epoch, running_loss)` after each epoch, counted from 1.

    Returns:
        The running loss of each epoch: dropout on, weights moving, every example counted once.

    Raises:
        ValueError: There are no inputs, or not as many targets.
    """
    check_lengths(inputs, targets)
    history = []
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(inputs), generator=generator).to(inputs.device)
        batches = ((inputs[rows], targets[rows]) for rows in order.split(batch_size))
        history.append(train_epoch(model, batches, optimizer, loss))
        if on_epoch is not None:
            on_epoch(epoch, history[-1])
    return history


@torch.no_grad()
def evaluate(
    model: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor, loss: Loss, batch_size: int
) -> float:
    """Mean loss over every example as a float; leaves the model in evaluation mode.

    Each batch's mean is weighted by its size and the sum divided once, so that a smaller last
    batch counts for what it is. Arguments and errors are `train`'s.
    """
    check_lengths(inputs, targets)
    model.eval()
    total = 0
    for x, y in zip(inputs.split(batch_size), targets.split(batch_size), strict=True):
        total += loss(model(x), y) * len(x)
    return total.item() / len(inputs)


def train_epoch(
    model: torch.nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    optimizer: torch.optim.Optimizer,
    loss: Loss,
) -> float:
    """One pass over batches of inputs and targets; returns the running loss."""
    model.train()
    total, seen = 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        total += value.detach() * len(x)  # a tensor still: .item() would wait for the GPU each step
        seen += len(x)
    return total.item() / seen


def check_lengths(inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Raises ValueError where there are no inputs, or not as many targets."""
    if not 0 < len(inputs) == len(targets):
        raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets: need one for each")


class ImageDataset(Dataset):
    """`(n, 28, 28)` uint8 images, each scaled when asked for, as torchvision's transforms do.

    An example is an image `(1, 28, 28)` float32 in [0, 1], or in [-1, 1] where `signed`, and its
    label, or itself without labels.
    """

    def __init__(
        self, images: torch.Tensor, labels: torch.Tensor | None = None, signed: bool = False
    ) -> None:
        self.images = images
        self.labels = labels
        self.signed = signed

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = self.images[index].unsqueeze(0).float().div(255)  # ToTensor
        if self.signed:
            image = image.sub(0.5).div(0.5)  # Normalize
        return image, image if self.labels is None else self.labels[index]


def train_with_dataloader(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor | None = None,
    *,
    epochs: int,
    batch_size: int,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    signed: bool = False,
) -> list[float]:
    """Trains with a `DataLoader` over an `ImageDataset`, image by image.

    `images`, `labels` and `signed` are an `ImageDataset`'s, on the CPU; each batch follows the
    model to its device. The rest is `train`'s.
    """
    check_lengths(images, images if labels is None else labels)
    dataset = ImageDataset(images, labels, signed)
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True)
    device = next(model.parameters()).device
    history = []
    for _ in range(epochs):
        batches = ((inputs.to(device), targets.to(device)) for inputs, targets in loader)
        history.append(train_epoch(model, batches, optimizer, loss))
    return history
