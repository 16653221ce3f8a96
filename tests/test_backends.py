"""What is marked `portable` holds on jax and tensorflow too: each in a process of its own.

Keras takes its backend when it is imported, once a process.
"""

import os
import re

import keras
import pytest

from keras_fmnist.backends import BACKENDS


def test_this_process_runs_on_the_backend_it_was_asked_for():
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"]


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "torch"])
def test_what_is_portable_holds_on(backend, backend_runs):
    if backend not in backend_runs:
        # On a developer's machine a framework may be missing; where all are installed on purpose
        # a skip would hide that they are not.
        assert not os.environ.get("CI"), f"{backend} is not installed"
        pytest.skip(f"{backend} is not installed: pip install 'keras-fmnist[{backend}]'")
    status = backend_runs[backend].wait(timeout=900)
    said = backend_runs[backend].output.read_text()
    assert status == 0, said[-6000:]
    passed = re.search(r"(\d+) passed", said)
    assert passed, said[-2000:]
    assert int(passed.group(1)) > 30
