"""Measures a trained model: metrics, confusion matrix, reconstructions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_fmnist.data.batches import EVALUATION_BATCH, Batches
from keras_fmnist.data.pixels import scale_pixels, unscale_pixels
from keras_fmnist.models import baselines
from keras_fmnist.records.images import pack_images
from keras_fmnist.specs import CLASSES, AutoencoderSpec
from keras_fmnist.training.callbacks import count_dead_logits

PROBED = 20_000  # training images: the widest code has 2400 numbers, 192 MB

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset
    from keras_fmnist.records.run import Run


@dataclass(frozen=True)
class DataSets:
    """The images of a run as batches.

    Attributes:
        train: the training images, shuffled by the seed.
        train_eval: the same images in their original order, for evaluation.
        val: the test images, which both reports use for validation.
    """

    train: Batches
    train_eval: Batches
    val: Batches


def make_data_sets(run: "Run", dataset: "Dataset") -> DataSets:
    """Makes the batches of a run; targets are labels for a classifier, else the images."""
    images = dataset.train_images[: run.examples]
    labels = dataset.train_labels[: run.examples] if run.spec.is_classifier else None
    test_labels = dataset.test_labels if run.spec.is_classifier else None
    pixel_min = run.spec.pixel_min
    return DataSets(
        train=Batches(images, labels, run.spec.batch_size, pixel_min, run.seed),
        train_eval=Batches(images, labels, EVALUATION_BATCH, pixel_min),
        val=Batches(dataset.test_images, test_labels, EVALUATION_BATCH, pixel_min),
    )


def measure_model(
    model: keras.Model,
    run: "Run",
    sets: DataSets,
    history: dict[str, list[float]],
    dataset: "Dataset",
) -> dict:
    """Measures what a record says of a trained model.

    Args:
        model: the model after the last epoch.
        run: its run.
        sets: the batches of the run.
        history: one number an epoch; the last ones become the metrics.
        dataset: the data set; its test images are classified or reconstructed.

    Returns:
        The record's fields `metrics`, and `confusion_matrix` or `images`.
    """
    metrics = {name: curve[-1] for name, curve in history.items()}
    if not metrics:  # untrained
        metrics = evaluate(model, train_eval=sets.train_eval, val=sets.val)
    if run.spec.is_classifier:
        found = classify(model, sets.val, dataset.test_labels)
        found["metrics"] |= probe_encoder(model.get_layer("encoder"), sets, run, dataset)
    else:
        found = reconstruct(model, run.spec, dataset.train_images[: run.examples], dataset)
    return found | {"metrics": metrics | found["metrics"]}


def evaluate(model: keras.Model, **batches: Batches) -> dict[str, float]:
    """Evaluates a model on sets of images: `{"<set>_loss": …}` and so on."""
    return {
        f"{prefix}_{name}": value
        for prefix, images in batches.items()
        for name, value in model.evaluate(images, verbose=0, return_dict=True).items()
    }


def classify(model: keras.Model, test: Batches, labels: np.ndarray) -> dict:
    """Counts the confusion matrix of the test images, and the logits that are always zero."""
    logits = model.predict(test, verbose=0)
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    dead = count_dead_logits(logits)
    return {"confusion_matrix": counts.tolist(), "metrics": {"dead_logits": dead}}


def probe_encoder(
    encoder: keras.Model, sets: DataSets, run: "Run", dataset: "Dataset"
) -> dict[str, float]:
    """Measures what the codes of a classifier's encoder are worth without its head.

    Returns:
        `probe_accuracy`, of a ridge classifier on the codes of the first 20 000 training images,
        on the test images; and `dead_latents`, the numbers that are 0 for every test image.
    """
    seen = min(run.examples, PROBED)
    codes, test_codes = (
        _encode(encoder, Batches(images, None, EVALUATION_BATCH, run.spec.pixel_min))
        for images in (dataset.train_images[:seen], dataset.test_images)
    )
    labels = dataset.train_labels[:seen]
    accuracy = baselines.probe_codes(codes, labels, test_codes, dataset.test_labels)
    dead = int((test_codes == 0).all(axis=0).sum())
    return {"probe_accuracy": accuracy, "dead_latents": dead}


def _encode(encoder, images):
    codes = encoder.predict(images, verbose=0)
    return codes.reshape(len(codes), -1)


def reconstruct(
    model: keras.Model, spec: AutoencoderSpec, images: np.ndarray, dataset: "Dataset"
) -> dict:
    """Reconstructs ten test images, the first of each class, by the autoencoder and by PCA.

    Args:
        model: a trained autoencoder.
        spec: its spec.
        images: its training images, `(n, 28, 28, 1)` uint8, for the PCA.
        dataset: the data set with the test images.

    Returns:
        The losses of the baselines as `metrics`, and the record's field `images`.
    """
    rows = dataset.find_first_of_each_class()
    originals = dataset.test_images[rows]
    rebuilt = model(scale_pixels(originals, spec.pixel_min), training=False)
    rebuilt = unscale_pixels(keras.ops.convert_to_numpy(rebuilt), spec.pixel_min)
    losses, by_pca = baselines.measure(images, dataset.test_images, spec.code_size, spec.pixel_min)
    return {
        "metrics": losses,
        "images": {
            "test_rows": rows,
            "originals": pack_images(scale_pixels(originals)),
            "reconstructions": pack_images(rebuilt),
            "pca": pack_images(by_pca[rows]),
        },
    }
