"""Compares Keras with native PyTorch, given the same weights and images.

Compared are the output of every layer, loss, gradients, and weights after 1 and 100 steps. Dropout
is 0 here, because each side draws its own masks; `equivalence` compares trainings with dropout.
"""

import contextlib
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import keras
import numpy as np
import torch
from keras.src.backend.common import dtypes

from keras_fmnist.models import networks, torch_weights, weights
from keras_fmnist.pytorch import from_spec
from keras_fmnist.specs import AnySpec, AutoencoderSpec, ClassifierSpec, override
from keras_fmnist.training.compile import build_loss, compile_model

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset

# Absolute, for activations of order one: float32 sums of up to 800 terms in another order.
FORWARD = 1e-5
# Relative to the largest gradient of the layer: errors of both passes add up.
GRADIENT = 1e-4
# Absolute, for weights of order 0.1. SGD takes its 100 steps in float32, Adam in float64, because
# it moves a weight whose gradient is rounding noise as far as any other, 1e-3 a step. In float32
# two native trainings end 0.003 to 0.05 apart (see `rounding`).
PARAMETERS = {"sgd": 1e-5, "adam": 1e-9}

STEPS = 100
SMALL_BATCH = 10  # images a step in float64, for which torch has only slow convolutions
# SGD with this learning rate gives weight − 1024 · gradient. So the gradient can be read from the
# weights, on any backend and from the same step as in `fit`, with an error of 2⁻²⁴ / 1024.
PROBE = 1024.0


@dataclass(frozen=True)
class Row:
    """The difference of both sides in one tensor; `kind` says what it is, such as `output`."""

    name: str
    kind: str
    max_abs: float
    mean_abs: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the largest difference is finite and within the tolerance."""
        return self.max_abs <= self.tolerance and math.isfinite(self.max_abs)


def without_dropout(spec: AnySpec) -> AnySpec:
    """Returns a copy of a spec with dropout 0 everywhere."""
    prefix = "autoencoder_" if spec.is_classifier else ""
    return override(spec, {f"{prefix}dropout": 0.0})


def measure(spec: AutoencoderSpec | ClassifierSpec, dataset: "Dataset", seed: int = 0) -> list[Row]:
    """Compares outputs, loss, gradients, and the weights after 1 and 100 steps of Adam and SGD.

    Args:
        spec: an experiment; its dropout is set to 0.
        dataset: a `data.Dataset` with at least 100 training images.
        seed: of the initial weights of both sides.
    """
    spec = without_dropout(spec)
    model, net = networks.build(spec, seed), from_spec.build(spec)
    from_spec.load(net, model)
    batch = _batches(spec, dataset, 1)[0]
    rows = _outputs(model, net, batch[0])
    rows += _loss_and_gradients(spec, seed, batch)
    rows += _steps(spec, seed, "sgd", _batches(spec, dataset, STEPS))
    with _float64():
        rows += _steps(spec, seed, "adam", _batches(spec, dataset, STEPS, SMALL_BATCH))
    return rows


def rounding(
    spec: AutoencoderSpec | ClassifierSpec, dataset: "Dataset", seed: int = 0
) -> dict[str, float]:
    """Measures how far apart 100 float32 steps of Adam end: ours and native, native and native.

    Two more native trainings see each batch in reverse order, or rotated by a third. Only the
    rounding of sums changes then. There are two, because one might round the same by chance.

    Returns:
        `{"ours": …, "native": …}`, the largest difference in any weight.
    """
    spec = without_dropout(override(spec, {"optimizer": "adam", "momentum": 0.0}))
    batches = _batches(spec, dataset, STEPS)
    ours = max(row.max_abs for row in _steps(spec, seed, "adam", batches))
    nets = []
    rows = np.arange(len(batches[0][0]))
    for order in (rows, rows[::-1], np.roll(rows, len(rows) // 3)):
        net = from_spec.build(spec)
        from_spec.load(net, networks.build(spec, seed))
        stepper = from_spec.optimizer(spec, net)
        for images, targets in batches:
            from_spec.step(spec, net, stepper, images[order], targets[order])
        nets.append(net)
    first, *others = nets
    native = max(
        (a - b).abs().max().item()
        for other in others
        for a, b in zip(first.parameters(), other.parameters(), strict=True)
    )
    return {"ours": ours, "native": native}


@contextlib.contextmanager
def _float64():
    """A context in which both sides build and train in double precision.

    On torch and jax, Keras's type promotion returns float32 in dense layers and batch norm, even
    for float64 inputs. There is no public way to change that, hence the patch.
    """
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        with mock.patch.dict(dtypes.BIT64_TO_BIT32_DTYPE, {"float64": "float64"}):
            yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        if keras.backend.backend() == "jax":
            jax.config.update("jax_enable_x64", False)


def _batches(spec, dataset, count, size=None):
    """Returns `count` batches in the order of the files, starting over at the end."""
    size = min(size or spec.batch_size, len(dataset.train_images))
    starts = [(i * size) % (len(dataset.train_images) - size + 1) for i in range(count)]
    white, pixel_min = np.asarray(255, keras.config.floatx()), spec.pixel_min
    images = [
        dataset.train_images[s : s + size] / white * (1 - pixel_min) + pixel_min for s in starts
    ]
    if not spec.is_classifier:
        return [(x, x) for x in images]
    labels = [dataset.train_labels[s : s + size].astype(np.int32) for s in starts]
    return list(zip(images, labels, strict=True))


def _outputs(model, net, images):
    """Makes a row for every layer that both sides have, in native's order."""
    theirs = record_outputs(net, from_spec.to_torch(images, images)[0])
    ours = _layer_outputs(model, images)
    return [
        make_row(name, "output", _in_layout_of(theirs[name], ours[name]), theirs[name], FORWARD)
        for name in theirs
        if name in ours
    ]


