"""One training function for every experiment: `run`. The only `compile` and the only `fit`."""

import datetime
import time

import keras
import numpy as np

from keras_fmnist import baselines, data, models, provenance, results, weights
from keras_fmnist.callbacks import (
    EVALUATION_BATCH,
    Batches,
    EpochSeconds,
    Progress,
    SeedEachEpoch,
    StopOnNonFinite,
    TrainingCurve,
    scale,
)
from keras_fmnist.optimizers import PyTorchAdam
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import CLASSES, TRAIN_IMAGES, ClassifierSpec, command, settings


def run(spec, seed=0, out=results.RUNS, *, examples=None, force=False, fast=True, dataset=None):
    """Trains an experiment once and leaves its record and its weights under `out`.

    A run that is already there is read, not repeated. A classifier first trains, or reuses, the
    autoencoder that its spec names, with the same seed.

    Args:
        spec: an `AutoencoderSpec` or a `ClassifierSpec`.
        seed: initial weights, order and dropout follow from it.
        out: the folder that holds `<report>/<experiment>/`.
        examples: train on the first so many images only, for a quick look.
        force: train again what is there, and replace it.
        fast: on torch, replay traced steps (see `fast_fit`) rather than run Keras's own.
        dataset: a `data.Dataset`; the real one where none is given.

    Returns:
        The `results.Record`.

    Raises:
        SpecError: `out` holds this run with other settings, or `examples` are more than there are.
        DivergedError: the loss became NaN or infinite.
    """
    available = len(dataset.train_images) if dataset else TRAIN_IMAGES
    examples = available if examples is None else examples
    if not 1 <= examples <= available:
        raise SpecError(f"examples must be a whole number from 1 to {available}, not {examples}")
    path = results.run_path(out, spec.id, seed, keras.backend.backend(), device())
    if not force and (record := results.find(path, spec, examples)):
        return record
    dataset = dataset or data.load()
    model = models.build(spec, seed)
    if isinstance(spec, ClassifierSpec) and spec.pretrained:
        _load_pretrained(model, spec, seed, out, examples, fast, dataset)
    compile_model(model, spec, fast)
    record, arrays = _train(model, spec, seed, examples, dataset)
    weights.save(results.weights_path(path), arrays)
    results.write(path, record)
    return record


def device():
    """`gpu` or `cpu`: where the backend puts its tensors."""
    if keras.backend.backend() == "torch":
        return "gpu" if keras.ops.zeros(1).device.type == "cuda" else "cpu"
    return "gpu" if keras.distribution.list_devices()[0].startswith("gpu") else "cpu"


def _load_pretrained(model, spec, seed, out, examples, fast, dataset):
    """Gives a classifier the encoder of its autoencoder, which is trained first where need be."""
    record = run(spec.autoencoder, seed, out, examples=examples, fast=fast, dataset=dataset)
    path = results.run_path(out, record.id, seed, record.backend, record.device)
    arrays = weights.load(results.weights_path(path), record.weights_sha256["final"])
    weights.set_arrays(model.get_layer("encoder"), weights.part(arrays, "encoder"))


