"""What a trained model makes of the images: the part of a record that `fit` does not give."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_fmnist.data.batches import EVALUATION_BATCH, Batches
from keras_fmnist.data.pixels import scale_pixels, unscale_pixels
from keras_fmnist.records.images import pack_images
from keras_fmnist.specs import CLASSES, AutoencoderSpec
from keras_fmnist.training import baselines

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset
    from keras_fmnist.records.run import Run


@dataclass(frozen=True)
class DataSets:
    """The images of a run as batches.

    Attributes:
        train: what it is trained on, shuffled by its seed.
        train_eval: the same images in their order, for evaluation.
        val: the test images, which both reports use for validation.
    """

    train: Batches
    train_eval: Batches
    val: Batches


def make_data_sets(run: "Run", dataset: "Dataset") -> DataSets:
    """The batches of a run; the targets are labels for a classifier, else the images."""
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
    """What a record says of a trained model.

    Args:
        model: after its last epoch.
        run: whose model it is.
        sets: the batches of the run.
        history: one number an epoch; its last ones are the metrics.
        dataset: whose test images are classified or reconstructed.

    Returns:
        `metrics`, and `confusion_matrix` or `images`.
    """
    metrics = {name: curve[-1] for name, curve in history.items()}
    if not metrics:  # untrained
        metrics = evaluate(model, train_eval=sets.train_eval, val=sets.val)
    if run.spec.is_classifier:
        found = classify(model, sets.val, dataset.test_labels)
    else:
        found = reconstruct(model, run.spec, dataset.train_images[: run.examples], dataset)
    return found | {"metrics": metrics | found["metrics"]}


def evaluate(model: keras.Model, **batches: Batches) -> dict[str, float]:
    """Losses and metrics over every image of each set, named `<set>_loss`."""
    return {
        f"{prefix}_{name}": value
        for prefix, images in batches.items()
        for name, value in model.evaluate(images, verbose=0, return_dict=True).items()
    }


def classify(model: keras.Model, test: Batches, labels: np.ndarray) -> dict:
    """The confusion matrix of every test image, and how many logits never leave zero."""
    logits = model.predict(test, verbose=0)
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    dead = int((logits == 0).all(axis=0).sum())  # open question 6: a ReLU can silence a class
    return {"confusion_matrix": counts.tolist(), "metrics": {"dead_logits": dead}}


def reconstruct(
    model: keras.Model, spec: AutoencoderSpec, images: np.ndarray, dataset: "Dataset"
) -> dict:
    """Ten test images, the first of each class, and what autoencoder and PCA make of them."""
    rows = [int(np.argmax(dataset.test_labels == label)) for label in range(CLASSES)]
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
