"""A small learnable data set for tests."""

import numpy as np

from keras_fmnist.data.fashion_mnist import Dataset


def make_synthetic(train: int = 600, test: int = 100, seed: int = 0) -> Dataset:
    """Returns a learnable data set for tests: ten noisy shapes, one for each class, balanced.

    Args:
        train: Number of training images.
        test: Number of test images.
        seed: The same seed gives the same bytes.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-14:14, -14:14] + 0.5
    radius = np.hypot(x, y)
    shapes = np.stack(
        [
            radius < 9,
            (radius > 6) & (radius < 11),
            abs(x) < 3,
            abs(y) < 3,
            abs(x - y) < 4,
            abs(x + y) < 4,
            np.maximum(abs(x), abs(y)) < 10,
            y > 3,
            x > 3,
            (x // 7 + y // 7) % 2 == 0,
        ]
    )

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
        brightness = rng.uniform(120, 220, (count, 1, 1))
        images = shapes[labels] * brightness + rng.normal(0, 20, (count, 28, 28))
        return images.clip(0, 255).astype(np.uint8)[..., None], labels

    return Dataset(*draw(train), *draw(test))
