"""The nets of mansilla in numpy."""

import typing

import numpy as np

from keras_fmnist.settings import TransposedConv


class NumpyNets:
    """The nets of mansilla in numpy and float64, from weights by name and from their formulas."""

    def encode(self, arrays, images, code_relu=True):
        """Codes `(n, latent)` of images `(n, 28, 28, 1)` in [0, 1]."""
        x = np.asarray(images, np.float64)
        for number in (1, 2):
            x = self._convolve(x, *self._layer(arrays, f"encoder/conv{number}"))
            x = self._pool(np.maximum(x, 0))
        kernel, bias = self._layer(arrays, "encoder/latent")
        code = x.transpose(0, 3, 1, 2).reshape(len(x), -1) @ kernel + bias
        return np.maximum(code, 0) if code_relu else code

    OUTPUTS: typing.ClassVar = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "linear": lambda x: x,
    }

    def reconstruct(
        self, arrays, images, deconvs=("k4s2o1", "k3s2o1"), output="sigmoid", between=True
    ):
        """What an autoencoder makes of images: `(n, 28, 28, 1)`, in [0, 1] with a sigmoid."""
        kernel, bias = self._layer(arrays, "decoder/hidden")
        x = np.maximum(self.encode(arrays, images) @ kernel + bias, 0)
        x = x.reshape(len(x), -1, 5, 5).transpose(0, 2, 3, 1)
        first, second = map(TransposedConv.parse, deconvs)
        x = self._deconvolve(x, *self._layer(arrays, "decoder/deconv1"), first)
        x = np.maximum(x, 0) if between else x
        x = self._deconvolve(x, *self._layer(arrays, "decoder/deconv2"), second)
        return self.OUTPUTS[output](x)

    def classify(self, arrays, images):
        """Logits `(n, 10)`, with the report's ReLU on them."""
        kernel, bias = self._layer(arrays, "logits")
        return np.maximum(self.encode(arrays, images) @ kernel + bias, 0)

    def cross_entropy(self, logits, labels):
        """Mean over all examples."""
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=1))
        return (log_sums - shifted[np.arange(len(labels)), labels]).mean()

    def _layer(self, arrays, name):
        return (arrays[f"{name}/{kind}"].astype(np.float64) for kind in ("kernel", "bias"))

    def _convolve(self, x, kernel, bias):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        return np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True) + bias

    def _pool(self, x):
        n, height, width, channels = x.shape
        x = x[:, : height // 2 * 2, : width // 2 * 2]
        return x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))

    def _deconvolve(self, x, kernel, bias, shape):
        n, size = x.shape[:2]
        whole = (size - 1) * shape.stride + shape.kernel + shape.output_padding
        out = np.zeros((n, whole, whole, kernel.shape[2]))
        reach = (size - 1) * shape.stride + 1
        for row, column in np.ndindex(shape.kernel, shape.kernel):
            taps = np.s_[
                :, row : row + reach : shape.stride, column : column + reach : shape.stride
            ]
            out[taps] += x @ kernel[row, column].T
        return out + bias
