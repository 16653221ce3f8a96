"""What every autoencoder is held to: PCA with as many numbers an image, and the mean image."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.decomposition import PCA


def measure(
    train_images: np.ndarray, test_images: np.ndarray, code_size: int, pixel_min: float = 0.0
) -> tuple[dict[str, float], np.ndarray]:
    """Fits mean and principal components on training images, and rebuilds the test images.

    The numbers depend on no seed. 60 000 images take about a second, and 200 MB while it lasts.

    Args:
        train_images: `(n, 28, 28, 1)` uint8, those that the autoencoder is trained on.
        test_images: `(m, 28, 28, 1)` uint8.
        code_size: numbers in the autoencoder's code. From as many numbers as there are pixels on
            the image is its own code, and nothing is lost.
        pixel_min: what a black pixel is for the net, 0 or -1; a white one is 1.

    Returns:
        `{"pca_loss", "mean_image_loss"}`, the mean squared errors over all test images and pixels
        in the net's range of pixels; and PCA's test images, `(m, 28, 28, 1)` float32, black 0 and
        white 1, which may overshoot.
    """
    images = _flatten(test_images)
    mean = train_images.mean(axis=0, dtype=np.float64).astype(np.float32).reshape(1, -1) / 255
    components = min(code_size, len(train_images) - 1)  # n centred images span no more than n − 1
    if code_size >= images.shape[1]:
        rebuilt = images
    elif components == 0:
        rebuilt = np.broadcast_to(mean, images.shape)
    else:
        pca = fit_pca(train_images, components)
        rebuilt = pca.inverse_transform(pca.transform(images))
    # PCA of pixels in [-1, 1] is that of pixels in [0, 1] with twice the errors.
    unit = (1 - pixel_min) ** 2
    losses = {
        "pca_loss": _mean_square(rebuilt - images) * unit,
        "mean_image_loss": _mean_square(mean - images) * unit,
    }
    return losses, rebuilt.reshape(test_images.shape)


def fit_pca(train_images: np.ndarray, components: int) -> "PCA":
    """Fits mean and principal components on images `(n, 28, 28, 1)` uint8, scaled to [0, 1]."""
    from sklearn.decomposition import PCA  # two thirds of a second to import

    # The covariance alone, because a decomposition of the images takes minutes and a gigabyte.
    return PCA(components, svd_solver="covariance_eigh").fit(_flatten(train_images))


def _flatten(images):
    """Bytes to `(n, 784)` float32 in [0, 1]."""
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels /= 255  # in place: of the training images a second copy is 188 MB
    return pixels


def _mean_square(errors):
    return float(np.square(errors).mean(dtype=np.float64))
