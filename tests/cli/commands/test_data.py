"""data: prepares the data set, and says what it holds and from where."""

import pytest

from keras_fmnist import data
from keras_fmnist.data import DataError


@pytest.fixture
def prepared(monkeypatch):
    """With which `force` the data were asked for; they are described without being there."""
    calls = []
    monkeypatch.setattr(data, "prepare", lambda force: calls.append(force))
    monkeypatch.setattr(data, "describe", lambda: {"file": "a.gz", "training images": 60_000})
    return calls


@pytest.mark.parametrize(("flags", "force"), [([], False), (["--force"], True)])
def test_the_data_are_prepared_and_described(run_command, prepared, flags, force):
    assert run_command("data", *flags) == (0, "file             a.gz\ntraining images  60000\n", "")
    assert prepared == [force]


def test_a_flag_with_a_value_is_refused_before_anything_is_prepared(run_command, prepared):
    status, out, err = run_command("data", "--force=5")
    assert (status, out) == (2, "")
    assert err == "keras-fmnist: force takes no value, not 5\n"
    assert prepared == []


def test_data_that_cannot_be_had_are_a_failure_in_one_line(run_command, monkeypatch):
    def fail(force):
        raise DataError("no source\nhas them")

    monkeypatch.setattr(data, "prepare", fail)
    assert run_command("data") == (1, "", "keras-fmnist: no source has them\n")
