"""Lists the defaults in which Keras and PyTorch differ."""

import keras
import torch

from keras_fmnist.training.optimizers import PyTorchAdam


def list_defaults() -> list[dict[str, str]]:
    """Lists every default in which Keras and PyTorch differ, and what is used here.

    Numbers and names are read from the installed packages.

    Returns:
        Rows `{what, keras, pytorch, ours}`, all text.
    """
    dense, norm, adam = keras.layers.Dense(1), keras.layers.BatchNormalization(), keras.optimizers
    linear_norm = torch.nn.BatchNorm2d(1)
    torch_adam = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))]).defaults
    names = {
        "kernel": type(dense.kernel_initializer).__name__,
        "bias": type(dense.bias_initializer).__name__,
    }
    uniform = "uniform ±1/√fan_in"
    rows = [
        ("initial kernels", names["kernel"], uniform, uniform),
        ("initial biases", names["bias"], uniform, uniform),
        ("fan-in of a transposed convolution", "inputs", "outputs", "outputs"),
        ("Adam's ε", adam.Adam().epsilon, torch_adam["eps"], PyTorchAdam().get_config()["epsilon"]),
        ("where Adam adds ε", "to √v", "to √v̂, bias corrected", "to √v̂, bias corrected"),
        (
            "batch norm's momentum, as the share kept",
            norm.momentum,
            1 - linear_norm.momentum,
            "0.9",
        ),
        ("batch norm's ε", norm.epsilon, linear_norm.eps, "1e-05"),
        ("batch norm's running variance", "divided by n", "divided by n - 1", "Keras's"),
        ("image layout", "rows, columns, channels", "channels, rows, columns", "Keras's outside"),
        ("flatten order", "row, column, channel", "channel, row, column", "PyTorch's"),
        ("a frozen batch norm's statistics", "stay", "move in training mode", "stay"),
        (
            "a frozen layer's dropout",
            "drops",
            "drops in training mode",
            "drops, unless the spec says",
        ),
    ]
    return [
        dict(zip(("what", "keras", "pytorch", "ours"), map(str, row), strict=True)) for row in rows
    ]
