"""A net with fresh weights in which nothing is without effect."""

import keras
import numpy as np

from keras_fmnist.models import networks, weights
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec


def lively(spec: AutoencoderSpec | ClassifierSpec) -> keras.Model:
    """A net whose outputs differ from image to image, batch norm's statistics included."""
    model = networks.build(spec)
    rng = np.random.default_rng(0)
    arrays = weights.get_arrays(model)
    for name, array in arrays.items():
        if name.endswith(("moving_mean", "moving_variance", "gamma", "beta")):
            array[:] = rng.uniform(0.5, 1.5, array.shape)
    weights.set_arrays(model, arrays)
    return model
