"""Both reports' nets and a plain training loop in PyTorch: the ruler for the Keras side.

Written as a PyTorch user would write them, and importing nothing of this package: a ruler does not
borrow from what it measures. Initialisation is PyTorch's own, as in the reports. Images are
`(batch, 1, 28, 28)` float32. A number in brackets, as in [2], is an open question of the README.
"""

import torch
from torch import nn

POOLINGS = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}
OUTPUTS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh}

# [1] mansilla prints kernel 4 with output padding 1 twice: on 13x13 the second gives 29x29.
# [2] manolucos's stride 2 and padding 2 reach 13x13 only with dilation 2, which table 2 leaves
# out. Its taps fall on even positions alone: 120 of the 169 hold the bias and no more.
K4 = {"kernel_size": 4, "stride": 2, "output_padding": 1}
K3 = {"kernel_size": 3, "stride": 2, "output_padding": 1}
K5_DILATED = {"kernel_size": 5, "stride": 2, "padding": 2, "dilation": 2}
K6 = {"kernel_size": 6, "stride": 2, "padding": 1}
DECONVS = {  # 5x5 -> 13x13 -> 28x28
    "mansilla": (K4, K3),
    "mansilla_kernel4": (K4, {"kernel_size": 4, "stride": 2}),
    "manolucos": (K5_DILATED, K6),
    "manolucos_repaired": ({"kernel_size": 5, "stride": 2}, K6),
}


