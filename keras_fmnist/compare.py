"""Ours beside native PyTorch: layer by layer, trained side by side, and default by default."""

import math
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import torch
from scipy.stats import t as student

from keras_fmnist import native_training, train, twin
from keras_fmnist.callbacks import scale
from keras_fmnist.optimizers import PyTorchAdam
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, Spec, override

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset
    from keras_fmnist.parity import Row

# Two trainings count as equivalent where their mean validation losses differ by less than this
# share of native's: about what another seed changes after a few hundred steps.
MARGIN = 0.10
CONFIDENCE = 0.95  # of each of the two one-sided tests


@dataclass(frozen=True)
class Equivalence:
    """Validation loss (and accuracy) of both sides over seeds, and whether they are equivalent.

    `interval` holds the difference of the mean losses, ours minus native, with 90 % confidence:
    inside ±`margin` both one-sided tests reject at 5 % (Schuirmann 1987).
    """

    epochs: int
    examples: int
    seeds: int
    ours: dict[str, dict[str, float]]
    native: dict[str, dict[str, float]]
    margin: float
    interval: tuple[float, float]
    verdict: str


def equivalence(
    spec: AutoencoderSpec | ClassifierSpec,
    dataset: "Dataset",
    *,
    seeds: int,
    epochs: int,
    examples: int,
    progress: Callable[[range], Iterable[int]] = iter,
) -> Equivalence:
    """Trains both sides with dropout, each by its own generators, and tests them for equivalence.

    Args:
        spec: an experiment; a classifier's autoencoder is trained as well, as long.
        dataset: a `data.Dataset`.
        seeds: trainings a side, at least 2.
        epochs: passes over the training images.
        examples: so many training images.
        progress: wraps the loop over seeds, such as a progress bar.
    """
    changes = {"epochs": epochs}
    if isinstance(spec, ClassifierSpec):
        changes["autoencoder_epochs"] = epochs
    spec = override(spec, changes)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in progress(range(seeds)):
            record = train.run(spec, seed, folder, examples=examples, dataset=dataset)
            ours.append({name: record.metrics[name] for name in metric_names(spec)})
            theirs.append(_train_twin(spec, seed, dataset, examples))
    low, high = _interval([m["val_loss"] for m in ours], [m["val_loss"] for m in theirs])
    margin = MARGIN * statistics.fmean(m["val_loss"] for m in theirs)
    return Equivalence(
        epochs=epochs,
        examples=examples,
        seeds=seeds,
        ours=_summary(ours),
        native=_summary(theirs),
        margin=margin,
        interval=(low, high),
        verdict=_verdict(low, high, margin),
    )


def metric_names(spec: Spec) -> tuple[str, ...]:
    """What is compared: the validation loss, and a classifier's accuracy."""
    return ("val_loss", "val_accuracy") if isinstance(spec, ClassifierSpec) else ("val_loss",)


def _verdict(low, high, margin):
    if -margin < low and high < margin:
        return "equivalent"
    return "different" if low > margin or high < -margin else "undecided"


def _interval(ours, theirs):
    """Welch's interval for the difference of two means, one-sided at `CONFIDENCE` either way."""
    variances = [statistics.variance(side) / len(side) for side in (ours, theirs)]
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    spread = math.sqrt(sum(variances))
    if spread == 0:
        return difference, difference
    freedom = sum(variances) ** 2 / sum(
        v**2 / (len(side) - 1) for v, side in zip(variances, (ours, theirs), strict=True)
    )
    half = float(student.ppf(CONFIDENCE, freedom)) * spread
    return difference - half, difference + half


def _summary(runs):
    return {
        name: {
            "mean": statistics.fmean(run[name] for run in runs),
            "sd": statistics.stdev(run[name] for run in runs),
        }
        for name in runs[0]
    }


