"""What a training step costs: ours beside native PyTorch and stock Keras, taking turns.

An epoch is measured whole, with its data, callbacks and metrics. The variants take turns within a
round, so that a busy machine slows all of them alike, and a ratio is taken within its round.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import keras
import numpy as np
import torch

from keras_fmnist.data.batches import Batches
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.models import networks
from keras_fmnist.pytorch import from_spec, loops, tuned
from keras_fmnist.records import provenance
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, override
from keras_fmnist.training.compile import compile_model

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset


BATCHES = (10, 100, 1000)
IMAGES = (6_000, 60_000)
NO_COMPILER = torch._dynamo.exc.BackendCompilerFailed


def variants(
    spec: AutoencoderSpec | ClassifierSpec, dataset: "Dataset", steps: int
) -> dict[str, Callable[[], Callable[[], float]]]:
    """`{name: function}`; each builds a variant, as a function that trains and returns seconds.

    It trains `steps` steps. What cannot run here is left out: `ours` and `compile` elsewhere than
    on torch, `native_tuned` with a GPU, `cudagraph` without one or without Adam.
    """
    images = dataset.train_images[: steps * spec.batch_size]
    labels = dataset.train_labels[: len(images)] if spec.is_classifier else None
    given = (spec, images, labels)
    builders = {
        "native": partial(_native, *given),
        "dataloader": partial(_dataloader, *given),
        "stock": partial(_keras, *given, fast=False),
    }
    if keras.backend.backend() == "torch":
        builders["ours"] = partial(_keras, *given, fast=True)
        builders["compile"] = partial(_native, *given, compiled=True)
    if not torch.cuda.is_available():
        builders["native_tuned"] = partial(_native, *given, is_tuned=True)
    elif spec.optimizer == "adam":
        builders["cudagraph"] = partial(_cuda_graph, *given)
    return builders


def measure(
    spec: AutoencoderSpec | ClassifierSpec,
    dataset: "Dataset",
    *,
    steps: int,
    rounds: int,
    progress: Callable[[range], Iterable[int]] = iter,
) -> dict[str, list[float]]:
    """Seconds of each variant in each round; the first round warms up and does not count.

    Without a C++ compiler `compile` is left out.

    Returns:
        `{variant: [seconds a step, …]}`.
    """
    runs = {name: build() for name, build in variants(spec, dataset, steps).items()}
    seconds = {}
    for number in progress(range(rounds + 1)):
        for name, run in list(runs.items()):
            try:
                taken = run() / steps
            except NO_COMPILER:
                del runs[name]
                continue
            if number:
                seconds.setdefault(name, []).append(taken)
    return seconds


def summarize(seconds: dict[str, list[float]]) -> dict[str, dict]:
    """Medians: milliseconds a step, and how many times longer each variant takes than ours.

    The ratios' quartiles stand beside them. Where ours does not run, stock Keras is the reference.

    Args:
        seconds: of one step, or of a step's share of an epoch, in each round.
    """
    reference = "ours" if "ours" in seconds else "stock"
    ratios = {
        f"{name}_over_{reference}": statistics.quantiles(
            [other / own for other, own in zip(taken, seconds[reference], strict=True)], n=4
        )
        for name, taken in seconds.items()
        if name != reference
    }
    return {
        "ms_per_step": {name: round(1e3 * statistics.median(s), 3) for name, s in seconds.items()},
        "ratios": {name: round(median, 3) for name, (_, median, _) in ratios.items()},
        "quartiles": {name: [round(q, 3) for q in quarters] for name, quarters in ratios.items()},
    }


def growth(
    spec: AutoencoderSpec | ClassifierSpec, dataset: "Dataset", *, rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds an image over batch sizes, and seconds an epoch over numbers of images."""
    found = {"ms_per_image": {}, "seconds_per_epoch": {}}
    for batch in BATCHES:
        steps = max(3, 3000 // batch)
        taken = measure(override(spec, {"batch_size": batch}), dataset, steps=steps, rounds=rounds)
        found["ms_per_image"][str(batch)] = {
            name: round(1e3 * statistics.median(s) / batch, 4) for name, s in taken.items()
        }
    for images in IMAGES:
        steps = images // spec.batch_size
        taken = measure(spec, dataset, steps=steps, rounds=1)
        found["seconds_per_epoch"][str(images)] = {
            name: round(statistics.median(s) * steps, 3) for name, s in taken.items()
        }
    return found


def peak_memory(spec: AutoencoderSpec | ClassifierSpec, dataset: "Dataset") -> dict[str, int]:
    """Most memory in MiB of a process that trains 100 steps, each variant in one of its own.

    Frameworks and data set are in it. Left out is `compile` without a C++ compiler, and all of
    them where the system does not say.
    """
    found = {}
    context = multiprocessing.get_context("spawn")
    for name in variants(spec, dataset, 1):
        with context.Pool(1) as pool:
            taken = pool.apply(_own_peak_memory, (spec, name, dataset))
        if taken is not None:
            found[name] = taken
    return found


def _own_peak_memory(spec, name, dataset):
    run = variants(spec, dataset, 100)[name]()
    try:
        run()
    except NO_COMPILER:
        return None
    return provenance.peak_memory()


def _keras(spec, images, labels, fast):
    model = networks.build(spec)
    compile_model(model, spec, fast)
    batches = Batches(images, labels, spec.batch_size, spec.pixel_min)
    return _timed(lambda: model.fit(batches, epochs=1, shuffle=False, verbose=0))


def _native(spec, images, labels, compiled=False, is_tuned=False):
    net = from_spec.build(spec).to(_device())
    inputs, targets = _tensors(images, labels, spec.pixel_min)
    settings = {"epochs": 1, "batch_size": spec.batch_size, "loss": from_spec.loss(spec)}
    if is_tuned:
        net = tuned.tune(net, inputs, targets, settings["loss"], spec.batch_size)
    optimizer = from_spec.optimizer(spec, net)
    if is_tuned:
        optimizer = tuned.fused_optimizer(optimizer)
    runs = torch.compile(net) if compiled else net
    return _timed(lambda: loops.train(runs, inputs, targets, optimizer=optimizer, **settings))


def _dataloader(spec, images, labels):
    net = from_spec.build(spec).to(_device())
    pixels = torch.from_numpy(images[..., 0].copy())
    classes = None if labels is None else torch.from_numpy(labels.astype(np.int64))
    settings = {"epochs": 1, "batch_size": spec.batch_size, "loss": from_spec.loss(spec)}
    optimizer = from_spec.optimizer(spec, net)
    return _timed(
        lambda: loops.train_with_dataloader(
            net, pixels, classes, optimizer=optimizer, signed=spec.pixel_min < 0, **settings
        )
    )


def _cuda_graph(spec, images, labels):
    """A native step captured once as a CUDA graph: the fastest that native PyTorch goes."""
    net = from_spec.build(spec).to(_device())
    inputs, targets = _tensors(images, labels, spec.pixel_min)
    optimizer = torch.optim.Adam(net.parameters(), spec.learning_rate, capturable=True)
    loss = from_spec.loss(spec)
    x, y = inputs[: spec.batch_size].clone(), targets[: spec.batch_size].clone()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(net(x), y).backward()
        optimizer.step()

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # lazy initialisation must not be captured
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def epoch():
        order = torch.randperm(len(inputs)).to(inputs.device)
        for rows in order.split(spec.batch_size):
            x.copy_(inputs[rows])
            y.copy_(targets[rows])
            graph.replay()

    return _timed(epoch)


def _tensors(images, labels, pixel_min):
    pixels = scale_pixels(images, pixel_min)
    inputs, targets = from_spec.to_torch(pixels, pixels if labels is None else labels)
    inputs = inputs.to(_device())
    return inputs, inputs if labels is None else targets.to(_device())


def _device():
    return "cuda" if torch.cuda.is_available() else "cpu"


def _timed(run):
    def timed():
        started = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - started

    return timed
