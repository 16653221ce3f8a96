"""A training followed in MLflow or TensorBoard: Keras callbacks that write to local files.

No server runs, and nothing is sent anywhere. To look at it:

    mlflow ui --backend-store-uri sqlite:///runs/mlflow.db
    tensorboard --logdir runs/tensorboard

A run that was interrupted and goes on is one run there, and its curves are whole. In MLflow it was
KILLED (or, where it could not say so, is still RUNNING) and is RUNNING again; in TensorBoard its
folder gets a second file of events. An epoch that was told and then not saved is told again, with
the same numbers. If the first start was not tracked, the curves begin where the second went on.
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
    """Hands the numbers of every epoch on."""

    def __init__(self, log: Callable[[int, dict[str, float]], None]) -> None:
        super().__init__()
        self.log = log

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Epochs count from 1, as in the figures."""
        self.log(epoch + 1, {name: float(value) for name, value in logs.items()})


@contextlib.contextmanager
def follow(track: str | None, run: "Run", out: Path | str, started: str) -> Iterator[list[Tracker]]:
    """The callbacks that track a run, for as long as it lasts; none where `track` is None.

    They only read: what is trained is the same to the last bit.

    Args:
        track: mlflow, tensorboard, or None.
        run: what is trained.
        out: the folder of the runs, which holds `mlflow.db` or `tensorboard/`.
        started: ISO time of its first start, which tells it from others of that name.

    Raises:
        RuntimeError: MLflow cannot use its database, such as a damaged one.
    """
    if track is None:
        yield []
        return
    opened = {"mlflow": _mlflow, "tensorboard": _tensorboard}[track]
    first = started[:19].replace(":", "")  # to the second, in UTC; a colon is no letter of a path
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
    """Has an error name the database: MLflow's, SQLAlchemy's and Alembic's share no class."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"{database}: MLflow cannot use it ({error})") from None


def _mlflow_run(client, experiment, name):
    """The id of the run of that name, which goes on, or of a new one."""
    found = client.get_experiment_by_name(experiment)
    experiment_id = found.experiment_id if found else client.create_experiment(experiment)
    there = client.search_runs([experiment_id], f"attributes.run_name = '{name}'", max_results=1)
    if not there:
        return client.create_run(experiment_id, run_name=name).info.run_id
    client.update_run(there[0].info.run_id, "RUNNING")
    return there[0].info.run_id


@contextlib.contextmanager
def _tensorboard(spec, seed, out, name):
    # TensorBoard's own switch: else it imports TensorFlow where that is installed, for seconds.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
    from tensorboard.summary import Writer

    writer = Writer(str(out / "tensorboard" / spec.id / name))

    def log(epoch, numbers):
        for key, value in numbers.items():
            writer.add_scalar(key, value, epoch)
        writer.flush()  # whoever watches sees the epoch now

    with contextlib.closing(writer):
        yield log


def _flat(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}_")
        else:
            yield f"{prefix}{key}", value
