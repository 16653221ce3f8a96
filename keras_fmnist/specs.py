"""The settings of an experiment, as frozen dataclasses with meanings, units and checks.

The experiments of a report are declared in `experiments/`, one spec each. Every setting is checked
when a spec is made, so a spec that exists can be trained. No framework is imported here.
"""

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

from keras_fmnist.settings import (
    SpecError,
    TransposedConv,
    check_value,
    setting,
    setting_fields,
    shorten,
    suggest,
)

IMAGE_SIZE = 28  # pixels a side
CLASSES = 10
TRAIN_IMAGES = 60_000
TEST_IMAGES = 10_000
FITTING = {"unit": "sigmoid", "signed": "tanh"}  # the activation with the pixels' range
AnySpec = TypeVar("AnySpec", bound="Spec")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What autoencoders and classifiers share: a name, and how they are trained.

    Two fields are not settings: `published` holds the numbers that the report prints for this
    experiment, and `changes` the settings that `override` has changed since it was declared.
    """

    report: str
    name: str
    summary: str
    published: dict[str, float] = dataclasses.field(default_factory=dict, hash=False)
    changes: dict = dataclasses.field(default_factory=dict, hash=False)

    epochs: int = setting(15, text="passes over the training images", low=0, high=10_000)
    batch_size: int = setting(100, text="images a step", low=1, high=TRAIN_IMAGES)
    optimizer: str = setting("adam", text="the optimiser", choices=("adam", "sgd"))
    learning_rate: float = setting(1e-3, text="step size of the optimiser", low=1e-9, high=10.0)
    momentum: float = setting(0.0, text="momentum of sgd", low=0.0, high=0.9999)

    @property
    def id(self) -> str:
        """`report/name`: its folder under results/ and its row in every table."""
        return f"{self.report}/{self.name}"

    @property
    def is_classifier(self) -> bool:
        """Whether it trains a classifier rather than an autoencoder."""
        return False

    @property
    def clips_logits(self) -> bool:
        """Whether it trains a classifier with a ReLU on its logits."""
        return False

    @property
    def needs(self) -> "AutoencoderSpec | None":
        """The autoencoder that must be trained first, or None."""
        return None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what is measured: `loss`, and for a classifier `accuracy`."""
        return ("loss", "accuracy") if self.is_classifier else ("loss",)

    def __post_init__(self) -> None:
        for field in setting_fields(type(self)):
            object.__setattr__(self, field.name, check_value(field, getattr(self, field.name)))
        if self.optimizer == "adam" and self.momentum:
            raise SpecError("momentum belongs to sgd: leave it out, or set optimizer to sgd")