class Encoder(nn.Sequential):
    """Two convolutions with pooling, then a linear code where `latent` is given.

    Maps `(batch, 1, 28, 28)` to `(batch, latent)`, or to the map `(batch, kernels[1], 5, 5)` where
    there is no linear layer. The defaults are mansilla's base (section II); manolucos's table 2
    is `latent=None`. Its batch norm "before each pooling" stands between convolution and ReLU,
    where dropout does not disturb its statistics.

    Args:
        kernels: Channels of the two convolutions.
        latent: Length of the code; None leaves the linear layer out.
        dropout: Probability that an element is dropped, after each ReLU [3].
        batchnorm: Whether a batch norm follows each convolution.
        pooling: "max" or "avg" for each of the two poolings; another name is a KeyError.

    Attributes:
        features: Number of elements in one image's code.
    """

    def __init__(
        self, kernels=(16, 32), latent=64, dropout=0.2, batchnorm=False, pooling=("max", "max")
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(1, kernels[0], kernel_size=3)  # 28x28 -> 26x26
        if batchnorm:
            self.bn1 = nn.BatchNorm2d(kernels[0])
        self.conv1_relu = nn.ReLU()
        self.conv1_dropout = nn.Dropout(dropout)
        self.pool1 = POOLINGS[pooling[0]](2)  # 26x26 -> 13x13
        self.conv2 = nn.Conv2d(kernels[0], kernels[1], kernel_size=3)  # 13x13 -> 11x11
        if batchnorm:
            self.bn2 = nn.BatchNorm2d(kernels[1])
        self.conv2_relu = nn.ReLU()
        self.conv2_dropout = nn.Dropout(dropout)
        self.pool2 = POOLINGS[pooling[1]](2)  # 11x11 -> 5x5: the last row and column are left out
        self.features = kernels[1] * 5 * 5
        if latent is not None:
            self.flatten = nn.Flatten()  # channel by channel: (batch, kernels[1] * 25)
            self.latent = nn.Linear(self.features, latent)
            self.latent_relu = nn.ReLU()
            self.latent_dropout = nn.Dropout(dropout)
            self.features = latent


class Decoder(nn.Sequential):
    """Two transposed convolutions back to an image, after a linear layer where `latent` is given.

    Maps an `Encoder`'s code to `(batch, 1, 28, 28)`: in [0, 1] with a sigmoid, in [-1, 1] with
    tanh. No dropout on the output (mansilla, section II). The defaults are mansilla's base;
    manolucos's table 2 is `latent=None` with `DECONVS["manolucos"]`.

    Args:
        kernels: The encoder's, in the encoder's order.
        latent: The encoder's.
        dropout: Probability that an element is dropped, after each ReLU.
        deconvs: Settings of the two `nn.ConvTranspose2d`, such as an entry of `DECONVS`.
        output: "sigmoid" or "tanh"; another name is a KeyError.
    """

    def __init__(
        self, kernels=(16, 32), latent=64, dropout=0.2, deconvs=(K4, K3), output="sigmoid"
    ):
        super().__init__()
        if latent is not None:
            self.hidden = nn.Linear(latent, kernels[1] * 5 * 5)
            self.hidden_relu = nn.ReLU()
            self.hidden_dropout = nn.Dropout(dropout)
            self.unflatten = nn.Unflatten(1, (kernels[1], 5, 5))
        self.deconv1 = nn.ConvTranspose2d(kernels[1], kernels[0], **deconvs[0])  # 5x5 -> 13x13
        self.deconv1_relu = nn.ReLU()
        self.deconv1_dropout = nn.Dropout(dropout)
        self.deconv2 = nn.ConvTranspose2d(kernels[0], 1, **deconvs[1])  # 13x13 -> 28x28
        self.output = OUTPUTS[output]()


class Autoencoder(nn.Sequential):
    """An encoder and a decoder: `(batch, 1, 28, 28)` to a reconstruction of that shape."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder


class Classifier(nn.Sequential):
    """An encoder and fully connected layers: `(batch, 1, 28, 28)` to `(batch, 10)` logits.

    The encoder is taken as it is, not copied: training the classifier moves it.

    Args:
        encoder: An `Encoder`, trained or not, frozen or not.
        hidden: Neurons of a fully connected layer before the logits; None for none, as in the
            classifier baseline of manolucos, section 3.2. What "more" is, it does not say [4].
        relu_logits: Whether a ReLU follows the logits, as in mansilla, section III: it can leave
            a class with no gradient [6]. manolucos has none.
        encoder_in_eval: Whether the encoder stays in evaluation mode while the rest trains: no
            dropout in it, batch norm by its stored statistics. A plain loop does not do so [7].
    """

    def __init__(self, encoder, hidden=None, relu_logits=True, encoder_in_eval=False):
        super().__init__()
        self.encoder_in_eval = encoder_in_eval
        self.encoder = encoder
        self.flatten = nn.Flatten()  # a code that is a vector already passes unchanged
        features = encoder.features
        if hidden is not None:
            self.hidden1 = nn.Linear(features, hidden)
            self.hidden1_relu = nn.ReLU()
            features = hidden
        self.logits = nn.Linear(features, 10)
        if relu_logits:
            self.logits_relu = nn.ReLU()
        self.train()

    def train(self, mode=True):
        """Sets training or evaluation mode; the encoder never trains under `encoder_in_eval`."""
        super().train(mode)
        if self.encoder_in_eval:
            self.encoder.eval()
        return self


def freeze(module):
    """Takes the module's parameters out of training and returns the module.

    Only the parameters: in training mode its dropout still drops and its batch norm still updates
    its statistics [7]. `Classifier(encoder_in_eval=True)` is the other reading.
    """
    return module.requires_grad_(False)


def accuracy(logits, labels):
    """Share of `(batch, 10)` logits that are largest at the label; a `loss` for `evaluate`."""
    return (logits.argmax(dim=1) == labels).float().mean()


def train(
    model, inputs, targets, *, epochs, batch_size, optimizer, loss, generator=None, on_epoch=None
):
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
def evaluate(model, inputs, targets, loss, batch_size):
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


def train_epoch(model, batches, optimizer, loss):
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


def check_lengths(inputs, targets):
    """Raises ValueError where there are no inputs, or not as many targets."""
    if not 0 < len(inputs) == len(targets):
        raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets: need one for each")
