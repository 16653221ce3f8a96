"""One training function for every experiment: `run`. The only `compile` and the only `fit`."""

import functools
import sys
from pathlib import Path

import keras
import numpy as np

from keras_fmnist import data, files
from keras_fmnist.backends import find_device
from keras_fmnist.data.batches import EVALUATION_BATCH, Batches
from keras_fmnist.models import networks, weights
from keras_fmnist.records import provenance
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.record import Record, find_record, locate_record
from keras_fmnist.records.run import (
    RUNS,
    checkpoint_path,
    lock_path,
    run_command,
    run_path,
    weights_path,
)
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec, settings
from keras_fmnist.training import checkpoint, checkpoint_file, evaluation, tracking
from keras_fmnist.training.callbacks import (
    DivergedError,
    Progress,
    SeedEachEpoch,
    StopOnNonFinite,
    Stopwatch,
    TrainingCurve,
)
from keras_fmnist.training.compile import compile_model


def run(
    spec: AutoencoderSpec | ClassifierSpec,
    seed: int = 0,
    out: Path | str = RUNS,
    *,
    examples: int | None = None,
    force: bool = False,
    track: str | None = None,
    resume: bool = False,
    checkpoint_every: int | None = None,
    fast: bool = True,
    deterministic: bool = False,
    dataset: data.Dataset | None = None,
) -> Record:
    """Trains an experiment once and leaves its record and its weights under `out`.

    A run that is already there is read, not repeated. A classifier first trains, goes on with, or
    reuses the autoencoder that its spec names, with the same seed. Of two processes with the same
    run the second waits.

    Args:
        spec: an `AutoencoderSpec` or a `ClassifierSpec`.
        seed: initial weights, order and dropout follow from it.
        out: the folder that holds `<report>/<experiment>/`.
        examples: train on the first so many images only, for a quick look.
        force: train again what is there, and replace it.
        track: mlflow or tensorboard, to follow the training there (see `tracking`).
        resume: go on where the run was interrupted, with the same result to the last bit.
        checkpoint_every: steps of an epoch after which to save; else at its end alone.
        fast: on torch, replay traced steps (see `fast_fit`) rather than run Keras's own.
        deterministic: `seeds.use_deterministic_kernels` has been called.
        dataset: a `data.Dataset`; the real one where none is given.

    Returns:
        The `results.Record`.

    Raises:
        SpecError: `out` holds this run with other settings, finished or not, or interrupted where
            `resume` does not say to go on; or `examples` are more than there are.
        DivergedError: the loss became NaN or infinite.
        KeyboardInterrupt: Ctrl-C or SIGTERM came; `resume` goes on.
    """
    available = len(dataset.train_images) if dataset else TRAIN_IMAGES
    examples = available if examples is None else examples
    if not 1 <= examples <= available:
        raise SpecError(f"examples must be a whole number from 1 to {available}, not {examples}")
    path = run_path(out, spec.id, seed, keras.backend.backend(), find_device())
    saved = checkpoint_path(path)
    if not force and not saved.exists() and (record := find_record(path, spec, examples)):
        return record
    dataset = dataset or data.load()
    modes = {"fast": fast, "deterministic": deterministic}
    encoder = None
    if isinstance(spec, ClassifierSpec) and spec.pretrained:
        same = {"examples": examples, "checkpoint_every": checkpoint_every, "dataset": dataset}
        encoder = _pretrain(spec.autoencoder, seed, out, track=track, **same, **modes)
    waiting = f"{spec.id} seed {seed}: waiting for the process that is running it"
    with files.lock(lock_path(path), lambda: print(waiting, file=sys.stderr, flush=True)):
        files.remove_leftovers(path)
        if force and not resume:
            files.remove(saved)
        if not force:
            checkpoint_file.refuse(saved, path, spec, resume)
            if record := find_record(path, spec, examples):
                files.remove(saved)
                return record
        model = networks.build(spec, seed)
        if encoder:
            weights.set_arrays(model.get_layer("encoder"), encoder)
        compile_model(model, spec, fast)
        kept = checkpoint.Checkpoint(saved, checkpoint_every)
        follow = functools.partial(tracking.follow, track, spec, seed, out, path.stem)
        try:
            record, arrays = _train(model, spec, seed, examples, dataset, kept, modes, follow)
        except DivergedError:
            files.remove(saved)  # it would diverge again
            raise
        files.remove(path)  # a record has its own weights beside it at every instant
        weights.save(weights_path(path), arrays)
        write_dataclass(path, record)
        files.remove(saved)
    return record


