"""What a trained model makes of the images: the part of a record that `fit` does not give."""

from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_fmnist.data.batches import Batches, scale_pixels
from keras_fmnist.records.images import pack_images
from keras_fmnist.specs import CLASSES, AutoencoderSpec
from keras_fmnist.training import baselines

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset


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
    rebuilt = model(scale_pixels(originals, spec.darkest), training=False)
    rebuilt = (keras.ops.convert_to_numpy(rebuilt) - spec.darkest) / (1 - spec.darkest)
    losses, by_pca = baselines.measure(images, dataset.test_images, spec.code_size, spec.darkest)
    return {
        "metrics": losses,
        "images": {
            "test_rows": rows,
            "originals": pack_images(scale_pixels(originals, 0.0)),
            "reconstructions": pack_images(rebuilt),
            "pca": pack_images(by_pca[rows]),
        },
    }
