"""What an epoch of a whole run costs: training, both evaluations, metrics and a checkpoint.

Each function here runs two epochs of a run that is new, and tells the seconds of the second.
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import torch

from keras_fmnist import backends
from keras_fmnist.data import Dataset
from keras_fmnist.data.batches import EVALUATION_BATCH
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.pytorch import from_spec, loops, tuned
from keras_fmnist.records.run import Run
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, override
from keras_fmnist.training.train import Options, train_run

_TEST_SHARE = 6  # training images for each test image, as in the whole data set


def variants(
    spec: AutoencoderSpec | ClassifierSpec, dataset: Dataset, steps: int
) -> dict[str, Callable[[], float]]:
    """`{name: function}`; each runs two epochs of `steps` steps and gives seconds of the second.

    A sixth as many test images are evaluated. A classifier starts from a fresh encoder.
    """
    images = steps * spec.batch_size
    tests = max(1, images // _TEST_SHARE)
    part = dataclasses.replace(
        dataset,
        train_images=dataset.train_images[:images],
        train_labels=dataset.train_labels[:images],
        test_images=dataset.test_images[:tests],
        test_labels=dataset.test_labels[:tests],
    )
    found = {"stock": partial(_keras_epoch, spec, part, fast=False)}
    if keras.backend.backend() == "torch":
        found["ours"] = partial(_keras_epoch, spec, part, fast=True)
    if not torch.cuda.is_available():
        found["native"] = partial(_native_epoch, spec, part, is_tuned=False)
        found["native_tuned"] = partial(_native_epoch, spec, part, is_tuned=True)
    return found


def _keras_epoch(spec, dataset, fast):
    changes = {"epochs": 2}
    if spec.is_classifier:
        changes["pretrained"] = False
    backend, device = keras.backend.backend(), backends.find_device()
    run = Run(override(spec, changes), 0, backend, device, len(dataset.train_images))
    with tempfile.TemporaryDirectory() as out:
        record = train_run(run, out, Options(fast=fast), dataset)
    return record.seconds["per_epoch"][1]


def _native_epoch(spec, dataset, is_tuned):
    is_classifier = spec.is_classifier
    sets = [
        _tensors(images, labels if is_classifier else None, spec.pixel_min)
        for images, labels in (
            (dataset.train_images, dataset.train_labels),
            (dataset.test_images, dataset.test_labels),
        )
    ]
    loss = from_spec.loss(spec)
    net = from_spec.build(spec)
    if is_tuned:
        net = tuned.tune(net, *sets[0], loss, spec.batch_size)
    optimizer = from_spec.optimizer(spec, net)
    if is_tuned:
        optimizer = tuned.fused_optimizer(optimizer)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            started = time.perf_counter()
            loops.train(
                net,
                *sets[0],
                epochs=1,
                batch_size=spec.batch_size,
                optimizer=optimizer,
                loss=loss,
            )
            for inputs, targets in sets:
                _evaluate(net, inputs, targets, loss, is_classifier)
            state = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state, Path(folder, "checkpoint.pt"))
            seconds = time.perf_counter() - started
    return seconds


@torch.inference_mode()
def _evaluate(net, inputs, targets, loss, is_classifier):
    """Loss and, of a classifier, accuracy over every example, in one pass."""
    net.eval()
    total, hits = 0.0, 0
    for x, y in zip(inputs.split(EVALUATION_BATCH), targets.split(EVALUATION_BATCH), strict=True):
        outputs = net(x)
        total += loss(outputs, y) * len(x)
        if is_classifier:
            hits += (outputs.argmax(1) == y).sum()
    return float(total) / len(inputs), float(hits) / len(inputs)


def _tensors(images, labels, pixel_min):
    return from_spec.to_torch(scale_pixels(images, pixel_min), images if labels is None else labels)