@dataclass(frozen=True, kw_only=True)
class AutoencoderSpec(Spec):
    """An encoder of two convolutions and its mirror, trained on the mean squared error.

    The defaults are those of mansilla's base (section II). Settings that only manolucos changes
    come last. `printed` is not a setting: it holds, by name, the transposed convolutions that the
    report prints but that do not give an image of 28 pixels a side.
    """

    printed: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)

    kernels: tuple[int, ...] = setting(
        (16, 32), text="kernels of the two convolutions", low=1, high=1024
    )
    latent: int = setting(
        64, text="neurons of the code; 0: it is the feature map itself", low=0, high=16_384
    )
    dropout: float = setting(
        0.2, text="probability that an activation is dropped", low=0.0, high=0.99
    )
    # Open question 3: manolucos does not say where dropout is, nor whether it drops channels.
    dropout_at: str = setting(
        "before_pooling",
        text="where dropout stands in the encoder",
        choices=("before_pooling", "after_pooling", "both"),
    )
    dropout_kind: str = setting(
        "element", text="what dropout drops of a feature map", choices=("element", "channel")
    )
    deconv1: TransposedConv = setting(
        TransposedConv(4, 2, output_padding=1),
        text="first transposed convolution, from 5 to 13 positions a side",
    )
    # Open question 1: the report prints k4s2o1, which gives 29 positions; k3s2o1 and k4s2 give 28.
    deconv2: TransposedConv = setting(
        TransposedConv(3, 2, output_padding=1),
        text="second transposed convolution, from 13 to 28 positions a side",
    )
    batchnorm: bool = setting(False, text="batch norm after each convolution of the encoder")
    last_pooling: str = setting("max", text="the second pooling", choices=("max", "average"))
    # Open question 3: manolucos's losses fit pixels in [-1, 1].
    pixels: str = setting(
        "unit", text="unit: in [0, 1]; signed: in [-1, 1]", choices=("unit", "signed")
    )
    # Open question 3: table 2 of manolucos lists no activation.
    output: str = setting(
        "auto",
        text="activation of the output; auto: sigmoid for unit pixels, tanh for signed ones",
        choices=("auto", "sigmoid", "tanh", "linear"),
    )
    between: str = setting(
        "relu_dropout",
        text="what stands between the two transposed convolutions",
        choices=("relu_dropout", "nothing"),
    )
    code_relu: bool = setting(True, text="ReLU on the code, where it has neurons of its own")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.dropout:  # then place and kind make no difference
            for name in ("dropout_at", "dropout_kind"):
                object.__setattr__(self, name, getattr(AutoencoderSpec, name))
        if not self.latent:
            object.__setattr__(self, "code_relu", AutoencoderSpec.code_relu)
        if self.output == FITTING[self.pixels]:  # two names for the same net
            object.__setattr__(self, "output", AutoencoderSpec.output)
        if len(self.kernels) != 2:
            raise SpecError(f"kernels must be two whole numbers, such as 16,32, not {self.kernels}")
        between = self.deconv1.output_size(self.map_size)
        last = self.deconv2.output_size(between)
        if between < 1:
            raise SpecError(
                f"deconv1 {self.deconv1} turns {self.map_size} positions into {between}: "
                "k4s2o1 would do"
            )
        if last != IMAGE_SIZE:
            raise SpecError(
                f"deconv1 {self.deconv1} and deconv2 {self.deconv2} turn {self.map_size} positions "
                f"into {between} and {last}, not {IMAGE_SIZE}: k4s2o1 and k3s2o1 would do"
            )

    @property
    def pixel_min(self) -> float:
        """The value of a black pixel in the net, 0 or -1; a white one is 1."""
        return 0.0 if self.pixels == "unit" else -1.0

    @property
    def output_activation(self) -> str:
        """The decoder's last activation: sigmoid, tanh or linear."""
        return FITTING[self.pixels] if self.output == "auto" else self.output

    @property
    def map_size(self) -> int:
        """Positions a side of the encoder's last feature map: 28 → 26 → 13 → 11 → 5."""
        after_first = (IMAGE_SIZE - 2) // 2
        return (after_first - 2) // 2

    @property
    def code_size(self) -> int:
        """Numbers in a code: the latent neurons, or the size of the last feature map."""
        return self.latent or self.kernels[-1] * self.map_size**2


@dataclass(frozen=True, kw_only=True)
class ClassifierSpec(Spec):
    """A fully connected head on the encoder of an autoencoder, trained first with the same seed."""

    autoencoder: AutoencoderSpec
    pretrained: bool = setting(True, text="start from the autoencoder's encoder, not a fresh one")
    frozen: bool = setting(False, text="train only the head")
    # Open question 7: neither requires_grad=False nor trainable=False switches dropout off.
    encoder_dropout: bool = setting(True, text="dropout acts in the encoder while training")
    # Open question 4: manolucos does not say how many "more neurons" are.
    hidden: int = setting(
        0, text="neurons of a layer before the logits; 0: no layer", low=0, high=16_384
    )
    # Open question 6: the report puts a ReLU on the logits.
    relu_logits: bool = setting(True, text="ReLU on the logits, as mansilla has it")

    @property
    def is_classifier(self) -> bool:
        """Whether it trains a classifier rather than an autoencoder."""
        return True

    @property
    def clips_logits(self) -> bool:
        """Whether there is a ReLU on the logits."""
        return self.relu_logits

    @property
    def needs(self) -> AutoencoderSpec | None:
        """The autoencoder that must be trained first; None for a random encoder."""
        return self.autoencoder if self.pretrained else None

    @property
    def encoder(self) -> AutoencoderSpec:
        """The settings of the encoder in the classifier: dropout is 0 if `encoder_dropout` is off.

        Open question 7. Calling the encoder with `training=False` would not be enough: `fit` turns
        dropout on again.
        """
        if self.encoder_dropout:
            return self.autoencoder
        return dataclasses.replace(self.autoencoder, dropout=0.0)

    @property
    def pixel_min(self) -> float:
        """The value of a black pixel in the net: the one that its encoder was trained with."""
        return self.autoencoder.pixel_min


