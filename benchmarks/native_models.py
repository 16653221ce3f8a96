"""The small nets of `models.py` in plain PyTorch, as one would write them there.

Images are channels first. The tests hold them to the Keras nets: with the same weights they give
the same outputs, up to the edge that a transposed convolution cuts off.
"""

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10


def convnet() -> nn.Module:
    """The convnet: `(n, 1, 28, 28)` to logits."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64 * 5 * 5, CLASSES)),
    )


class Augment(nn.Module):
    """Flips each image left to right or not, and adds noise; only while it trains."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(n, channels, height, width)` to the same shape."""
        if not self.training:
            return images
        flips = torch.rand(len(images), 1, 1, 1) < 0.5
        images = torch.where(flips, images.flip(3), images)
        return images + 0.1 * torch.randn_like(images)


def augmented() -> nn.Module:
    """The convnet behind a flip and noise."""
    return nn.Sequential(Augment(), convnet())


def autoencoder() -> nn.Module:
    """The denoising autoencoder: images to images of the same size."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.ConvTranspose2d(32, 32, 3, 2, padding=1, output_padding=1), nn.ReLU()),
        *(nn.ConvTranspose2d(32, 32, 3, 2, padding=1, output_padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 1, 3, padding=1), nn.Sigmoid()),
    )


class Transformer(nn.Module):
    """One block of attention on `(n, 40, 32)`, two heads of 32 numbers each, to logits.

    `nn.MultiheadAttention` would share the 32 numbers of a token among the heads: Keras's layer
    gives 32 to each.
    """

    HEADS = 2

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, self.HEADS * size) for _ in range(3))
        self.attended = nn.Linear(self.HEADS * size, size)
        self.norm1 = nn.LayerNorm(size, eps=1e-6)
        self.inner1, self.inner2 = (nn.Linear(size, size) for _ in range(2))
        self.norm2 = nn.LayerNorm(size, eps=1e-6)
        self.dropout = nn.Dropout(0.1)
        self.logits = nn.Linear(size, CLASSES)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """`(n, tokens, size)` to `(n, 10)` logits."""
        heads = (
            part(tokens).unflatten(2, (self.HEADS, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        x = self.norm1(tokens + self.dropout(self.attended(attended)))
        inner = self.inner2(F.relu(self.inner1(x)))
        x = self.norm2(x + self.dropout(inner))
        return self.logits(self.dropout(x.mean(dim=1)))


class Recurrent(nn.Module):
    """Two bidirectional LSTMs on `(n, 20, 32)`, to logits.

    torch adds two biases where Keras has one: the second stays zero and is not trained.
    """

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.lstm = nn.LSTM(size, size, num_layers=2, bidirectional=True, batch_first=True)
        self.logits = nn.Linear(2 * size, CLASSES)
        for name, weight in self.lstm.named_parameters():
            if name.startswith("bias_hh"):
                nn.init.zeros_(weight).requires_grad_(False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """`(n, tokens, size)` to `(n, 10)` logits."""
        _, (last, _) = self.lstm(tokens)
        return self.logits(torch.cat([last[-2], last[-1]], dim=1))


NATIVE = {
    "convnet": convnet,
    "convnet with RandomFlip and GaussianNoise": augmented,
    "denoising autoencoder": autoencoder,
    "transformer block": Transformer,
    "bidirectional LSTM": Recurrent,
}


class Training:
    """A native model with torch's Adam, its loss, and, of a classifier, the accuracy.

    Args:
        model: of `NATIVE`.
        batch: inputs and targets as Keras has them; images lose nothing but their place for
            channels. Targets of integers are labels, others the outputs themselves.
    """

    def __init__(self, model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
        self.model = model.train()
        self.batch = tuple(x.permute(0, 3, 1, 2).contiguous() if x.ndim == 4 else x for x in batch)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
        self.totals = torch.zeros(3)  # loss, right answers, examples: read once an epoch

    def step(self) -> None:
        """One step on the batch, its loss and right answers added up as in a plain loop."""
        x, y = self.batch
        self.optimizer.zero_grad()
        outputs = self.model(x)
        if y.is_floating_point():
            loss, right = F.binary_cross_entropy(outputs, y), torch.zeros(())
        else:
            loss, right = F.cross_entropy(outputs, y), (outputs.argmax(1) == y).sum()
        loss.backward()
        self.optimizer.step()
        self.totals += torch.stack([loss.detach() * len(x), right.float(), torch.tensor(len(x))])
