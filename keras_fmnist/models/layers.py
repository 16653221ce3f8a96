"""Two layers that Keras lacks: PyTorch's transposed convolution and channel dropout."""

from typing import Any

import keras
from keras import ops

Tensor = Any  # the backend's own: those of torch, jax and tensorflow share no class


@keras.saving.register_keras_serializable("keras_fmnist")
class PyTorchConv2DTranspose(keras.layers.Conv2DTranspose):
    """A transposed convolution with PyTorch's padding, and with a dilation equal to the stride.

    Keras has only the paddings "valid" and "same", and does not allow a stride together with a
    dilation. Padding p removes p positions from every side of the output. If stride and dilation
    are both d, kernel values only fall on every d-th position. The output is then that of a layer
    without stride and dilation, with d − 1 zeros between its positions, plus the bias (manolucos,
    table 2, layer 5; open question 2).

    Args:
        filters: channels of the output.
        kernel_size: positions a side.
        strides: positions.
        padding_size: positions to remove from every side.
        spread: stride and dilation, if both are the same; `strides` is then 1.
        settings: other arguments of `keras.layers.Conv2DTranspose`.

    Raises:
        ValueError: `padding` or `dilation_rate` is given; use `padding_size` and `spread`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        padding_size: int = 0,
        spread: int = 1,
        **settings: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides=strides, **settings)
        if self.padding != "valid" or set(self.dilation_rate) != {1}:
            raise ValueError("padding_size and spread stand for padding and dilation_rate here")
        self.padding_size = padding_size
        self.spread = spread

    def call(self, inputs: Tensor) -> Tensor:
        """Applies the layer to feature maps in its data format."""
        outputs = ops.conv_transpose(
            inputs,
            self.kernel,
            strides=list(self.strides),
            padding="valid",
            output_padding=self.output_padding,
            data_format=self.data_format,
        )
        outputs = self._spread(self._crop(outputs))
        if self.use_bias:
            outputs = outputs + ops.reshape(self.bias, self._bias_shape())
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of the output, in the layer's data format."""
        shape = list(super().compute_output_shape(input_shape))
        for axis in self._axes():
            shape[axis] = (shape[axis] - 2 * self._cropped() - 1) * self.spread + 1
        return tuple(shape)

    def get_config(self) -> dict:
        """Returns the settings."""
        return super().get_config() | {"padding_size": self.padding_size, "spread": self.spread}

    def _axes(self):
        return (2, 3) if self.data_format == "channels_first" else (1, 2)

    def _bias_shape(self):
        return (1, -1, 1, 1) if self.data_format == "channels_first" else (1, 1, 1, -1)

    def _cropped(self):
        """Returns the positions to remove from every side before `_spread`."""
        return self.padding_size // self.spread

    def _crop(self, x):
        cut = self._cropped()
        keep = [slice(None)] * 4
        for axis in self._axes():
            keep[axis] = slice(cut, x.shape[axis] - cut)
        return x[tuple(keep)]

    def _spread(self, x):
        """Puts `spread` − 1 zeros between the positions of a map."""
        if self.spread == 1:
            return x
        row, column = self._axes()
        height, width = x.shape[row], x.shape[column]
        # Channels last: (n, h, w, c) to (n, h, 1, w, 1, c), padded to (n, h, d, w, d, c),
        # and flattened to (n, h * d, w * d, c).
        x = ops.expand_dims(ops.expand_dims(x, row + 1), column + 2)
        gaps = [(0, 0)] * 6
        gaps[row + 1] = gaps[column + 2] = (0, self.spread - 1)
        shape = [-1, self.filters, self.filters, self.filters]
        shape[row], shape[column] = height * self.spread, width * self.spread
        x = ops.reshape(ops.pad(x, gaps), shape)
        keep = [slice(None)] * 4
        keep[row] = slice(0, (height - 1) * self.spread + 1)
        keep[column] = slice(0, (width - 1) * self.spread + 1)
        return x[tuple(keep)]


@keras.saving.register_keras_serializable("keras_fmnist")
class ChannelDropout(keras.layers.Dropout):
    """Dropout of whole channels, like `torch.nn.Dropout2d`.

    On torch, Keras's SpatialDropout2D draws from a generator of its own. That costs a
    synchronisation at every call, cannot be traced, and ignores the seed of the process.

    Args:
        rate: probability that a channel is dropped.
        data_format: "channels_first" or "channels_last".
        settings: other arguments of `keras.layers.Dropout`.
    """

    def __init__(self, rate: float, data_format: str, **settings: Any) -> None:
        super().__init__(rate, **settings)
        self.data_format = data_format

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Applies the layer to feature maps in its data format."""
        # One value for each channel: (n, c, 1, 1) or (n, 1, 1, c).
        per_channel = (
            inputs[:, :, :1, :1] if self.data_format == "channels_first" else inputs[:, :1, :1]
        )
        return inputs * super().call(ops.ones_like(per_channel), training=training)

    def get_config(self) -> dict:
        """Returns the settings."""
        return super().get_config() | {"data_format": self.data_format}
