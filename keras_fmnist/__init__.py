"""Two PyTorch course reports on Fashion-MNIST, reproduced in Keras 3.

Importing the package chooses torch as the Keras backend unless `KERAS_BACKEND` says otherwise. It
also lets waiting threads sleep unless `OMP_WAIT_POLICY` says otherwise, and removes environment
variables that would change results without being noted in a record. Keras and the frameworks read
them once, when they are first imported, so import this package before them.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
# Threads that wait for others must not spin: on two cores beside other busy processes a step of two
# threads took 2970 ms spinning and 44 ms asleep. OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

CHANGES_RESULTS = (
    *("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"),
    *("JAX_ENABLE_X64", "JAX_DEFAULT_DTYPE_BITS", "JAX_DEFAULT_MATMUL_PRECISION"),
    "JAX_NUMPY_DTYPE_PROMOTION",
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
    *("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE", "TF_ENABLE_ONEDNN_OPTS"),
)
for _name in CHANGES_RESULTS:
    os.environ.pop(_name, None)

__version__ = "0.1.0"