def settings(spec: Spec) -> dict:
    """Returns every setting by name, in values for JSON; a classifier's autoencoder is a dict."""
    values = {field.name: _plain(getattr(spec, field.name)) for field in setting_fields(type(spec))}
    if isinstance(spec, ClassifierSpec):
        values["autoencoder"] = {"name": spec.autoencoder.name, **settings(spec.autoencoder)}
    return values


def rebuild(report: str, name: str, values: dict) -> AutoencoderSpec | ClassifierSpec:
    """Returns a spec from the `settings` that a record holds; what an older one lacks is default.

    Raises:
        SpecError: a setting is unknown, or its value is wrong.
    """
    spec = AutoencoderSpec(report=report, name=name, summary="")
    if "autoencoder" in values:
        nested = values["autoencoder"]
        if not isinstance(nested, dict) or not isinstance(nested.get("name"), str):
            raise SpecError(f"autoencoder must be a name and settings, not {shorten(nested)}")
        inner = dataclasses.replace(spec, name=nested["name"])
        spec = ClassifierSpec(report=report, name=name, summary="", autoencoder=inner)
    return restored(spec, values)


def with_defaults(values: dict) -> dict:
    """Checks the settings of a record and adds the defaults of those that an older record lacks.

    Raises:
        SpecError: a setting is unknown, or its value is wrong.
    """
    return settings(rebuild("record", "spec", values))


def _plain(value):
    if isinstance(value, TransposedConv):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def differences(ours: dict, theirs: dict) -> list[str]:
    """Lists the settings in which two `settings` dicts differ, each as `epochs 1, not 15`."""
    found = []
    for name in sorted({*ours, *theirs}):
        one, other = ours.get(name), theirs.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            found += [f"{name}_{difference}" for difference in differences(one, other)]
        elif one != other:
            found.append(f"{name} {one}, not {other}")
    return found


def override(spec: AnySpec, changes: dict) -> AnySpec:
    """Returns a copy of `spec` with some settings changed, and checks them.

    Args:
        spec: an experiment.
        changes: `{setting: value}`; `autoencoder_X` is the setting X of a classifier's autoencoder.

    Raises:
        SpecError: a name is not a setting, or a value has the wrong type or is out of bounds.

    Example:
        >>> from experiments.mansilla import BASE
        >>> override(BASE, {"latent": 32, "epochs": 1}).latent
        32
    """
    own, nested = {}, {}
    names = [field.name for field in setting_fields(type(spec))]
    for name, value in changes.items():
        if isinstance(spec, ClassifierSpec) and name.startswith("autoencoder_"):
            nested[name.removeprefix("autoencoder_")] = value
        elif name in names:
            own[name] = value
        else:
            raise SpecError(f"{name} is not a setting of {spec.id}{suggest(name, names)}")
    if nested:
        own["autoencoder"] = override(spec.autoencoder, nested)
    return dataclasses.replace(spec, changes=spec.changes | changes, **own)


def with_epochs(spec: AnySpec, epochs: int) -> AnySpec:
    """Returns a copy of `spec` that trains, and whose autoencoder trains, for so many epochs."""
    names = ["epochs", "autoencoder_epochs"] if spec.is_classifier else ["epochs"]
    return override(spec, dict.fromkeys(names, epochs))


def restored(spec: AnySpec, values: dict) -> AnySpec:
    """Returns a copy of `spec` with the `settings` that a record holds.

    Raises:
        SpecError: a setting is unknown, or its value is wrong.
    """
    nested = values.get("autoencoder", {})
    own = {name: value for name, value in values.items() if name != "autoencoder"}
    if outside := [name for name in own if name.startswith("autoencoder_")]:
        raise SpecError(f"{outside[0]} is not a setting of {spec.id}: it belongs in autoencoder")
    inner = {f"autoencoder_{name}": value for name, value in nested.items() if name != "name"}
    return override(spec, own | inner)