def _pretrain(autoencoder, seed, out, **same):
    """The encoder's weights after its autoencoder's training, which is run where need be."""
    record = run(autoencoder, seed, out, resume=True, **same)
    path = weights_path(locate_record(out, record))
    arrays = weights.load(path, record.weights_sha256["final"])
    return weights.select(arrays, "encoder")


def _train(model, spec, seed, examples, dataset, kept, modes, follow):
    """Fits a compiled model from where it was saved; returns its record and its weights."""
    stopwatch = Stopwatch()
    is_classifier = isinstance(spec, ClassifierSpec)
    images = dataset.train_images[:examples]
    labels = dataset.train_labels[:examples] if is_classifier else None
    test_labels = dataset.test_labels if is_classifier else None
    batches = Batches(images, labels, spec.batch_size, spec.darkest, seed)
    again = Batches(images, labels, EVALUATION_BATCH, spec.darkest)
    test = Batches(dataset.test_images, test_labels, EVALUATION_BATCH, spec.darkest)
    initial = weights.get_arrays(model)
    same = checkpoint.identity(
        spec, seed, examples, dataset.sha256, initial, find_device(), **modes
    )
    kept.begin(model, batches, stopwatch, same)
    done = kept.epoch * batches.steps + kept.step
    progress = Progress(f"{spec.id} seed {seed}", spec.epochs, batches.steps, done)
    with progress.bar, kept.wish, follow(stopwatch.started) as trackers:
        for first, end in kept.spans(spec.epochs):
            model.fit(
                batches,
                initial_epoch=first,
                epochs=end,
                validation_data=test,
                shuffle=False,  # SeedEachEpoch shuffles
                verbose=0,
                callbacks=[
                    SeedEachEpoch(batches, seed),
                    TrainingCurve(again),
                    StopOnNonFinite(batches),
                    progress,
                    kept.history,
                    stopwatch,
                    *trackers,
                    kept,
                ],
            )
    history = kept.history.history
    metrics = {name: curve[-1] for name, curve in history.items()}
    if not metrics:  # untrained
        metrics = evaluation.evaluate(model, train_eval=again, val=test)
    final = weights.get_arrays(model)
    _check_encoder(spec, initial, final)
    if is_classifier:
        found = evaluation.classify(model, test, dataset.test_labels)
    else:
        found = evaluation.reconstruct(model, spec, images, dataset)
    metrics |= found.pop("metrics", {})
    record = Record(
        report=spec.report,
        experiment=spec.name,
        spec=settings(spec),
        seed=seed,
        examples=examples,
        backend=keras.backend.backend(),
        device=find_device(),
        versions=provenance.versions(),
        commit=provenance.commit(),
        command=run_command(
            spec,
            seed,
            find_device(),
            examples=None if examples == TRAIN_IMAGES else examples,
            deterministic=modes["deterministic"],
        ),
        started=stopwatch.started,
        seconds=stopwatch.seconds,
        parameters={
            "total": model.count_params(),
            "trainable": sum(int(np.prod(v.shape)) for v in model.trainable_weights),
        },
        data_sha256=dataset.sha256,
        weights_sha256={
            "initial": weights.digest(initial),
            "final": weights.digest(final),
            "encoder_initial": weights.digest(weights.select(initial, "encoder")),
            "encoder_final": weights.digest(weights.select(final, "encoder")),
        },
        history=history,
        metrics=metrics,
        resumed_at=kept.resumed_at,
        **found,
    )
    return record, final


def _check_encoder(spec, initial, final):
    """A frozen encoder must end as it began; a published work of this course did not look."""
    began, ended = (weights.digest(weights.select(a, "encoder")) for a in (initial, final))
    if isinstance(spec, ClassifierSpec) and spec.frozen and began != ended:
        raise RuntimeError(f"{spec.id}: the frozen encoder moved")
