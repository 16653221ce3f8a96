"""The one optimiser in which Keras and PyTorch differ by more than a default."""

import keras


@keras.saving.register_keras_serializable("keras_fmnist")
class PyTorchAdam(type(keras.optimizers.Adam())):  # on torch, Keras has a faster class of its own
    """Adam with epsilon where Kingma and Ba's algorithm 1 and PyTorch have it.

    Keras adds epsilon to √v before it corrects v's bias, so that it acts 1/√(1 − β₂ᵗ) times as
    strongly: 32 times at the first step. Weights whose gradient is small, such as those behind
    sparse pixels, then move up to a learning rate a step less far than in PyTorch.

    Args:
        learning_rate: step size.
        epsilon: added to the bias-corrected √v̂; PyTorch's default, where Keras has 1e-7.
    """

    def __init__(self, learning_rate=1e-3, epsilon=1e-8, **settings):
        super().__init__(learning_rate, epsilon=epsilon, **settings)

    @property
    def epsilon(self):
        """What Keras's update must add to √v at this step to get there."""
        step = keras.ops.cast(self.iterations + 1, "float32")
        return self._epsilon * keras.ops.sqrt(1 - keras.ops.power(self.beta_2, step))

    @epsilon.setter
    def epsilon(self, value):
        self._epsilon = value

    def get_config(self):
        """The settings, with epsilon as it was given."""
        return super().get_config() | {"epsilon": self._epsilon}
