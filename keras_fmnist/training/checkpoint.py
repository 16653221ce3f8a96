"""Exact resume: a run that was killed goes on as if nothing had happened, to the last bit.

One file a run, beside its record, holds all that a step depends on: weights, the optimiser's
variables, the generators of dropout, the metrics as they run, history and seconds, and whose they
are. It is safetensors with JSON in its metadata. The order of the images is not in it: it
follows from seed and epoch.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_fmnist.models import weights
from keras_fmnist.records import provenance
from keras_fmnist.seeds import generator_states, set_generator_states
from keras_fmnist.specs import differences, settings
from keras_fmnist.training import checkpoint_file
from keras_fmnist.training.interrupts import StopRequest

if TYPE_CHECKING:
    from keras_fmnist.data.batches import Batches
    from keras_fmnist.records.run import Run
    from keras_fmnist.training.callbacks import Stopwatch

_FRAMEWORKS = {"torch", "jax", "tensorflow"}
_SHOWN = 16  # hexadecimal digits of a digest


def identify_run(
    run: "Run", data_sha256: str, start: weights.Arrays, modes: dict[str, bool]
) -> dict:
    """What must be the same for a run to go on from a checkpoint: all that its bits depend on.

    Args:
        run: what is trained.
        data_sha256: of the data set.
        start: weights before the first step; a classifier's encoder is a trained one.
        modes: switches that change how a step is computed.
    """
    versions = {
        package: version
        for package, version in provenance.versions().items()
        if package.removesuffix("-cpu") not in _FRAMEWORKS - {run.backend}
    }
    found = {
        **settings(run.spec),
        "experiment": run.spec.id,
        "seed": run.seed,
        "examples": run.examples,
        "backend": run.backend,
        "device": run.device,
        "data": data_sha256[:_SHOWN],
        "start": weights.digest(start)[:_SHOWN],
        "version": versions,
        **modes,
    }
    if run.device == "cpu":  # its threads share each sum, and how they do decides how it is rounded
        processors = provenance.usable_cores()
        if run.backend == "torch":
            found["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS") or str(processors)
        else:
            found["processors"] = processors
    return found


class Checkpoint(keras.callbacks.Callback):
    """Saves a run at the end of every epoch, and puts a model where a run was saved.

    It stands last among the callbacks, so that it saves what they have added to an epoch's logs.

    Args:
        path: of the file.
        every: saves also after each so many steps of an epoch, where given.

    Attributes:
        epoch: epochs that are complete.
        step: steps of the next one that are complete.
        history: `keras.callbacks.History` of the whole run; goes to `fit` with this.
        stopwatch: `Stopwatch` of the whole run; goes to `fit` with this.
        resumed_at: how many epochs were complete each time the run was resumed.
        wish: `Wish` to stop; while it is entered, the run is saved and stops when it comes.
    """

    def __init__(self, path: Path, every: int | None = None) -> None:
        super().__init__()
        self.path, self.every = path, every
        self.epoch, self.step, self.resumed_at = 0, 0, []
        self.history = keras.callbacks.History()
        self.stop_request = StopRequest()
        self._within = None

    def begin(
        self, model: keras.Model, batches: "Batches", stopwatch: "Stopwatch", identity: dict
    ) -> None:
        """Puts model and stopwatch where the run was saved, if it was.

        Args:
            model: compiled, with the weights it starts from.
            batches: `Batches` of the training images.
            stopwatch: `Stopwatch` of the run.
            identity: what `identify_run` gives for the run.

        Raises:
            SpecError: the file is of another run, or damaged.
        """
        self.batches, self.stopwatch, self.identity = batches, stopwatch, identity
        if not self.path.exists():
            return
        arrays, state = checkpoint_file.read(self.path)
        if differ := differences(state["run"], identity):
            raise checkpoint_file.unusable(self.path, f"is of a run with {'; '.join(differ)}")
        try:
            self._restore(model, arrays, state)
        except (KeyError, TypeError, ValueError):
            raise checkpoint_file.unusable(self.path, "is damaged") from None

    def _restore(self, model, arrays, state):
        weights.set_arrays(model, weights.select(arrays, "weights"))
        model.optimizer.build(model.trainable_variables)
        _assign(model.optimizer.variables, weights.select(arrays, "optimizer"))
        self.epoch, self.step = state["epoch"], state["step"]
        self.history.history = state["history"]
        self.stopwatch.state = state["seconds"]
        self.resumed_at = [*state["resumed_at"], self.epoch]
        self._within = arrays if self.step else None

    def spans(self, epochs: int) -> Iterator[tuple[int, int]]:
        """Epochs that are left, as pairs of first and end for `fit`.

        `fit` cannot begin within an epoch. What is left of one is a `fit` of its own, over the
        batches that were not taken.
        """
        if self.step:
            self.batches.taken = self.step
            yield self.epoch, self.epoch + 1
        yield self.epoch, epochs

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Within an epoch that was interrupted: puts metrics and generators where they were.

        Not before: `fit` has reset the metrics, and torch's loader has drawn a number.
        """
        if self._within is None:
            return
        running = weights.select(self._within, "metrics")
        if len(self.model.metrics_variables) < len(running):
            self.model.test_on_batch(*self.batches[0])  # tensorflow makes them at the first step
        _assign(self.model.metrics_variables, running)
        set_generator_states(self.model, weights.select(self._within, "generators"))
        self._within = None

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Saves where `every` or a signal asks for it."""
        step = self.batches.taken + batch + 1
        if step == self.batches.steps:
            return  # the epoch's end is near, and nothing can go on from here
        if self.stop_request.stop or (self.every and step % self.every == 0):
            self._save(step)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves."""
        self.batches.taken = 0
        self.epoch = epoch + 1
        self._save(0)

    def _save(self, step):
        model = self.model  # on jax this is also what brings the variables up to date
        self.step = step
        parts = {
            "weights": weights.get_arrays(model),
            "optimizer": _arrays(model.optimizer.variables),
        }
        if step:
            parts["metrics"] = _arrays(model.metrics_variables)
            parts["generators"] = generator_states(model)
        state = {
            "run": self.identity,
            "epoch": self.epoch,
            "step": step,
            "history": self.history.history,
            "seconds": self.stopwatch.state,
            "resumed_at": self.resumed_at,
        }
        checkpoint_file.write(
            self.path, {f"{p}/{n}": a for p in parts for n, a in parts[p].items()}, state
        )
        if self.stop_request.stop:
            raise KeyboardInterrupt


def _arrays(variables):
    """Copies of variables, by their number."""
    return {str(number): np.array(v.numpy()) for number, v in enumerate(variables)}


def _assign(variables, arrays):
    for number, variable in enumerate(variables):
        variable.assign(arrays[str(number)])
