"""Trains a run with native PyTorch, so that its record can be set beside those of Keras.

The native net begins with the weights with which the Keras net of the same seed begins, and sees
the images in the same order. Dropout masks are its own. Losses and accuracies of every epoch are
those of the native net; its final weights go back into the Keras model, which is measured as any
other. What is interrupted starts again.
"""

import functools
import math

import keras
import torch

from keras_fmnist.data import Dataset
from keras_fmnist.data.batches import EVALUATION_BATCH, Batches
from keras_fmnist.data.pixels import scale_pixels
from keras_fmnist.models import torch_weights, weights
from keras_fmnist.pytorch import from_spec, loops
from keras_fmnist.records.record import Record
from keras_fmnist.records.run import RUNS, Run
from keras_fmnist.seeds import seed_dropout
from keras_fmnist.specs import Spec
from keras_fmnist.training.callbacks import DivergedError, Progress
from keras_fmnist.training.checkpoint import Checkpoint
from keras_fmnist.training.evaluation import DataSets
from keras_fmnist.training.train import Options, train_run


def train_native(
    run: Run, out: str = RUNS, force: bool = False, dataset: Dataset | None = None
) -> Record:
    """Trains a run with native PyTorch and writes its record and weights under `out`.

    A classifier starts from an autoencoder that was trained so, too.

    Args:
        run: its backend is `records.run.NATIVE`.
        out: the folder that holds `<report>/<experiment>/`.
        force: train again even if there is a record, and replace it.
        dataset: default: Fashion-MNIST.

    Raises:
        SpecError: `out` holds this run with other settings.
        DivergedError: the loss became NaN or infinite.
    """
    return train_run(run, out, Options(force=force), dataset, fit_native)


def fit_native(model: keras.Model, run: Run, sets: DataSets, checkpoint: Checkpoint) -> None:
    """Trains the native net of a run from the weights of a Keras model, which gets the result.

    Args:
        model: with its initial weights, on torch.
        run: its run.
        sets: the images.
        checkpoint: its history and its stopwatch are filled; nothing is saved.
    """
    spec, net = run.spec, from_spec.build(run.spec)
    from_spec.load(net, model)
    inputs, targets = _gather(sets.train_eval)
    test_inputs, test_targets = _gather(sets.val)
    net.to(inputs.device)
    stepper = from_spec.optimizer(spec, net)
    measure = functools.partial(_evaluate, spec, net)
    progress = Progress(run.title, spec.epochs, sets.train.steps)
    curves = checkpoint.history.history
    with progress.bar:
        for epoch in range(spec.epochs):
            progress.on_epoch_begin(epoch)
            sets.train.shuffle(epoch)
            seed_dropout(model, run.seed, epoch)
            score = _Score(spec)
            batches = (
                (inputs[rows], targets[rows]) for rows in sets.train.order.split(spec.batch_size)
            )
            loss = loops.train_epoch(net, _count(batches, progress), stepper, score)
            if not math.isfinite(loss):
                raise DivergedError(
                    f"the loss became {loss} in epoch {epoch + 1}: a smaller learning_rate may help"
                )
            logs = score.read("", loss) | measure("train_eval_", inputs, targets)
            logs |= measure("val_", test_inputs, test_targets)
            for name, value in logs.items():
                curves.setdefault(name, []).append(value)
            progress.on_epoch_end(epoch, logs)
            checkpoint.stopwatch.on_epoch_end(epoch)
    state = {name: tensor.cpu().numpy() for name, tensor in net.state_dict().items()}
    weights.set_arrays(model, torch_weights.from_native(state, weights.variables(model)))


class _Score:
    """The loss of a spec, which counts right answers and logits that are never other than 0."""

    def __init__(self, spec: Spec):
        self.loss, self.is_classifier = from_spec.loss(spec), spec.is_classifier
        self.right, self.seen, self.alive = 0, 0, False

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.is_classifier:
            found = outputs.detach()
            self.right += (found.argmax(dim=1) == targets).sum()
            self.seen += len(targets)
            self.alive = self.alive | (found != 0).any(dim=0)
        return self.loss(outputs, targets)

    def read(self, prefix: str, loss: float) -> dict[str, float]:
        """Returns loss, and accuracy of a classifier, under a prefix."""
        if not self.is_classifier:
            return {f"{prefix}loss": loss}
        return {f"{prefix}loss": loss, f"{prefix}accuracy": float(self.right / self.seen)}


def _evaluate(spec, net, prefix, inputs, targets):
    score = _Score(spec)
    loss = loops.evaluate(net, inputs, targets, score, EVALUATION_BATCH)
    found = score.read(prefix, loss)
    if spec.clips_logits and prefix == "val_":
        found["val_dead_logits"] = int((~score.alive).sum())
    return found


def _count(batches, progress):
    """Passes batches on, and tells the progress bar of each."""
    for step, batch in enumerate(batches):
        progress.on_train_batch_begin(step)
        yield batch
        progress.on_train_batch_end(step)


def _gather(batches: Batches) -> tuple[torch.Tensor, torch.Tensor]:
    """All images of a set as native PyTorch takes them, and their targets."""
    images = scale_pixels(batches.images, batches.pixel_min).movedim(-1, 1).contiguous()
    return images, images if batches.labels is None else batches.labels.long()
