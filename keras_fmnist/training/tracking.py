"""Tracks a training in MLflow or TensorBoard, in local files.

No server runs, and nothing is sent anywhere. To look at the curves:

    mlflow ui --backend-store-uri sqlite:///runs/mlflow.db
    tensorboard --logdir runs/tensorboard

A run that was interrupted and resumed is one run there, with complete curves. In MLflow an
interrupted run is KILLED, or still RUNNING if it had no time to say so, and becomes RUNNING when it
is resumed. In TensorBoard its folder gets a second file of events. An epoch that was logged but not
saved is logged again, with the same numbers. If only the second start was tracked, the curves begin
at the epoch that it resumed.
"""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import keras

from keras_fmnist.specs import settings

if TYPE_CHECKING:
    from keras_fmnist.records.run import Run


class Tracker(keras.callbacks.Callback):
    """Logs the numbers of every epoch.

    Args:
        log: called with the epoch, from 1 on, and its numbers by name.
    """

    def __init__(self, log: Callable[[int, dict[str, float]], None]) -> None:
        super().__init__()
        self.log = log

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Logs the epoch; epochs count from 1, as in the figures."""
        self.log(epoch + 1, {name: float(value) for name, value in logs.items()})


@contextlib.contextmanager
def follow(track: str | None, run: "Run", out: Path | str, started: str) -> Iterator[list[Tracker]]:
    """A context with the callbacks that track a run; an empty list if `track` is None.

    Tracking does not change the result by a bit.

    Args:
        track: mlflow, tensorboard, or None.
        run: the run.
        out: the folder of the runs, in which `mlflow.db` or `tensorboard/` is kept.
        started: ISO time of its first start, part of the name under which it is tracked.

    Raises:
        RuntimeError: MLflow cannot use its database, for example because it is damaged.
    """
    if track is None:
        yield []
        return
    opened = {"mlflow": _mlflow, "tensorboard": _tensorboard}[track]
    first = started[:19].replace(":", "")  # to the second, in UTC; no colons in a path
    name = f"{run.files(out).record.stem}-{first}"
    with opened(run.spec, run.seed, Path(out), name) as log:
        yield [Tracker(log)]


@contextlib.contextmanager
def _mlflow(spec, seed, out, name):
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    database = (out / "mlflow.db").absolute()
    params = [Param(key, str(value)) for key, value in _flat(settings(spec) | {"seed": seed})]
    with _naming(database):
        client = MlflowClient(f"sqlite:///{database}")
        run = _mlflow_run(client, spec.id, name)
        client.log_batch(run, params=params)

    def log(epoch, numbers):
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, epoch) for key, value in numbers.items()]
        with _naming(database):
            client.log_batch(run, metrics=metrics)

    status = "FAILED"
    try:
        yield log
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        with _naming(database):
            client.set_terminated(run, status)


@contextlib.contextmanager
def _naming(database):
    """Adds the database to any error: those of MLflow, SQLAlchemy and Alembic share no class."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"{database}: MLflow cannot use it ({error})") from None


def _mlflow_run(client, experiment, name):
    """Returns the id of the run of that name, which is resumed, or of a new run."""
    found = client.get_experiment_by_name(experiment)
    experiment_id = found.experiment_id if found else client.create_experiment(experiment)
    there = client.search_runs([experiment_id], f"attributes.run_name = '{name}'", max_results=1)
    if not there:
        return client.create_run(experiment_id, run_name=name).info.run_id
    client.update_run(there[0].info.run_id, "RUNNING")
    return there[0].info.run_id


@contextlib.contextmanager
def _tensorboard(spec, seed, out, name):
    # TensorBoard's own switch against importing TensorFlow, which would take seconds.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
    from tensorboard.summary import Writer

    writer = Writer(str(out / "tensorboard" / spec.id / name))

    def log(epoch, numbers):
        for key, value in numbers.items():
            writer.add_scalar(key, value, epoch)
        writer.flush()  # so that TensorBoard shows the epoch now

    with contextlib.closing(writer):
        yield log


def _flat(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}_")
        else:
            yield f"{prefix}{key}", value
