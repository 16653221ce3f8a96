"""Python in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.repository import ROOT

WITHOUT_FRAMEWORKS = """
import sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras", "torch", "jax", "tensorflow"):
            raise ImportError(name)

sys.meta_path.insert(0, Refusal())
"""


COMPILE_LESS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Compiling takes jax most of the time, and for a few steps need not be thorough.
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
}


def run_python(
    *words: str,
    cwd: Path = ROOT,
    packages: Path = ROOT,
    text: str | None = None,
    seconds: int = 300,
    **environment: str,
) -> subprocess.CompletedProcess:
    """Runs Python with the packages of this checkout, or of another.

    Args:
        words: its arguments.
        cwd: the folder it runs in.
        packages: the checkout whose packages it imports.
        text: what it reads from stdin.
        seconds: after which it is ended.
        environment: variables beside those of this process.
    """
    variables = {**os.environ, "PYTHONPATH": str(packages), "PYTHONIOENCODING": "utf-8"}
    variables.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=variables | environment,
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
    )


def run_without_frameworks(code: str, *words: str, **options) -> str:
    """What a script prints where an import of Keras, torch, jax or tensorflow fails."""
    done = run_python("-c", WITHOUT_FRAMEWORKS + code, *words, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
