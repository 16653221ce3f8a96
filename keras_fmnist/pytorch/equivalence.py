"""Trains our net and the native PyTorch net over several seeds, and tests their equivalence."""

import statistics
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import torch

from keras_fmnist.backends import find_device
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.pytorch import from_spec, loops
from keras_fmnist.records.intervals import judge_equivalence, welch_interval
from keras_fmnist.records.run import Run
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, Spec, with_epochs
from keras_fmnist.training.train import train_run

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset


# Trainings count as equivalent if their mean validation losses differ by less than this share of
# the native one, about what another seed changes after a few hundred steps.
MARGIN = 0.10


@dataclass(frozen=True)
class Equivalence:
    """Validation loss (and accuracy) of both sides over seeds, and whether they are equivalent.

    `interval` is the 90 % confidence interval of the difference of the mean losses, ours minus
    native; `verdict` says what it means (`judge_equivalence`).
    """

    epochs: int
    examples: int
    seeds: int
    ours: dict[str, dict[str, float]]
    native: dict[str, dict[str, float]]
    margin: float
    interval: tuple[float, float]
    verdict: str


def measure_equivalence(
    spec: AutoencoderSpec | ClassifierSpec,
    dataset: "Dataset",
    *,
    seeds: int,
    epochs: int,
    examples: int,
    progress: Callable[[range], Iterable[int]] = iter,
) -> Equivalence:
    """Trains both sides with dropout, each with its own generators, and tests for equivalence.

    Args:
        spec: an experiment; before a classifier its autoencoder is trained for as many epochs.
        dataset: a `data.Dataset`.
        seeds: trainings a side, at least 2.
        epochs: passes over the training images.
        examples: how many training images.
        progress: wraps the loop over seeds, for a progress bar.
    """
    spec = with_epochs(spec, epochs)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in progress(range(seeds)):
            run = Run(spec, seed, keras.backend.backend(), find_device(), examples)
            record = train_run(run, folder, dataset=dataset)
            ours.append({name: record.metrics[name] for name in metric_names(spec)})
            theirs.append(_train_native(spec, seed, dataset, examples))
    low, high = welch_interval([m["val_loss"] for m in ours], [m["val_loss"] for m in theirs])
    margin = MARGIN * statistics.fmean(m["val_loss"] for m in theirs)
    return Equivalence(
        epochs=epochs,
        examples=examples,
        seeds=seeds,
        ours=_summary(ours),
        native=_summary(theirs),
        margin=margin,
        interval=(low, high),
        verdict=judge_equivalence(low, high, margin),
    )


def metric_names(spec: Spec) -> tuple[str, ...]:
    """Returns the names of what is compared: validation loss, and accuracy of a classifier."""
    return tuple(f"val_{name}" for name in spec.metrics)


def _summary(runs):
    return {
        name: {
            "mean": statistics.fmean(run[name] for run in runs),
            "sd": statistics.stdev(run[name] for run in runs),
        }
        for name in runs[0]
    }


def _train_native(spec, seed, dataset, examples):
    """Trains the native net of one seed, with its own initial weights, order and masks."""
    torch.manual_seed(seed)
    pixels = scale_pixels(dataset.train_images[:examples], spec.pixel_min)
    images, labels = from_spec.to_torch(pixels, dataset.train_labels[:examples])
    net = from_spec.build(spec)
    if spec.needs:
        pretrained = from_spec.build(spec.autoencoder)
        _fit_native(spec.autoencoder, pretrained, images, images)
        net.encoder.load_state_dict(pretrained.encoder.state_dict())
    is_classifier = spec.is_classifier
    _fit_native(spec, net, images, labels if is_classifier else images)
    pixels = scale_pixels(dataset.test_images, spec.pixel_min)
    tests, targets = from_spec.to_torch(pixels, dataset.test_labels)
    if not is_classifier:
        return {"val_loss": loops.evaluate(net, tests, tests, from_spec.loss(spec), 1000)}
    return {
        "val_loss": loops.evaluate(net, tests, targets, from_spec.loss(spec), 1000),
        "val_accuracy": loops.evaluate(net, tests, targets, loops.accuracy, 1000),
    }


def _fit_native(spec, net, images, targets):
    loops.train(
        net,
        images,
        targets,
        epochs=spec.epochs,
        batch_size=spec.batch_size,
        optimizer=from_spec.optimizer(spec, net),
        loss=from_spec.loss(spec),
    )
