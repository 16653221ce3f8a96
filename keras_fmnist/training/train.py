"""Trains a run: `train_run` is the one training function of all experiments."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_fmnist import data, files
from keras_fmnist.backends import find_device
from keras_fmnist.models import networks, weights
from keras_fmnist.records import provenance
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.record import Record, find_record
from keras_fmnist.records.run import NATIVE, RUNS, Run
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, settings
from keras_fmnist.training import checkpoint_file, tracking
from keras_fmnist.training.callbacks import (
    DeadLogits,
    DivergedError,
    Progress,
    SeedEachEpoch,
    StopOnNonFinite,
    Stopwatch,
    TrainingCurve,
)
from keras_fmnist.training.checkpoint import Checkpoint, identify_run
from keras_fmnist.training.compile import compile_model
from keras_fmnist.training.evaluation import DataSets, make_data_sets, measure_model

Fit = Callable[[keras.Model, Run, DataSets, Checkpoint], None]


@dataclass(frozen=True)
class Options:
    """How a run is carried out; only `fast` and `deterministic` may change its last bits.

    Args:
        force: train again even if there is a record, and replace it.
        track: mlflow or tensorboard, to follow the training there (see `tracking`).
        resume: continue a run that was interrupted, with the same result to the last bit.
        checkpoint_every: save after every so many steps, not only at the end of an epoch.
        fast: on torch, replay traced steps (see `fast_fit`) instead of running Keras's.
        deterministic: whether `backends.use_deterministic_kernels` has been called.

    Example:
        >>> Options(resume=True, checkpoint_every=100)
    """

    force: bool = False
    track: str | None = None
    resume: bool = False
    checkpoint_every: int | None = None
    fast: bool = True
    deterministic: bool = False

    @property
    def modes(self) -> dict[str, bool]:
        """The options that decide the last bits of the result."""
        return {"fast": self.fast, "deterministic": self.deterministic}

    def for_autoencoder(self) -> "Options":
        """Returns the options for a classifier's autoencoder: never `force`, always `resume`."""
        return Options(
            track=self.track, resume=True, checkpoint_every=self.checkpoint_every, **self.modes
        )


def train_run(
    run: Run,
    out: Path | str = RUNS,
    options: Options | None = None,
    dataset: data.Dataset | None = None,
    fit: Fit | None = None,
) -> Record:
    """Trains a run and writes its record and weights under `out`.

    If the record is there already, it is read and nothing is trained. Before a classifier, the
    autoencoder that its spec names is trained with the same seed, resumed, or reused. If another
    process is training the same run, this one waits for it.

    Args:
        run: the experiment, its seed, and the backend and device of this process.
        out: the folder that holds `<report>/<experiment>/`.
        options: default: `Options()`.
        dataset: default: Fashion-MNIST.
        fit: trains the compiled model in place of Keras, see `pytorch.train`.

    Returns:
        The record.

    Raises:
        SpecError: `out` holds this run with other settings; the run was interrupted and
            `options.resume` is not set; `run.examples` is more than there are images; or the run
            is for another backend or device than those of this process.
        DivergedError: the loss became NaN or infinite.
        KeyboardInterrupt: Ctrl-C or SIGTERM arrived; the run is saved and can be resumed.

    Example:
        >>> from experiments.mansilla import BASE
        >>> run = Run(BASE, seed=0, backend="torch", device="cpu", examples=1000)
        >>> record = train_run(run, "runs", Options(resume=True))
        >>> record.metrics["val_loss"]
        >>> run.files("runs").weights  # the trained weights
    """
    options = options or Options()
    _check_run(run, len(dataset.train_images) if dataset else TRAIN_IMAGES, fit)
    paths = run.files(out)
    if not options.force and not paths.checkpoint.exists() and (record := find_record(run, out)):
        return record
    dataset = dataset or data.load()
    encoder = _train_encoder(run.needs, out, options, dataset, fit) if run.needs else None
    with _lock(run, paths.lock):
        files.remove_leftovers(paths.record)
        if options.force and not options.resume:
            files.remove(paths.checkpoint)
        if not options.force:
            checkpoint_file.refuse(paths, run.spec, options.resume)
            if record := find_record(run, out):
                files.remove(paths.checkpoint)
                return record
        model = _prepare_model(run, encoder, options)
        checkpoint = Checkpoint(paths.checkpoint, options.checkpoint_every)
        sets = make_data_sets(run, dataset)
        initial = weights.get_arrays(model)
        identity = identify_run(run, dataset.sha256, initial, options.modes)
        checkpoint.begin(model, sets.train, Stopwatch(), identity)
        try:
            if fit is None:
                _fit_model(model, run, sets, checkpoint, tracked=(options.track, out))
            else:
                fit(model, run, sets, checkpoint)
        except DivergedError:
            files.remove(paths.checkpoint)  # it would diverge again
            raise
        final = weights.get_arrays(model)
        _check_encoder(run, initial, final)
        measured = measure_model(model, run, sets, checkpoint.history.history, dataset)
        record = _make_record(run, model, checkpoint, options, dataset.sha256, (initial, final))
        record = Record(**record, **measured)
        files.remove(paths.record)  # so that no record ever has other weights beside it
        weights.save(paths.weights, final)
        write_dataclass(paths.record, record)
        files.remove(paths.checkpoint)
    return record


