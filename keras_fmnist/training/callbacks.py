"""Callbacks of `model.fit`: order of the images, seeds, curves, progress bar, times."""

import datetime
import math
import sys
import time

import keras
import numpy as np
from tqdm import tqdm

from keras_fmnist.data.batches import Batches
from keras_fmnist.seeds import seed_dropout

WARM_UP, MEASURED = 20, 40  # steps
WITH_EVALUATION = 7 / 6  # an epoch, evaluations included, over its steps alone


class SeedEachEpoch(keras.callbacks.Callback):
    """Derives the order of the images and the dropout of every epoch from (seed, epoch)."""

    def __init__(self, batches: Batches, seed: int) -> None:
        super().__init__()
        self.batches, self.seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shuffles the images and seeds the model's dropout."""
        self.batches.shuffle(epoch)
        seed_dropout(self.model, self.seed, epoch)


class TrainingCurve(keras.callbacks.Callback):
    """Evaluates the training images after each epoch, as `train_eval_*` in its logs."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Evaluates every training image, which costs about a sixth of the epoch."""
        measured = self.model.evaluate(self.batches, verbose=0, return_dict=True)
        logs.update({f"train_eval_{name}": value for name, value in measured.items()})


class DeadLogits(keras.callbacks.Callback):
    """Counts after each epoch the logits that are 0 for every image, as `val_dead_logits`.

    Args:
        batches: the validation images. Predicting them costs about a fiftieth of an epoch.
    """

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Predicts every validation image."""
        logits = self.model.predict(self.batches, verbose=0)
        logs["val_dead_logits"] = count_dead_logits(logits)


def count_dead_logits(logits: np.ndarray) -> int:
    """Counts the logits `(n, 10)` that are 0 for every image (open question 6)."""
    return int((logits == 0).all(axis=0).sum())


class DivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class StopOnNonFinite(keras.callbacks.Callback):
    """Stops the run at the first step after which the running loss is not finite."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the epoch for the message."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Raises DivergedError if the loss is NaN or infinite."""
        if not math.isfinite(logs["loss"]):
            step = self.batches.taken + batch + 1
            raise DivergedError(
                f"the loss became {logs['loss']} at step {step} of epoch {self.epoch + 1}: "
                "a smaller learning_rate may help"
            )


def _format_time(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _is_in_notebook():
    """Whether a Jupyter kernel runs this, whose stderr is shown but is no terminal."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython() if ipython else None, "kernel")


class Progress(keras.callbacks.Callback):
    """A progress bar for the whole run, with the time left, on a terminal or in a notebook.

    After the first 60 steps it prints once how long the run will take, even without a terminal.

    Args:
        title: text before the bar.
        epochs: epochs of the run.
        steps: steps of an epoch.
        done: steps that the run had taken when it was interrupted.
    """

    def __init__(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        super().__init__()
        self.bar = tqdm(
            total=epochs * steps,
            initial=done,
            desc=title,
            unit="step",
            disable=False if _is_in_notebook() else None,  # None: unless on a terminal
            dynamic_ncols=True,
        )
        self.title, self.epochs, self.steps = title, epochs, steps
        self.done, self.taken = done, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shows which epoch is running."""
        self.bar.set_postfix_str(f"epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Starts the clock after the first steps, which include tracing."""
        if self.taken == WARM_UP:
            self.began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Advances the bar by one step, and prints once how long the run will take."""
        self.bar.update()
        self.taken += 1
        if self.taken == WARM_UP + MEASURED:
            self._say_how_long((time.perf_counter() - self.began) / MEASURED)

    def _say_how_long(self, step):
        epoch = step * self.steps * WITH_EVALUATION
        left = epoch * (self.epochs - (self.done + self.taken) / self.steps)
        print(
            f"{self.title}: about {_format_time(left)} on this machine; "
            f"--epochs 1 (make run EPOCHS=1) about {_format_time(epoch)}",
            file=sys.stderr,
            flush=True,
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shows the losses of the epoch that ended."""
        self.bar.set_postfix_str(f"loss {logs['loss']:.4f}, val_loss {logs['val_loss']:.4f}")


class Stopwatch(keras.callbacks.Callback):
    """Times a run: wall-clock seconds in all and of each epoch, evaluations included, CPU seconds.

    `state` is saved in a checkpoint. Set it to continue from there, so that the times of a resumed
    run include those before the interruption.
    """

    def __init__(self) -> None:
        super().__init__()
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.state = {"started": started, "total": 0.0, "cpu": 0.0, "per_epoch": [], "epoch": 0.0}

    @property
    def state(self) -> dict:
        """Start, seconds in all, CPU seconds, seconds of each epoch and of the current one."""
        now = time.perf_counter()
        return {
            "started": self.started,
            "total": now - self._run,
            "cpu": time.process_time() - self._cpu,
            "per_epoch": list(self.per_epoch),
            "epoch": now - self._epoch,
        }

    @state.setter
    def state(self, state: dict) -> None:
        now = time.perf_counter()
        self.started, self.per_epoch = state["started"], list(state["per_epoch"])
        self._run, self._epoch = now - state["total"], now - state["epoch"]
        self._cpu = time.process_time() - state["cpu"]

    @property
    def seconds(self) -> dict:
        """The seconds for a record: in all, CPU, and of each epoch."""
        state = self.state
        return {name: round(state[name], 3) for name in ("total", "cpu")} | {
            "per_epoch": state["per_epoch"]
        }

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Notes the seconds of the epoch."""
        now = time.perf_counter()
        self.per_epoch.append(round(now - self._epoch, 3))
        self._epoch = now
