"""Two PyTorch course reports on Fashion-MNIST, reproduced in Keras 3.

Importing the package chooses torch as the Keras backend unless `KERAS_BACKEND` says otherwise. It
also removes environment variables that would change results without being noted in a record. Keras
and the frameworks read them once, when they are first imported, so import this package before them.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

CHANGES_RESULTS = (
    *("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"),
    *("JAX_ENABLE_X64", "JAX_DEFAULT_DTYPE_BITS", "JAX_DEFAULT_MATMUL_PRECISION"),
    "JAX_NUMPY_DTYPE_PROMOTION",
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
    *("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
)
for _name in CHANGES_RESULTS:
    os.environ.pop(_name, None)

__version__ = "0.1.0"
