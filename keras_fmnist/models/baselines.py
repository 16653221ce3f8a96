"""Baselines: a PCA with as many numbers an image, the mean image, and a ridge classifier."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.decomposition import PCA


def measure(
    train_images: np.ndarray, test_images: np.ndarray, code_size: int, pixel_min: float = 0.0
) -> tuple[dict[str, float], np.ndarray]:
    """Fits mean and principal components on training images, and reconstructs the test images.

    No seed is involved. 60 000 images take about a second and, meanwhile, 200 MB.

    Args:
        train_images: `(n, 28, 28, 1)` uint8, those that the autoencoder is trained on.
        test_images: `(m, 28, 28, 1)` uint8.
        code_size: numbers in the autoencoder's code. With at least as many as there are pixels the
            PCA is exact.
        pixel_min: the value of a black pixel in the net, 0 or -1; a white one is 1.

    Returns:
        `{"pca_loss", "mean_image_loss"}`, the mean squared errors over all pixels of all test
        images, in the net's range of pixels; and the test images that PCA reconstructs,
        `(m, 28, 28, 1)` float32, black 0 and white 1, with some values outside this range.
    """
    images = _flatten(test_images)
    mean = train_images.mean(axis=0, dtype=np.float64).astype(np.float32).reshape(1, -1) / 255
    components = min(code_size, len(train_images) - 1)  # n centred images span n − 1 dimensions
    if code_size >= images.shape[1]:
        rebuilt = images
    elif components == 0:
        rebuilt = np.broadcast_to(mean, images.shape)
    else:
        pca = fit_pca(train_images, components)
        rebuilt = pca.inverse_transform(pca.transform(images))
    # On pixels in [-1, 1] PCA finds the same components, and errors are twice as large.
    unit = (1 - pixel_min) ** 2
    losses = {
        "pca_loss": _mean_square(rebuilt - images) * unit,
        "mean_image_loss": _mean_square(mean - images) * unit,
    }
    return losses, rebuilt.reshape(test_images.shape)


def fit_pca(train_images: np.ndarray, components: int) -> "PCA":
    """Fits mean and principal components on images `(n, 28, 28, 1)` uint8, scaled to [0, 1]."""
    from sklearn.decomposition import PCA  # two thirds of a second to import

    # Of the covariance, because a decomposition of the images takes minutes and a gigabyte.
    return PCA(components, svd_solver="covariance_eigh").fit(_flatten(train_images))


def probe_codes(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Returns the accuracy of a ridge classifier on codes: what a linear layer can read off them.

    Unlike a head that is trained by steps it has no learning rate, no seed and no dead logits.

    Args:
        codes: `(n, numbers)` of training images.
        labels: `(n,)`.
        test_codes: `(m, numbers)`.
        test_labels: `(m,)`.
    """
    from sklearn.linear_model import RidgeClassifier

    if len(np.unique(labels)) < 2:
        return float((test_labels == labels[0]).mean())
    # Numbers that are 0 for every image would leave the equations without a unique solution.
    return float(RidgeClassifier(alpha=1.0).fit(codes, labels).score(test_codes, test_labels))


def _flatten(images):
    """Bytes to `(n, 784)` float32 in [0, 1]."""
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels /= 255  # in place, because a second copy of the training images is 188 MB
    return pixels


def _mean_square(errors):
    return float(np.square(errors).mean(dtype=np.float64))
