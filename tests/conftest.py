"""Fixtures of the whole suite, which runs on torch unless KERAS_BACKEND says otherwise.

What must hold on every backend is marked `portable`; test_backends.py runs it on the others.
"""

import collections
import os
import shutil
import signal

import pytest

from keras_fmnist import data

os.environ.setdefault("KERAS_BACKEND", "torch")
# torch reads it once, when it is imported. On batches as small as these a second thread gains
# nothing, and where other processes use the cores every operation waits for the slower one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from experiments.__main__ import CATALOGUE, REPORTS
from experiments.mansilla import BASE, CLASSIFIER_FULL, UNTRAINED
from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.cli import app, arguments
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.cli.commands.train import build_experiment_commands
from keras_fmnist.cli.menu import build_menu
from keras_fmnist.records.images import pack_images
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.record import Record
from keras_fmnist.records.run import STUDY
from keras_fmnist.specs import ClassifierSpec, override, settings
from keras_fmnist.study import local, scheduler
from tests.helpers.documents import write_empty_documents
from tests.helpers.numpy_nets import NumpyNets
from tests.helpers.report import LOSSES
from tests.helpers.stand_in import StandIn
from tests.helpers.worlds import MEAN_IMAGE, PCA, explaining, matrix

# A shell starts what runs in its background deaf to Ctrl-C, and every process below inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """Where tests run side by side the longest begin, and no core waits for them at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.name != "test_backends.py")


@pytest.fixture
def tally(record_property):
    """`tally(what, count)`: counts that are summed up and shown below the tests."""
    return lambda what, count=1: record_property(what, count)


def pytest_terminal_summary(terminalreporter):
    counts = collections.Counter()
    for report in terminalreporter.getreports("passed"):
        for what, count in report.user_properties:
            counts[what] += count
    for what, count in counts.items():
        terminalreporter.write_line(f"{what}: {count}")


@pytest.fixture(scope="session")
def dataset():
    """190 training and 100 test images: in batches of 90 the last holds 10 of them."""
    return data.make_synthetic(190, 100)


@pytest.fixture(scope="session")
def tiny():
    """`tiny(spec, …)`: two epochs of batches of 90, 90 and 10 for a spec and its autoencoder."""

    def shrink(spec, **changes):
        base = {"epochs": min(spec.epochs, 2), "batch_size": 90}
        if isinstance(spec, ClassifierSpec):
            base |= {f"autoencoder_{name}": value for name, value in base.items()}
        return override(spec, base | changes)

    return shrink


@pytest.fixture(scope="session")
def reference():
    return NumpyNets()


def scaled(images):
    return images.astype(np.float32) / 255


@pytest.fixture(scope="session")
def make_record(dataset):
    """`make_record(experiment, seed, …)`: a record of three epochs that nothing was trained for."""

    def make(experiment, seed=0, **changes):
        is_classifier = isinstance(experiment, ClassifierSpec)
        metrics = ("loss", "accuracy") if is_classifier else ("loss",)
        names = [prefix + metric for metric in metrics for prefix in ("", "train_eval_", "val_")]
        rng = np.random.default_rng(seed)
        history = {name: rng.uniform(0.1, 0.9, 3).round(4).tolist() for name in names}
        outcome = {"confusion_matrix": (90 * np.eye(10, dtype=int) + 1).tolist()}
        if not is_classifier:
            rows = dataset.find_first_of_each_class()
            originals = scaled(dataset.test_images[rows])
            outcome = {
                "images": {
                    "test_rows": rows,
                    "originals": pack_images(originals),
                    "reconstructions": pack_images(originals / 2),
                }
            }
        values = {
            "report": experiment.report,
            "experiment": experiment.name,
            "spec": settings(experiment),
            "seed": seed,
            "examples": 60_000,
            "backend": "torch",
            "device": "cpu",
            "versions": {"python": "3.11.2", "keras": "3.15.1"},
            "commit": "0" * 40,
            "command": f"python -m experiments.mansilla {experiment.name} --seed {seed}",
            "started": "2025-01-01T00:00:00+00:00",
            "seconds": {"total": 30.5, "cpu": 28.1, "per_epoch": [10.0, 10.0, 10.5]},
            "parameters": {"total": 116_417, "trainable": 116_417},
            "data_sha256": "a" * 64,
            "weights_sha256": {"initial": "b" * 64, "final": "c" * 64},
            "history": history,
            "metrics": {name: curve[-1] for name, curve in history.items()},
            **outcome,
        }
        return Record(**values | changes)

    return make


@pytest.fixture(scope="session")
def studied(tmp_path_factory, dataset, tiny):
    """A folder with the run of a classifier, without a ReLU on its logits, and that of its base."""
    from tests.helpers.train import train_spec  # imports Keras, which many a test file needs not

    out = tmp_path_factory.mktemp("studied")
    train_spec(tiny(CLASSIFIER_FULL, relu_logits=False), 0, out, fast=False, dataset=dataset)
    return out


