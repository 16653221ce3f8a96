"""Which code, which packages and which machine a run was made with."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("keras", "torch", "jax", "tensorflow-cpu", "tensorflow", "numpy", "keras-fmnist")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result, where installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int | None]:
    """Processor, number of usable cores and operating system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": usable_cores(),
        "system": platform.platform(aliased=True, terse=True),
    }


def usable_cores() -> int:
    """How many processors this process may use; where the system does not say, all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> int | None:
    """MiB that this process held at most; None where the system does not say.

    `resource.getrusage` would also count what the process that started this one held then.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return round(int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024)


def commit() -> str | None:
    """The commit of the checkout that holds this package, `-dirty` where its code was changed.

    None for a package that was installed without its history.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", "keras_fmnist", "experiments")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head}-dirty" if changed else head


def _git(root, *words):
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
