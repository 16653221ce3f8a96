"""Exact resume: a run that was killed continues and ends with the same bits.

One file for each run, beside its record, holds everything that the next step depends on: weights,
variables of the optimiser, states of the dropout generators, running metrics, history and seconds.
It also says which run it belongs to. The format is safetensors with JSON in the metadata. The
order of the images is not saved, because it follows from seed and epoch.
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
    """Returns everything that decides the bits of a result.

    A checkpoint can be resumed only if all of this is the same.

    Args:
        run: the run.
        data_sha256: digest of the data set.
        start: weights before the first step; a classifier may start from a trained encoder.
        modes: options that change how a step is computed (`Options.modes`).
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
    if run.device == "cpu":  # sums are split over threads, which decides how they are rounded
        processors = provenance.usable_cores()
        if run.backend == "torch":
            found["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS") or str(processors)
        else:
            found["processors"] = processors
    return found


class Checkpoint(keras.callbacks.Callback):
    """Saves a run at the end of every epoch, and restores a run that was saved.

    It must be the last of the callbacks, so that it saves what the others add to the logs.

    Args:
        path: of the file.
        every: also save after every so many steps of an epoch.

    Attributes:
        epoch: how many epochs are complete.
        step: how many steps of the next epoch are complete.
        history: `keras.callbacks.History` of the whole run; pass it to `fit` too.
        stopwatch: `Stopwatch` of the whole run; pass it to `fit` too.
        resumed_at: how many epochs were complete each time the run was resumed.
        stop_request: `StopRequest`; when it is set, the run is saved at the next step and stops.
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
        """Restores model and stopwatch from the file, if there is one.

        Args:
            model: the compiled model with its initial weights.
            batches: `Batches` of the training images.
            stopwatch: `Stopwatch` of the run.
            identity: what `identify_run` returned for the run.

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
        """Yields the epochs that are left, as pairs `(initial_epoch, epochs)` for `fit`.

        `fit` cannot start in the middle of an epoch. The rest of an interrupted epoch is a `fit` of
        its own, over the batches that are left.
        """
        if self.step:
            self.batches.taken = self.step
            yield self.epoch, self.epoch + 1
        yield self.epoch, epochs

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Restores metrics and generators, if the run was saved in the middle of an epoch.

        This cannot happen earlier: when `fit` starts, it resets the metrics, and torch's loader
        draws a random number.
        """
        if self._within is None:
            return
        running = weights.select(self._within, "metrics")
        if len(self.model.metrics_variables) < len(running):
            self.model.test_on_batch(*self.batches[0])  # tensorflow creates them at the first step
        _assign(self.model.metrics_variables, running)
        set_generator_states(self.model, weights.select(self._within, "generators"))
        self._within = None

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Saves if `every` or a request to stop says so."""
        step = self.batches.taken + batch + 1
        if step == self.batches.steps:
            return  # `on_epoch_end` saves; there is no next step to resume at
        if self.stop_request.stop or (self.every and step % self.every == 0):
            self._save(step)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves the complete epoch."""
        self.batches.taken = 0
        self.epoch = epoch + 1
        self._save(0)

    def _save(self, step):
        model = self.model  # on jax, reading this also updates the variables
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
    """Returns copies of variables, named by their number."""
    return {str(number): np.array(v.numpy()) for number, v in enumerate(variables)}


def _assign(variables, arrays):
    for number, variable in enumerate(variables):
        variable.assign(arrays[str(number)])
