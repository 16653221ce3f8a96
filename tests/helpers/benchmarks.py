"""The scripts of benchmarks/ as modules."""

import importlib
import sys

from tests.helpers.repository import ROOT


def load_benchmark(name):
    """`benchmarks/<name>.py`, with its neighbours where it would find them as a script."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
