"""A training followed in MLflow or TensorBoard: Keras callbacks that write to local files.

No server runs, and nothing is sent anywhere. To look at it:

    mlflow ui --backend-store-uri sqlite:///runs/mlflow.db
    tensorboard --logdir runs/tensorboard
"""

import contextlib
import logging
import os
import time
from pathlib import Path

import keras

from keras_fmnist.specs import settings


class Tracker(keras.callbacks.Callback):
    """Hands the numbers of every epoch on."""

    def __init__(self, log):
        super().__init__()
        self.log = log

    def on_epoch_end(self, epoch, logs=None):
        """Epochs count from 1, as in the figures."""
        self.log(epoch + 1, {name: float(value) for name, value in logs.items()})


@contextlib.contextmanager
def follow(track, spec, seed, out, name):
    """The callbacks that track a run, for as long as it lasts; none where `track` is None.

    A run that goes on after an interruption is another one there; its epochs count on.

    Args:
        track: mlflow, tensorboard, or None.
        spec: the spec of the run.
        seed: its seed.
        out: the folder of the runs, which holds `mlflow.db` or `tensorboard/`.
        name: of the run, such as seed0-torch-cpu.
    """
    if track is None:
        yield []
        return
    opened = {"mlflow": _mlflow, "tensorboard": _tensorboard}[track]
    with opened(spec, seed, Path(out), name) as log:
        yield [Tracker(log)]


@contextlib.contextmanager
def _mlflow(spec, seed, out, name):
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(f"sqlite:///{(out / 'mlflow.db').absolute()}")
    experiment = client.get_experiment_by_name(spec.id)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(spec.id)
    run = client.create_run(experiment_id, run_name=name).info.run_id
    params = [Param(key, str(value)) for key, value in _flat(settings(spec) | {"seed": seed})]
    client.log_batch(run, params=params)

    def log(epoch, numbers):
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, epoch) for key, value in numbers.items()]
        client.log_batch(run, metrics=metrics)

    status = "FAILED"
    try:
        yield log
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        client.set_terminated(run, status)


@contextlib.contextmanager
def _tensorboard(spec, seed, out, name):
    from tensorboard.summary import Writer

    # A folder for each start: two curves in one would be drawn as one.
    started = time.strftime("%Y%m%d-%H%M%S")
    writer = Writer(str(out / "tensorboard" / spec.id / f"{name}-{started}"))

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
