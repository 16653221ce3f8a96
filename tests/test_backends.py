"""What is marked `portable` holds on jax and tensorflow too: each in a process of its own.

Keras takes its backend when it is imported, once a process.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

TESTS = Path(__file__).resolve().parent


def test_this_process_runs_on_the_backend_it_was_asked_for():
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"]


BACKENDS = ("jax", "tensorflow")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The inner runs of the backends that are installed, all started at once: `{name: process}`."""
    running = {}
    for backend in BACKENDS:
        if importlib.util.find_spec(backend) is None:
            continue
        folder = tmp_path_factory.mktemp(backend)
        options = ["-o", "addopts=-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'in'}"]
        command = [sys.executable, "-m", "pytest", str(TESTS), f"--ignore={__file__}", *options]
        command += ["-m", "portable", "-rs"]
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "",  # one GPU is not shared with the process that waits
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # Compiling takes jax most of the time, and for a few steps need not be thorough.
            "XLA_FLAGS": "--xla_backend_optimization_level=0 "
            "--xla_llvm_disable_expensive_passes=true",
        }
        environment.pop("PYTEST_ADDOPTS", None)
        with (folder / "output").open("w") as output:
            running[backend] = subprocess.Popen(
                command, cwd=TESTS.parent, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        running[backend].output = folder / "output"
    yield running
    for process in running.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_portable_holds_on(backend, runs):
    if backend not in runs:
        # On a developer's machine a framework may be missing; where all are installed on purpose
        # a skip would hide that they are not.
        assert not os.environ.get("CI"), f"{backend} is not installed"
        pytest.skip(f"{backend} is not installed: pip install 'keras-fmnist[{backend}]'")
    status = runs[backend].wait(timeout=900)
    said = runs[backend].output.read_text()
    assert status == 0, said[-6000:]
    passed = re.search(r"(\d+) passed", said)
    assert passed, said[-2000:]
    assert int(passed.group(1)) > 30