@pytest.fixture(scope="session")
def put_record():
    """`put_record(out, record)`: writes a record where it belongs, and returns its path."""

    def put(out, record):
        path = record.files(out).record
        write_dataclass(path, record)
        return path

    return put


@pytest.fixture
def run_command(tmp_path, monkeypatch, capsys, dataset):
    """`run_command(*words)` in an empty folder: exit status, stdout and stderr of `keras-fmnist`.

    No published study lies with the package. With `report="mansilla"` they are those of
    `python -m experiments.mansilla`. Synthetic images stand in the place of the data.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arguments, "find_published", lambda: None)
    monkeypatch.setattr(data, "load", lambda: dataset)
    for name in ("CUDA_VISIBLE_DEVICES", "KERAS_TORCH_DEVICE"):  # commands set them
        monkeypatch.setenv(name, os.environ.get(name, ""))
        if not os.environ[name]:
            monkeypatch.delenv(name)
    before = signal.getsignal(signal.SIGTERM)

    def call(*words, report=None):
        component = build_experiment_commands(REPORTS[report]) if report else build_menu(CATALOGUE)
        return app.main(component, report or "keras-fmnist", words), *capsys.readouterr()

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def stand_in(tmp_path, monkeypatch, make_record, put_record):
    """A cheap command in the place of every run of a study."""
    found = StandIn(tmp_path / "stand_in", make_record, put_record)
    monkeypatch.setattr(local, "split_command", found.split_command)
    monkeypatch.setattr(scheduler, "POLL", 0.02)
    return found


@pytest.fixture(scope="session")
def built_study(tmp_path_factory, make_record, put_record):
    """A checkout of its own: documents with markers, one record, and what it gives."""
    root = tmp_path_factory.mktemp("checkout")
    write_empty_documents(root)
    # Without curves one figure and no plot have to be drawn.
    put_record(root / STUDY, make_record(UNTRAINED, history={}, metrics=LOSSES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_fmnist.reporting.build.__file__", _build_file(root))
        write_report(CATALOGUE, out=str(root / STUDY))
    return root


@pytest.fixture
def study(tmp_path, built_study, monkeypatch):
    """A copy of `built_study` in an empty folder: its folder of records."""
    shutil.copytree(built_study, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("keras_fmnist.reporting.build.__file__", _build_file(tmp_path))
    return tmp_path / STUDY


def _build_file(root):
    """Where `reporting/build.py` would lie in another checkout; it finds the README from there."""
    return str(root / "keras_fmnist" / "reporting" / "build.py")


@pytest.fixture(scope="session")
def show_run(make_record):
    """`show_run(spec, seed, **shown)`: a record of all epochs; seeds differ by a thousandth."""

    def make(spec, seed, examples=60_000, **shown):
        classifies = isinstance(spec, ClassifierSpec)
        metrics = ("loss", "accuracy") if classifies else ("loss",)
        names = [prefix + metric for metric in metrics for prefix in ("", "train_eval_", "val_")]
        history = {}
        for name in names:
            curve, n = shown.pop(name, 0.5), max(spec.epochs, 1)
            values = curve(n) if callable(curve) else np.full(n, curve)
            history[name] = (values * (1 + 0.001 * (seed % 3))).tolist()
        metrics = {name: curve[-1] for name, curve in history.items()}
        if not classifies:
            metrics |= {"mean_image_loss": MEAN_IMAGE, "pca_loss": PCA}
        plain = matrix() if classifies else explaining(0.5)
        return make_record(
            spec,
            seed,
            examples=examples,
            metrics=metrics,
            history=history if spec.epochs else {},
            **plain | shown,
        )

    return make


@pytest.fixture
def verdict(show_run):
    """`verdict(claim, *worlds)`: what is said of it where each seed shows one of the worlds."""

    def judged(claim, *worlds):
        specs = {spec.name: spec for spec in claim.holds.specs}
        records = [
            show_run(specs[name], seed, **shown)
            for seed, world in enumerate(worlds)
            for name, shown in world.items()
        ]
        (found,) = judge_claims([claim], records)
        return found

    return judged


@pytest.fixture(scope="session")
def small():
    """110 training and 40 test images: in batches of 30 an epoch has four steps."""
    return data.make_synthetic(110, 40)


@pytest.fixture(scope="session")
def trained_base(studied):
    """The autoencoder of `studied`."""
    from tests.helpers.nets import load_net

    return load_net(studied, CLASSIFIER_FULL.autoencoder)


@pytest.fixture(scope="session")
def measured_space(trained_base, dataset):
    """Its latent space."""
    from keras_fmnist.inference.latent import measure_latent_space

    return measure_latent_space(trained_base, dataset)


@pytest.fixture(scope="session")
def whole(tmp_path_factory, small):
    """`base` in two epochs of four steps on `small`, run in one go."""
    from tests.helpers.killed_runs import Run

    spec = override(BASE, {"epochs": 2, "batch_size": 30})
    run = Run(spec, tmp_path_factory.mktemp("whole"), small)
    run()
    return run