def _train_twin(spec, seed, dataset, examples):
    """The native side of one seed: its own initial weights, order and masks."""
    torch.manual_seed(seed)
    images = _to_torch(dataset.train_images[:examples], spec.darkest)
    labels = torch.from_numpy(dataset.train_labels[:examples].astype(np.int64))
    net = twin.build(spec)
    if isinstance(spec, ClassifierSpec) and spec.pretrained:
        pretrained = twin.build(spec.autoencoder)
        _fit_twin(spec.autoencoder, pretrained, images, images)
        net.encoder.load_state_dict(pretrained.encoder.state_dict())
    is_classifier = isinstance(spec, ClassifierSpec)
    _fit_twin(spec, net, images, labels if is_classifier else images)
    tests = _to_torch(dataset.test_images, spec.darkest)
    if not is_classifier:
        return {"val_loss": native_training.evaluate(net, tests, tests, twin.loss(spec), 1000)}
    targets = torch.from_numpy(dataset.test_labels.astype(np.int64))
    return {
        "val_loss": native_training.evaluate(net, tests, targets, twin.loss(spec), 1000),
        "val_accuracy": native_training.evaluate(
            net, tests, targets, native_training.accuracy, 1000
        ),
    }


def _fit_twin(spec, net, images, targets):
    native_training.train(
        net,
        images,
        targets,
        epochs=spec.epochs,
        batch_size=spec.batch_size,
        optimizer=twin.optimizer(spec, net),
        loss=twin.loss(spec),
    )


def _to_torch(images, darkest):
    return torch.from_numpy(scale(images, darkest).transpose(0, 3, 1, 2).copy())


def defaults() -> list[dict[str, str]]:
    """Every default in which Keras and PyTorch differ, read off both, and what is used here.

    Returns:
        Rows `{what, keras, pytorch, ours}`, all text.
    """
    dense, norm, adam = keras.layers.Dense(1), keras.layers.BatchNormalization(), keras.optimizers
    linear_norm = torch.nn.BatchNorm2d(1)
    torch_adam = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))]).defaults
    names = {
        "kernel": type(dense.kernel_initializer).__name__,
        "bias": type(dense.bias_initializer).__name__,
    }
    uniform = "uniform ±1/√fan_in"
    rows = [
        ("initial kernels", names["kernel"], uniform, uniform),
        ("initial biases", names["bias"], uniform, uniform),
        ("fan-in of a transposed convolution", "inputs", "outputs", "outputs"),
        ("Adam's ε", adam.Adam().epsilon, torch_adam["eps"], PyTorchAdam().get_config()["epsilon"]),
        ("where Adam adds ε", "to √v", "to √v̂, bias corrected", "to √v̂, bias corrected"),
        (
            "batch norm's momentum, as the share kept",
            norm.momentum,
            1 - linear_norm.momentum,
            "0.9",
        ),
        ("batch norm's ε", norm.epsilon, linear_norm.eps, "1e-05"),
        ("batch norm's running variance", "divided by n", "divided by n - 1", "Keras's"),
        ("image layout", "rows, columns, channels", "channels, rows, columns", "Keras's outside"),
        ("flatten order", "row, column, channel", "channel, row, column", "PyTorch's"),
        ("a frozen batch norm's statistics", "stay", "move in training mode", "stay"),
        (
            "a frozen layer's dropout",
            "drops",
            "drops in training mode",
            "drops, unless the spec says",
        ),
    ]
    return [
        dict(zip(("what", "keras", "pytorch", "ours"), map(str, row), strict=True)) for row in rows
    ]


def table(rows: "Sequence[Row]") -> list[str]:
    """Lines of text: every row, and which are over their tolerance."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'':{width}}  {'max |Δ|':>9}  {'mean |Δ|':>9}  tolerance"]
    kind = None
    for row in rows:
        if row.kind != kind:
            lines.append(row.kind)
            kind = row.kind
        mark = "" if row.passed else "  OVER"
        numbers = f"{row.max_abs:9.2g}  {row.mean_abs:9.2g}  {row.tolerance:9.2g}"
        lines.append(f"{row.name:{width}}  {numbers}{mark}")
    return lines


def describe(result: Equivalence) -> list[str]:
    """Lines of text for an `Equivalence`."""
    lines = [
        f"{side}: "
        + ", ".join(f"{name} {m['mean']:.4f} (sd {m['sd']:.4f})" for name, m in values.items())
        for side, values in (("ours", result.ours), ("native", result.native))
    ]
    low, high = result.interval
    lines.append(
        f"difference of the mean losses, 90 % interval: {low:+.4f} to {high:+.4f}; "
        f"margin ±{result.margin:.4f}: {result.verdict}"
    )
    return lines
