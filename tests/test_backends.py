"""What is marked `portable` holds on jax and tensorflow too: each in a process of its own.

Keras takes its backend when it is imported, once a process.
"""

import os
import re

import keras
import pytest

from keras_fmnist.backends import BACKENDS, list_installed
from tests.helpers.processes import COMPILE_LESS, run_python


def test_this_process_runs_on_the_backend_it_was_asked_for():
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"]


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "torch"])
def test_what_is_portable_holds_on(backend, tmp_path):
    if backend not in list_installed():
        # On a developer's machine a framework may be missing; where all are installed on purpose
        # a skip would hide that they are not.
        assert not os.environ.get("CI"), f"{backend} is not installed"
        pytest.skip(f"{backend} is not installed: pip install 'keras-fmnist[{backend}]'")
    options = ["-o", "addopts=-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'in'}"]
    options += ["-m", "portable", "-rs", "--ignore=tests/test_backends.py"]
    done = run_python(
        *("-m", "pytest", "tests", *options),
        seconds=1800,
        KERAS_BACKEND=backend,
        CUDA_VISIBLE_DEVICES="",  # one GPU is not shared with the process that waits
        **COMPILE_LESS,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout[-2000:]
    assert int(passed.group(1)) > 30
