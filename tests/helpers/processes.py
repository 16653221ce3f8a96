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


def run_python(
    *words: str,
    cwd: Path = ROOT,
    packages: Path = ROOT,
    text: str | None = None,
    **environment: str,
) -> subprocess.CompletedProcess:
    """Runs Python with the packages of this checkout, or of another.

    Args:
        words: its arguments.
        cwd: the folder it runs in.
        packages: the checkout whose packages it imports.
        text: what it reads from stdin.
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
        timeout=300,
    )


def run_without_frameworks(code: str, *words: str, **options) -> str:
    """What a script prints where an import of Keras, torch, jax or tensorflow fails."""
    done = run_python("-c", WITHOUT_FRAMEWORKS + code, *words, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
