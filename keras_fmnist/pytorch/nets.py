"""Both reports' nets in PyTorch: the ruler for the Keras side.

Written as a PyTorch user would write them, and importing nothing of this package: a ruler does not
borrow from what it measures. Initialisation is PyTorch's own, as in the reports. Images are
`(batch, 1, 28, 28)` float32. A number in brackets, as in [2], is one of docs/open_questions.md.
"""

from collections.abc import Sequence

from torch import nn

POOLINGS = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}
DROPOUTS = {"element": nn.Dropout, "channel": nn.Dropout2d}
OUTPUTS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "linear": nn.Identity}

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
        dropout: Probability that an element, or a channel, is dropped [3].
        dropout_at: "before_pooling", "after_pooling" or "both"; and always on the code.
        dropout_kind: "element" or "channel" of a feature map; another name is a KeyError.
        batchnorm: Whether a batch norm follows each convolution.
        pooling: "max" or "avg" for each of the two poolings; another name is a KeyError.
        code_relu: Whether a ReLU follows the linear layer, as in both reports.

    Attributes:
        features: Number of elements in one image's code.
    """

    def __init__(
        self,
        kernels: tuple[int, int] = (16, 32),
        latent: int | None = 64,
        dropout: float = 0.2,
        dropout_at: str = "before_pooling",
        dropout_kind: str = "element",
        batchnorm: bool = False,
        pooling: tuple[str, str] = ("max", "max"),
        code_relu: bool = True,
    ) -> None:
        super().__init__()
        map_dropout = DROPOUTS[dropout_kind]
        self.conv1 = nn.Conv2d(1, kernels[0], kernel_size=3)  # 28x28 -> 26x26
        if batchnorm:
            self.bn1 = nn.BatchNorm2d(kernels[0])
        self.conv1_relu = nn.ReLU()
        if dropout_at != "after_pooling":
            self.conv1_dropout = map_dropout(dropout)
        self.pool1 = POOLINGS[pooling[0]](2)  # 26x26 -> 13x13
        if dropout_at != "before_pooling":
            self.pool1_dropout = map_dropout(dropout)
        self.conv2 = nn.Conv2d(kernels[0], kernels[1], kernel_size=3)  # 13x13 -> 11x11
        if batchnorm:
            self.bn2 = nn.BatchNorm2d(kernels[1])
        self.conv2_relu = nn.ReLU()
        if dropout_at != "after_pooling":
            self.conv2_dropout = map_dropout(dropout)
        self.pool2 = POOLINGS[pooling[1]](2)  # 11x11 -> 5x5: the last row and column are left out
        if dropout_at != "before_pooling":
            self.pool2_dropout = map_dropout(dropout)
        self.features = kernels[1] * 5 * 5
        if latent is not None:
            self.flatten = nn.Flatten()  # channel by channel: (batch, kernels[1] * 25)
            self.latent = nn.Linear(self.features, latent)
            if code_relu:
                self.latent_relu = nn.ReLU()
            self.latent_dropout = nn.Dropout(dropout)
            self.features = latent


class Decoder(nn.Sequential):
    """Two transposed convolutions back to an image, after a linear layer where `latent` is given.

    Maps an `Encoder`'s code to `(batch, 1, 28, 28)`: in [0, 1] with a sigmoid, in [-1, 1] with
    tanh, unbounded with a linear output. No dropout on the output (mansilla, section II). The
    defaults are mansilla's base; manolucos's table 2 is `latent=None` with `DECONVS["manolucos"]`.

    Args:
        kernels: The encoder's, in the encoder's order.
        latent: The encoder's.
        dropout: Probability that an element, or a channel, is dropped, after each ReLU.
        dropout_kind: The encoder's.
        deconvs: Settings of the two `nn.ConvTranspose2d`, such as an entry of `DECONVS`.
        output: "sigmoid", "tanh" or "linear"; another name is a KeyError [3].
        between: Whether ReLU and dropout stand between the two transposed convolutions [3].
    """

    def __init__(
        self,
        kernels: tuple[int, int] = (16, 32),
        latent: int | None = 64,
        dropout: float = 0.2,
        dropout_kind: str = "element",
        deconvs: Sequence[dict[str, int]] = (K4, K3),
        output: str = "sigmoid",
        between: bool = True,
    ) -> None:
        super().__init__()
        if latent is not None:
            self.hidden = nn.Linear(latent, kernels[1] * 5 * 5)
            self.hidden_relu = nn.ReLU()
            self.hidden_dropout = nn.Dropout(dropout)
            self.unflatten = nn.Unflatten(1, (kernels[1], 5, 5))
        self.deconv1 = nn.ConvTranspose2d(kernels[1], kernels[0], **deconvs[0])  # 5x5 -> 13x13
        if between:
            self.deconv1_relu = nn.ReLU()
            self.deconv1_dropout = DROPOUTS[dropout_kind](dropout)
        self.deconv2 = nn.ConvTranspose2d(kernels[0], 1, **deconvs[1])  # 13x13 -> 28x28
        self.output = OUTPUTS[output]()


class Autoencoder(nn.Sequential):
    """An encoder and a decoder: `(batch, 1, 28, 28)` to a reconstruction of that shape."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
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
    """

    def __init__(
        self,
        encoder: Encoder,
        hidden: int | None = None,
        relu_logits: bool = True,
    ) -> None:
        super().__init__()
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


def freeze(module: nn.Module) -> nn.Module:
    """Takes the module's parameters out of training and returns the module.

    Only the parameters: in training mode its dropout still drops and its batch norm still updates
    its statistics [7].
    """
    return module.requires_grad_(False)
