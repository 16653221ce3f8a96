"""Which backends and devices there are, and which ones this process uses.

Keras is imported inside functions, so that help and errors appear at once.
"""

import importlib.util
import os

from keras_fmnist.settings import SpecError, shorten

BACKENDS = ("torch", "jax", "tensorflow")
DEVICES = ("auto", "cpu", "gpu")


def get_backend() -> str:
    """Returns the backend that Keras will use, after checking that it is known and installed.

    Raises:
        SpecError: `KERAS_BACKEND` names an unknown backend, or one that is not installed.
    """
    name = os.environ["KERAS_BACKEND"]
    if name not in BACKENDS:
        raise SpecError(f"KERAS_BACKEND must be {', '.join(BACKENDS)}, not {name!r}")
    if importlib.util.find_spec(name) is None:
        raise SpecError(f"{name} is not installed: pip install 'keras-fmnist[{name}]'")
    return name


def list_installed() -> list[str]:
    """Lists the backends whose framework is installed, torch first."""
    return [name for name in BACKENDS if importlib.util.find_spec(name) is not None]


def select_device(device: object) -> None:
    """Hides the GPUs if the device is `cpu`; call it before the backend is imported.

    Raises:
        SpecError: `device` is not one of `DEVICES`.
    """
    if device not in DEVICES:
        raise SpecError(f"device must be {', '.join(DEVICES)}, not {shorten(device)}")
    get_backend()
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"
        if "JAX_PLATFORMS" in os.environ:
            os.environ["JAX_PLATFORMS"] = "cpu"


def find_device() -> str:
    """Returns `gpu` or `cpu`: where the backend puts its tensors.

    Raises:
        SpecError: a variable names a device that the backend does not find.
    """
    variable = {"torch": "KERAS_TORCH_DEVICE", "jax": "JAX_PLATFORMS"}.get(get_backend(), "")
    try:
        import keras

        if keras.backend.backend() == "torch":
            return "gpu" if keras.ops.zeros(1).device.type == "cuda" else "cpu"
        return "gpu" if keras.distribution.list_devices()[0].startswith("gpu") else "cpu"
    except (RuntimeError, AssertionError):  # torch without CUDA asserts that it has it
        if not os.environ.get(variable):
            raise
        raise SpecError(
            f"{variable} names {shorten(os.environ[variable])}, which {get_backend()} does not "
            "find here: unset it, or say --device cpu"
        ) from None


def resolve_device(device: object, deterministic: bool = False) -> str:
    """Selects a device and returns what the backend then uses, `gpu` or `cpu`.

    Args:
        device: one of `DEVICES`.
        deterministic: call `use_deterministic_kernels` before the backend is imported.

    Raises:
        SpecError: a GPU is asked for, and the backend finds none.
    """
    select_device(device)
    if deterministic:
        use_deterministic_kernels()
    found = find_device()
    if device == "gpu" and found != "gpu":
        raise SpecError(f"device gpu: {get_backend()} finds no GPU here; leave it out, or say cpu")
    return found


def use_deterministic_kernels() -> None:
    """Makes a GPU give the same bits every time, which costs speed; a CPU does so anyway.

    Call it before the backend is imported.
    """
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # torch raises an error without it
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true".strip()
    if os.environ["KERAS_BACKEND"] == "torch":
        import torch

        torch.use_deterministic_algorithms(True)
