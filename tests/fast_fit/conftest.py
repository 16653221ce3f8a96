"""Steps are replayed on torch only."""

import functools
import os
import threading

import pytest

collect_ignore_glob = [] if os.environ["KERAS_BACKEND"] == "torch" else ["test_*.py"]


@pytest.fixture(autouse=True, scope="session")
def at_once():
    """Steps are traced when they first come, so that a test of three steps tests a replay."""
    from keras_fmnist.fast_fit.outlook import Outlook

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Outlook, "is_worth_a_trace", lambda self, kind: True)
        yield


@pytest.fixture(autouse=True)
def without_the_runners_threads(monkeypatch):
    """Who drew is told by whether other threads stood still; pytest-xdist's move when they like."""
    from keras_fmnist.fast_fit import python_draws

    find_positions = python_draws._positions_of_other_threads
    runners = {thread.ident for thread in threading.enumerate()}
    monkeypatch.setattr(
        python_draws,
        "_positions_of_other_threads",
        lambda: {ident: at for ident, at in find_positions().items() if ident not in runners},
    )


@pytest.fixture
def calls(monkeypatch):
    """The names of the functions that stand for convolutions, as often as they run."""
    from keras_fmnist.fast_fit import patch_norms, patches, transposed

    seen = []
    for module, name in (
        (patches, "pool_convolution"),
        (patches, "pool_convolution_backward"),
        (patch_norms, "normalize_kernels"),
        (transposed, "add_up"),
    ):
        monkeypatch.setattr(module, name, _counted(getattr(module, name), seen))
    return seen


def _counted(function, seen):
    from torch._subclasses import FakeTensor

    @functools.wraps(function)
    def count(*args):
        if not isinstance(args[0], FakeTensor):
            seen.append(function.__name__)
        return function(*args)

    return count
