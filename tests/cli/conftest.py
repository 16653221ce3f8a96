"""What the commands share."""

import functools
import shlex
import shutil

import pytest

from experiments.mansilla import BASE, CLASSIFIER_FROZEN
from keras_fmnist.specs import override


@pytest.fixture
def run_mansilla(run_command):
    """`run_command` of `python -m experiments.mansilla`."""
    return functools.partial(run_command, report="mansilla")


@pytest.fixture
def run_line(tmp_path, monkeypatch, run_command, studied):
    """`run_line(line)`: `run_command`, with the runs of `studied` as results."""
    monkeypatch.setenv("KERAS_FMNIST_CACHE", str(tmp_path / "cache"))
    (tmp_path / "results").symlink_to(studied)
    return lambda line: run_command(*shlex.split(line))


@pytest.fixture
def own_results(tmp_path, studied, run_line):
    """A copy of `studied` in the place of the link to it."""
    (tmp_path / "results").unlink()
    return shutil.copytree(studied, tmp_path / "results")


@pytest.fixture(scope="session")
def quick_runs(tmp_path_factory, dataset):
    """Runs of an epoch on 100 images, as the commands train them but without their figures.

    `base` lies in a folder of its own, and so do `narrow`, which has 8 numbers a code, and
    `classifier`, the frozen one on the autoencoder beside it.
    """
    import keras

    from tests.helpers.train import train_spec

    folder = tmp_path_factory.mktemp("quick")
    quick = {"epochs": 1, "batch_size": 100}
    nested = {f"autoencoder_{name}": value for name, value in quick.items()}
    specs = {
        "base": override(BASE, quick),
        "narrow": override(BASE, quick | {"latent": 8}),
        "classifier": override(CLASSIFIER_FROZEN, quick | nested),
    }
    with keras.device("cpu"):
        for name, spec in specs.items():
            train_spec(spec, 0, folder / name, examples=100, dataset=dataset, fast=False)
    return folder
