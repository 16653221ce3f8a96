"""Two PyTorch course reports on Fashion-MNIST, reproduced in Keras 3.

Importing the package chooses torch as the Keras backend unless `KERAS_BACKEND` says otherwise, and
takes away the variables that would change results and stand in no record. Keras and the frameworks
read all of them once, at their own first import, so import this package before them.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

# Threads that wait for one another do not spin: beside other work they would wait for their turn to
# go on waiting (2 cores, 14 other processes: 10 steps a second instead of 0.4).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

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
