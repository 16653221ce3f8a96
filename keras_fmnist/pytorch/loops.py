"""Plain PyTorch training loops: over tensors in memory, and over a `DataLoader`.

Nothing else of this package is imported, so that the comparison is with PyTorch alone.
"""

from collections.abc import Callable, Iterable

import torch
from torch.utils.data import DataLoader, Dataset

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # takes outputs and targets


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns the share of `(batch, 10)` logits that are largest at the label.

    `evaluate` takes it as a loss.
    """
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
        model: Any module; it is set to training mode at the start of each epoch.
        inputs: `(n, 1, 28, 28)` float32, on the model's device.
        targets: The inputs for an autoencoder, `(n,)` int64 labels for a classifier.
        epochs: Passes over the examples.
        batch_size: Examples a step.
        optimizer: A `torch.optim` optimiser; frozen parameters are not trained.
        loss: Takes outputs and targets, returns their mean loss; e.g. `nn.functional.mse_loss`.
        generator: A CPU `torch.Generator` for the order: epoch k uses its k-th
            `torch.randperm(n)`. Default: the global generator, which dropout uses in any case.
        on_epoch: Called as `on_epoch(epoch, running_loss)` after each epoch, counted from 1.

    Returns:
        The running loss of each epoch: dropout on, weights changing, every example counted once.

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
    """Returns the mean loss over every example; leaves the model in evaluation mode.

    The mean of each batch is weighted by its size, because the last one may be smaller. Arguments
    and errors are those of `train`.
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
    """Trains on each batch once and returns the running loss."""
    model.train()
    total, seen = 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        total += value.detach() * len(x)  # still a tensor: .item() would wait for the GPU
        seen += len(x)
    return total.item() / seen


def check_lengths(inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Raises ValueError if there are no inputs, or not as many targets."""
    if not 0 < len(inputs) == len(targets):
        raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets: need one for each")


class ImageDataset(Dataset):
    """`(n, 28, 28)` uint8 images, scaled one by one, as torchvision's transforms do.

    An example is a `(1, 28, 28)` float32 image in [0, 1], or in [-1, 1] if `signed`, with its
    label, or with itself if there are no labels.
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

    `images`, `labels` and `signed` are those of `ImageDataset`, on the CPU; each batch is moved to
    the device of the model. The other arguments are those of `train`.
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
