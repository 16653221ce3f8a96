"""Adam as PyTorch has it: Keras's differs by more than its defaults."""

import math
from typing import Any

import keras

Tensor = Any  # the backend's own: those of torch, jax and tensorflow share no class


@keras.saving.register_keras_serializable("keras_fmnist")
class PyTorchAdam(type(keras.optimizers.Adam())):  # on torch, Keras has a faster class of its own
    """Adam as Kingma and Ba's algorithm 1 and PyTorch have it.

    Keras adds epsilon to √v before it corrects the bias of v. There epsilon has 1/√(1 − β₂ᵗ) times
    the effect, 32 times at the first step, and slows down weights whose gradient is small. Keras
    also rounds β₂ to float32 before the correction, an error of 6e-6 at first.

    Args:
        learning_rate: step size.
        epsilon: added to the bias-corrected √v̂; PyTorch's default, where Keras has 1e-7.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        epsilon: float = 1e-8,
        **settings: float | str | bool | None,
    ) -> None:
        super().__init__(learning_rate, epsilon=epsilon, **settings)

    @property
    def epsilon(self) -> Tensor:
        """What Keras's update must add to √v at this step, so that epsilon is added to √v̂."""
        return self._epsilon * keras.ops.sqrt(self._correction(self.beta_2))

    @epsilon.setter
    def epsilon(self, value: float) -> None:
        self._epsilon = value

    def get_config(self) -> dict:
        """Returns the settings, with epsilon as it was given."""
        return super().get_config() | {"epsilon": self._epsilon}

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        first, second = self._inaccuracy(self.beta_1), self._inaccuracy(self.beta_2)
        learning_rate = learning_rate * keras.ops.sqrt(second) / first
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def _correction(self, beta):
        """Computes 1 − βᵗ without the cancellation that costs float32 four digits at first."""
        if not beta:
            return keras.ops.ones(())
        return -keras.ops.expm1(self._step() * math.log(beta))

    def _inaccuracy(self, beta):
        """Returns the true 1 − βᵗ over the one that Keras computes in float32."""
        power = keras.ops.power(keras.ops.cast(beta, keras.config.floatx()), self._step())
        return self._correction(beta) / (1 - power)

    def _step(self):
        return keras.ops.cast(self.iterations + 1, keras.config.floatx())
