"""What happens around `model.fit`: batches in a known order, seeds, curves, progress."""

import datetime
import math
import time

import keras
from tqdm import tqdm

from keras_fmnist.data.batches import Batches
from keras_fmnist.seeds import seed_dropout


class SeedEachEpoch(keras.callbacks.Callback):
    """Derives the order and the dropout of every epoch from (seed, epoch)."""

    def __init__(self, batches: Batches, seed: int) -> None:
        super().__init__()
        self.batches, self.seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shuffles the batches and seeds the model's dropout."""
        self.batches.shuffle(epoch)
        seed_dropout(self.model, self.seed, epoch)


class TrainingCurve(keras.callbacks.Callback):
    """Adds `train_eval_*` to the epoch's logs: the training images again, in evaluation mode."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Evaluates every training image; costs about a sixth of the epoch."""
        measured = self.model.evaluate(self.batches, verbose=0, return_dict=True)
        logs.update({f"train_eval_{name}": value for name, value in measured.items()})


class DivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class StopOnNonFinite(keras.callbacks.Callback):
    """Stops the run at the step at which the running loss stops being finite."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the epoch for the message."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Raises DivergedError."""
        if not math.isfinite(logs["loss"]):
            step = self.batches.taken + batch + 1
            raise DivergedError(
                f"the loss became {logs['loss']} at step {step} of epoch {self.epoch + 1}: "
                "a smaller learning_rate may help"
            )


class Progress(keras.callbacks.Callback):
    """A progress bar for the whole run, with its time to go; silent where stderr is no terminal.

    Args:
        title: what stands before the bar.
        epochs: of the run.
        steps: of an epoch.
        done: steps that the run has taken before.
    """

    def __init__(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        super().__init__()
        self.bar = tqdm(
            total=epochs * steps,
            initial=done,
            desc=title,
            unit="step",
            disable=None,
            dynamic_ncols=True,
        )
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Says which epoch runs."""
        self.bar.set_postfix_str(f"epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """One step on."""
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shows the losses of the epoch that ended."""
        self.bar.set_postfix_str(f"loss {logs['loss']:.4f}, val_loss {logs['val_loss']:.4f}")


class Stopwatch(keras.callbacks.Callback):
    """Wall-clock seconds of a run and of each of its epochs, evaluations included, and CPU seconds.

    `state` says where it stands, in plain values. A stopwatch that is set to one goes on from it,
    so that of a resumed run the parts are added up.
    """

    def __init__(self) -> None:
        super().__init__()
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.state = {"started": started, "total": 0.0, "cpu": 0.0, "per_epoch": [], "epoch": 0.0}

    @property
    def state(self) -> dict:
        """Start, seconds in all and of CPU, of each complete epoch, and of the one that runs."""
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
        """As a record has them: in all, of CPU, and of each epoch."""
        state = self.state
        return {name: round(state[name], 3) for name in ("total", "cpu")} | {
            "per_epoch": state["per_epoch"]
        }

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reads the clock."""
        now = time.perf_counter()
        self.per_epoch.append(round(now - self._epoch, 3))
        self._epoch = now
