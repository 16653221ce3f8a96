"""Two PyTorch course reports on Fashion-MNIST, reproduced in Keras 3.

Importing the package chooses torch as the Keras backend unless `KERAS_BACKEND` says otherwise. It
says how torch's threads wait unless `OMP_WAIT_POLICY` or `GOMP_SPINCOUNT` does. And it removes
environment variables that would change results without being noted in a record. Keras and the
frameworks read them once, when they are first imported, so import this package before them.

What is meant for a notebook has its name here (docs/api.md). No framework is imported until one of
these names is used.
"""

import importlib
import os

os.environ.setdefault("KERAS_BACKEND", "torch")


def _count_looks() -> int | None:
    """Returns how often a waiting thread looks for work before it sleeps; None where unknown.

    Within a step threads wait for microseconds, and to wake one takes longer. But where other
    processes want the processors, a thread that looks takes them from the one it waits for.
    Milliseconds of a step of two threads on two cores, by looks and other busy processes:

        looks    none    one    six
            0      32     38    120
         3000      18     63    389
        10000      18     98    736
    """
    try:
        with open("/proc/loadavg") as file:
            running = int(file.read().split()[3].split("/")[0])
    except (OSError, IndexError, ValueError):
        return None
    return 3000 if running <= 1 else 0  # this process runs, too


_looks = _count_looks()
if _looks is not None and not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = str(_looks)

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

_NAMES = {
    "load_data": "keras_fmnist.data:load",
    "list_experiments": "keras_fmnist.cli.notebook.study:list_experiments",
    "train": "keras_fmnist.cli.notebook.nets:train",
    "load_net": "keras_fmnist.cli.notebook.nets:load_net",
    "read_records": "keras_fmnist.cli.notebook.study:read_records",
    "judge_claims": "keras_fmnist.cli.notebook.study:judge_claims",
    "inspect": "keras_fmnist.cli.notebook.own_models:inspect",
    "compare": "keras_fmnist.cli.notebook.own_models:compare",
    "accelerate": "keras_fmnist.fast_fit:accelerate",
}
__all__ = [*_NAMES]


def __getattr__(name: str) -> object:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, function = _NAMES[name].partition(":")
    return getattr(importlib.import_module(module), function)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
