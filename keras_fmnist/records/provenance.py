"""Which code, which packages and which machine a run was made with."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PACKAGES = ("keras", "torch", "jax", "tensorflow-cpu", "tensorflow", "numpy", "keras-fmnist")


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the installed packages that can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int | None]:
    """Returns the processor, the number of usable cores and the operating system."""
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


def usable_cores(groups: Path = CGROUPS) -> int:
    """Returns how many processors this process may use, or all if the system does not say.

    The quota of a container, as set by `docker run --cpus 2`, counts too. It is rounded down, but
    to at least one.

    Args:
        groups: the folder of the kernel's control groups, with the quota.
    """
    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    quota = _read_quota(groups)
    return allowed if quota is None else min(allowed, max(1, int(quota)))


def _read_quota(groups):
    """Reads the processors allowed by control groups, version 2 or 1; None: no limit."""
    for paths in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join((groups / path).read_text() for path in paths).split()
            quota, period = (float(word) for word in words)
        except (OSError, ValueError):  # missing, or "max 100000"
            continue
        if quota > 0 and period > 0:  # in version 1, -1 is no limit
            return quota / period
    return None


def peak_memory() -> int | None:
    """Returns the peak memory of this process in MiB; None if the system does not say.

    `resource.getrusage` would also count the memory of the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return round(int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024)


def commit() -> str | None:
    """Returns the commit of this checkout, with `-dirty` if its code was changed.

    None if the package was installed without its history.
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


def _git(root, *arguments):
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