def _check_run(run, available, fit):
    if not 1 <= run.examples <= available:
        raise SpecError(
            f"examples must be a whole number from 1 to {available}, not {run.examples}"
        )
    if (run.backend == NATIVE) != (fit is not None):
        raise SpecError(f"{run.title} on {run.backend}: pytorch.train trains what is on {NATIVE}")
    here = keras.backend.backend(), find_device()
    if (run.keras_backend, run.device) != here:
        raise SpecError(
            f"{run.title} is for {run.backend} on {run.device}, but this process uses "
            f"{' on '.join(here)}"
        )


@contextlib.contextmanager
def _lock(run, path) -> Iterator[None]:
    """Locks the run for this process, and says so if it has to wait."""
    waiting = f"{run.title}: waiting for the process that is running it"
    with files.lock(path, lambda: print(waiting, file=sys.stderr, flush=True)):
        yield


def _train_encoder(run, out, options, dataset, fit):
    """Trains an autoencoder, unless that is done, and returns the weights of its encoder."""
    record = train_run(run, out, options.for_autoencoder(), dataset, fit)
    arrays = weights.load(run.files(out).weights, record.weights_sha256["final"])
    return weights.select(arrays, "encoder")


def _prepare_model(run, encoder, options):
    """Builds and compiles the model of a run, with its initial weights."""
    model = networks.build(run.spec, run.seed)
    if encoder:
        weights.set_arrays(model.get_layer("encoder"), encoder)
    compile_model(model, run.spec, options.fast)
    return model


def _fit_model(model, run, sets: DataSets, checkpoint, tracked):
    """Fits a compiled model from the checkpoint to the last epoch."""
    track, out = tracked
    done = checkpoint.epoch * sets.train.steps + checkpoint.step
    progress = Progress(run.title, run.spec.epochs, sets.train.steps, done)
    follow = tracking.follow(track, run, out, checkpoint.stopwatch.started)
    with progress.bar, checkpoint.stop_request, follow as trackers:
        for first, end in checkpoint.spans(run.spec.epochs):
            model.fit(
                sets.train,
                initial_epoch=first,
                epochs=end,
                validation_data=sets.val,
                shuffle=False,  # SeedEachEpoch shuffles
                verbose=0,
                callbacks=[
                    SeedEachEpoch(sets.train, run.seed),
                    TrainingCurve(sets.train_eval),
                    *([DeadLogits(sets.val)] if run.spec.clips_logits else []),
                    StopOnNonFinite(sets.train),
                    progress,
                    checkpoint.history,
                    checkpoint.stopwatch,
                    *trackers,
                    checkpoint,
                ],
            )


def _check_encoder(run, initial, final):
    """Raises RuntimeError if a frozen encoder has other weights than before the training."""
    if not (run.spec.is_classifier and run.spec.frozen):
        return
    before, after = (weights.digest(weights.select(a, "encoder")) for a in (initial, final))
    if before != after:
        raise RuntimeError(f"{run.spec.id}: the frozen encoder has changed")


def _make_record(run, model, checkpoint, options, data_sha256, arrays):
    """Returns the fields of a record that say what was run, on what, and how it went."""
    initial, final = arrays
    return {
        "report": run.spec.report,
        "experiment": run.spec.name,
        "spec": settings(run.spec),
        "seed": run.seed,
        "examples": run.examples,
        "backend": run.backend,
        "device": run.device,
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "command": run.command(options.deterministic),
        "started": checkpoint.stopwatch.started,
        "seconds": checkpoint.stopwatch.seconds,
        "parameters": {
            "total": model.count_params(),
            "trainable": sum(int(np.prod(v.shape)) for v in model.trainable_weights),
        },
        "data_sha256": data_sha256,
        "weights_sha256": {
            "initial": weights.digest(initial),
            "final": weights.digest(final),
            "encoder_initial": weights.digest(weights.select(initial, "encoder")),
            "encoder_final": weights.digest(weights.select(final, "encoder")),
        },
        "history": checkpoint.history.history,
        "resumed_at": checkpoint.resumed_at,
    }
