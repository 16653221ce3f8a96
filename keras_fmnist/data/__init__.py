"""Fashion-MNIST: finding, verifying and loading it, and making batches of it.

`batches` is not imported here, because it imports Keras.
"""

from keras_fmnist.data.fashion_mnist import (
    CLASS_NAMES,
    Dataset,
    cache_file,
    describe,
    load,
    prepare,
)
from keras_fmnist.data.sources import DataError
from keras_fmnist.data.synthetic import make_synthetic

__all__ = [
    "CLASS_NAMES",
    "DataError",
    "Dataset",
    "cache_file",
    "describe",
    "load",
    "make_synthetic",
    "prepare",
]
