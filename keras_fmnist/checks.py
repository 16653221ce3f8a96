"""Arguments that are right, or one sentence that says what would be."""

import importlib.util
import os
import re
from pathlib import Path

from keras_fmnist.settings import SpecError, suggest

BACKENDS = ("torch", "jax", "tensorflow")
DEVICES = ("auto", "cpu", "gpu")


def whole(name, value, low, high):
    """Holds a value to a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def flag(name, value):
    """Holds a value to one that a flag without a value has."""
    if not isinstance(value, bool):
        raise SpecError(f"{name} takes no value, not {value!r}")
    return value


def folder(out):
    """Holds `out` to be a folder, or a name that can become one."""
    if not isinstance(out, str) or not out.strip() or "\0" in out:
        raise SpecError(f"out must name a folder, such as runs, not {out!r}")
    there = Path(out).absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise SpecError(f"out {out}: {there} is a file, not a folder")
    if not os.access(there, os.W_OK):
        raise SpecError(f"out {out}: {there} cannot be written")


def backend():
    """The backend that Keras will take, known and installed."""
    name = os.environ["KERAS_BACKEND"]
    if name not in BACKENDS:
        raise SpecError(f"KERAS_BACKEND must be {', '.join(BACKENDS)}, not {name!r}")
    if importlib.util.find_spec(name) is None:
        raise SpecError(f"{name} is not installed: pip install 'keras-fmnist[{name}]'")
    return name


def installed_backends():
    """The backends whose framework is there, torch first."""
    return [name for name in BACKENDS if importlib.util.find_spec(name) is not None]


def device(device):
    """Hides the GPUs where the CPU is asked for; must come before the backend is imported."""
    if device not in DEVICES:
        raise SpecError(f"device must be {', '.join(DEVICES)}, not {device!r}")
    backend()
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"


def engine(engine, address):
    """Holds the engine of a study to one that is there, and its address to one it could have."""
    if engine not in ("local", "ray"):
        raise SpecError(f"engine must be local or ray, not {engine!r}")
    if engine == "local" and address is not None:
        raise SpecError("address belongs to the engine ray: add --engine ray, or leave it out")
    host_port = re.fullmatch(r"[^\s:]+:(\d{1,5})", str(address))
    if address not in (None, "auto") and not (host_port and 0 < int(host_port[1]) < 2**16):
        raise SpecError(f"address must be auto, or host:port such as 10.0.0.1:6379, not {address}")
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        raise SpecError("ray is not installed: pip install 'keras-fmnist[ray]'")


def experiment(specs, experiment):
    """The spec of an id such as mansilla/base."""
    known = {spec.id: spec for spec in specs}
    if experiment not in known:
        raise SpecError(f"{experiment!r} is no experiment{suggest(experiment, known)}")
    return known[experiment]


def target(name, path, *endings):
    """Holds a path to a file that can be written and has one of the endings."""
    if not isinstance(path, str) or Path(path).suffix not in endings:
        raise SpecError(f"{name} must end in {' or '.join(endings)}, not {path!r}")
    if Path(path).is_dir():
        raise SpecError(f"{name} {path} is a folder")
    folder(str(Path(path).parent))