def _train(model, spec, seed, examples, dataset):
    """Fits a compiled model; returns its record and its weights."""
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    is_classifier = isinstance(spec, ClassifierSpec)
    images = dataset.train_images[:examples]
    labels = dataset.train_labels[:examples] if is_classifier else None
    test_labels = dataset.test_labels if is_classifier else None
    batches = Batches(images, labels, spec.batch_size, spec.darkest, seed)
    again = Batches(images, labels, EVALUATION_BATCH, spec.darkest)
    test = Batches(dataset.test_images, test_labels, EVALUATION_BATCH, spec.darkest)
    initial = weights.get_arrays(model)

    seconds = EpochSeconds()
    fitted = model.fit(
        batches,
        epochs=spec.epochs,
        validation_data=test,
        shuffle=False,  # SeedEachEpoch shuffles
        verbose=0,
        callbacks=[
            SeedEachEpoch(batches, seed),
            TrainingCurve(again),
            StopOnNonFinite(),
            Progress(f"{spec.id} seed {seed}", spec.epochs, len(batches)),
            seconds,
        ],
    )
    history = {name: [float(value) for value in curve] for name, curve in fitted.history.items()}
    if history:
        metrics = {name: curve[-1] for name, curve in history.items()}
    else:
        metrics = _evaluate(model, train_eval=again, val=test)
    final = weights.get_arrays(model)
    _check_encoder(spec, initial, final)
    outcome = (
        _classify(model, test, dataset.test_labels)
        if is_classifier
        else _reconstruct(model, spec, images, dataset)
    )
    metrics |= outcome.pop("metrics", {})
    record = results.Record(
        report=spec.report,
        experiment=spec.name,
        spec=settings(spec),
        seed=seed,
        examples=examples,
        backend=keras.backend.backend(),
        device=device(),
        versions=provenance.versions(),
        commit=provenance.commit(),
        command=command(spec, seed, device(), None if examples == TRAIN_IMAGES else examples),
        started=started.isoformat(timespec="seconds"),
        seconds={
            "total": round(time.perf_counter() - clock, 3),
            "per_epoch": seconds.seconds,
        },
        parameters={
            "total": model.count_params(),
            "trainable": sum(int(np.prod(v.shape)) for v in model.trainable_weights),
        },
        data_sha256=dataset.sha256,
        weights_sha256={
            "initial": weights.digest(initial),
            "final": weights.digest(final),
            "encoder_initial": weights.digest(weights.part(initial, "encoder")),
            "encoder_final": weights.digest(weights.part(final, "encoder")),
        },
        history=history,
        metrics=metrics,
        **outcome,
    )
    return record, final


def compile_model(model, spec, fast=True):
    """Compiles a model with the optimiser, the loss and the metrics of its spec."""
    if spec.optimizer == "adam":
        optimizer = PyTorchAdam(spec.learning_rate)
    else:
        optimizer = keras.optimizers.SGD(spec.learning_rate, momentum=spec.momentum)
    metrics = ["accuracy"] if isinstance(spec, ClassifierSpec) else None
    model.compile(optimizer, loss_of(spec), metrics=metrics)
    if fast and keras.backend.backend() == "torch":
        from keras_fmnist import fast_fit  # it imports torch

        fast_fit.accelerate(model)


def loss_of(spec):
    """Cross entropy on logits for a classifier, mean squared error for an autoencoder."""
    if isinstance(spec, ClassifierSpec):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.MeanSquaredError()


def _check_encoder(spec, initial, final):
    """A frozen encoder must end as it began; a published work of this course did not look."""
    moved = weights.digest(weights.part(initial, "encoder")) != weights.digest(
        weights.part(final, "encoder")
    )
    if isinstance(spec, ClassifierSpec) and spec.frozen and moved:
        raise RuntimeError(f"{spec.id}: the frozen encoder moved")


def _evaluate(model, **batches):
    return {
        f"{prefix}_{name}": value
        for prefix, images in batches.items()
        for name, value in model.evaluate(images, verbose=0, return_dict=True).items()
    }


def _classify(model, test, labels):
    """The confusion matrix of every test image, and how many logits never leave zero."""
    logits = model.predict(test, verbose=0)
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    dead = int((logits == 0).all(axis=0).sum())  # open question 6: a ReLU can silence a class
    return {"confusion_matrix": counts.tolist(), "metrics": {"dead_logits": dead}}


def _reconstruct(model, spec, images, dataset):
    """Ten test images, the first of each class, and what autoencoder and PCA make of them."""
    rows = [int(np.argmax(dataset.test_labels == label)) for label in range(CLASSES)]
    originals = dataset.test_images[rows]
    rebuilt = model(scale(originals, spec.darkest), training=False)
    rebuilt = (keras.ops.convert_to_numpy(rebuilt) - spec.darkest) / (1 - spec.darkest)
    losses, by_pca = baselines.measure(images, dataset.test_images, spec.code_size, spec.darkest)
    return {
        "metrics": losses,
        "images": {
            "test_rows": rows,
            "originals": results.pack_images(scale(originals, 0.0)),
            "reconstructions": results.pack_images(rebuilt),
            "pca": results.pack_images(by_pca[rows]),
        },
    }