def _layer_outputs(model, x, prefix=""):
    """Returns `{name of a layer: output}` in evaluation mode, for a chain of layers."""
    found = {}
    for layer in model.layers[1:]:  # the first is the input
        if hasattr(layer, "layers"):
            found |= _layer_outputs(layer, x, f"{prefix}{layer.name}.")
        x = layer(x)
        found[prefix + layer.name] = keras.ops.convert_to_numpy(x)
    return found


def _in_layout_of(theirs, ours):
    """Transposes our feature map to channels first, PyTorch's layout, if it is not."""
    return ours if ours.shape == theirs.shape else ours.transpose(0, 3, 1, 2)


def _loss_and_gradients(spec, seed, batch):
    model, net = networks.build(spec, seed), from_spec.build(spec)
    from_spec.load(net, model)
    before = torch_weights.to_native(weights.get_arrays(model))
    model.compile(keras.optimizers.SGD(PROBE), build_loss(spec))
    our_loss = np.asarray(float(model.train_on_batch(*batch)))
    after = torch_weights.to_native(weights.get_arrays(model))
    net.train()
    x, y = from_spec.to_torch(*batch)
    loss = from_spec.loss(spec)(net(x), y)
    loss.backward()
    rows = [make_row("loss", "loss", our_loss, loss.detach().numpy(), FORWARD)]
    differences = {}
    for name, parameter in net.named_parameters():
        ours = (before[name].astype(np.float64) - after[name]) / PROBE
        frozen = parameter.grad is None
        theirs = np.zeros_like(ours) if frozen else parameter.grad.numpy()
        differences[name] = ours, theirs
    return rows + make_gradient_rows(differences)


def _steps(spec, seed, optimizer, batches):
    """Makes rows for every parameter after the first step and after the last."""
    spec = override(spec, {"momentum": 0.0, "optimizer": optimizer})
    model, net = networks.build(spec, seed), from_spec.build(spec)
    from_spec.load(net, model)
    compile_model(model, spec)
    stepper = from_spec.optimizer(spec, net)
    rows = []
    for number, batch in enumerate(batches, start=1):
        model.train_on_batch(*batch)
        from_spec.step(spec, net, stepper, *batch)
        if number in (1, len(batches)):
            ours = torch_weights.to_native(weights.get_arrays(model))
            steps = f"{number} {optimizer} step{'s' if number > 1 else ''}"
            kind = f"{steps}, {keras.config.floatx()}"
            for name, parameter in net.named_parameters():
                theirs = parameter.detach().numpy()
                rows.append(make_row(name, kind, ours[name], theirs, PARAMETERS[optimizer]))
    return rows


def make_row(name: str, kind: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> Row:
    """Makes the row of one tensor, given both sides in one layout."""
    distance = np.abs(ours.astype(np.float64) - theirs)
    return Row(name, kind, float(distance.max()), float(distance.mean()), float(tolerance))


def make_gradient_rows(gradients: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[Row]:
    """Makes the rows of gradients, given `{layer.weight: (ours, theirs)}`.

    The tolerance follows the largest gradient of a layer: a bias may have next to none where its
    kernel has one.
    """
    largest = {}
    for name, (_, theirs) in gradients.items():
        layer = name.rpartition(".")[0]
        largest[layer] = max(largest.get(layer, 0.0), float(np.abs(theirs).max()))
    return [
        make_row(name, "gradient", ours, theirs, GRADIENT * largest[name.rpartition(".")[0]])
        for name, (ours, theirs) in gradients.items()
    ]


def record_outputs(
    net: torch.nn.Module, x: torch.Tensor, names: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Returns what the modules in a net give in evaluation mode, and the net itself, as `""`.

    Args:
        net: any module.
        x: its input.
        names: of the modules inside to record; all where None.
    """
    found = {}
    hooks = [
        module.register_forward_hook(
            lambda module, args, output, name=name: found.update({name: output.detach().numpy()})
        )
        for name, module in net.named_modules(remove_duplicate=False)
        if not name or names is None or name in names
    ]
    net.eval()
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return found
