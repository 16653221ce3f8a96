"""Fixtures of the whole suite, which runs on torch unless KERAS_BACKEND says otherwise.

What must hold on every backend is marked `portable`; test_backends.py runs it on the others.
"""

import collections
import os
import signal
import subprocess
import sys
import typing
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
# torch reads it once, when it is imported. On batches as small as these a second thread gains
# nothing, and where other processes use the cores every operation waits for the slower one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from experiments.mansilla import CLASSIFIER_FULL
from keras_fmnist import checks, data, results
from keras_fmnist.specs import ClassifierSpec, TransposedConv, override, settings

# A shell starts what runs in its background deaf to Ctrl-C, and every process below inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


TESTS = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items):
    """The other backends are started first, run beside everything else, and are waited for last."""
    items.sort(key=lambda item: "backend_runs" in item.fixturenames)


@pytest.fixture(scope="session", autouse=True)
def _begin_with_other_backends(request):
    if any("backend_runs" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("backend_runs")


@pytest.fixture(scope="session")
def backend_runs(tmp_path_factory):
    """The portable tests on the other backends that are installed: `{name: process}`.

    Each process has a further attribute, `output`: the file of what it says.
    """
    running = {}
    for backend in checks.installed_backends():
        if backend == "torch":
            continue
        folder = tmp_path_factory.mktemp(backend)
        options = ["-o", "addopts=-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'in'}"]
        command = [sys.executable, "-m", "pytest", str(TESTS), *options, "-m", "portable", "-rs"]
        command += [f"--ignore={TESTS / 'test_backends.py'}"]
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
    return data.synthetic(190, 100)


@pytest.fixture(scope="session")
def tiny():
    """`tiny(spec, …)`: two epochs of batches of 90, 90 and 10 for a spec and its autoencoder."""

    def shrink(spec, **changes):
        base = {"epochs": min(spec.epochs, 2), "batch_size": 90}
        if isinstance(spec, ClassifierSpec):
            base |= {f"autoencoder_{name}": value for name, value in base.items()}
        return override(spec, base | changes)

    return shrink


class Reference:
    """The nets of mansilla in numpy and float64, from weights by name and from their formulas."""

    def encode(self, arrays, images):
        """Codes `(n, latent)` of images `(n, 28, 28, 1)` in [0, 1]."""
        x = np.asarray(images, np.float64)
        for number in (1, 2):
            x = self._convolve(x, *self._layer(arrays, f"encoder/conv{number}"))
            x = self._pool(np.maximum(x, 0))
        kernel, bias = self._layer(arrays, "encoder/latent")
        return np.maximum(x.transpose(0, 3, 1, 2).reshape(len(x), -1) @ kernel + bias, 0)

    OUTPUTS: typing.ClassVar = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "linear": lambda x: x,
    }

    def reconstruct(
        self, arrays, images, deconvs=("k4s2o1", "k3s2o1"), output="sigmoid", between=True
    ):
        """What an autoencoder makes of images: `(n, 28, 28, 1)`, in [0, 1] with a sigmoid."""
        kernel, bias = self._layer(arrays, "decoder/hidden")
        x = np.maximum(self.encode(arrays, images) @ kernel + bias, 0)
        x = x.reshape(len(x), -1, 5, 5).transpose(0, 2, 3, 1)
        first, second = map(TransposedConv.parse, deconvs)
        x = self._deconvolve(x, *self._layer(arrays, "decoder/deconv1"), first)
        x = np.maximum(x, 0) if between else x
        x = self._deconvolve(x, *self._layer(arrays, "decoder/deconv2"), second)
        return self.OUTPUTS[output](x)

    def classify(self, arrays, images):
        """Logits `(n, 10)`, with the report's ReLU on them."""
        kernel, bias = self._layer(arrays, "logits")
        return np.maximum(self.encode(arrays, images) @ kernel + bias, 0)

    def cross_entropy(self, logits, labels):
        """Mean over all examples."""
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=1))
        return (log_sums - shifted[np.arange(len(labels)), labels]).mean()

    def _layer(self, arrays, name):
        return (arrays[f"{name}/{kind}"].astype(np.float64) for kind in ("kernel", "bias"))

    def _convolve(self, x, kernel, bias):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        return np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True) + bias

    def _pool(self, x):
        n, height, width, channels = x.shape
        x = x[:, : height // 2 * 2, : width // 2 * 2]
        return x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))

    def _deconvolve(self, x, kernel, bias, shape):
        n, size = x.shape[:2]
        whole = (size - 1) * shape.stride + shape.kernel + shape.output_padding
        out = np.zeros((n, whole, whole, kernel.shape[2]))
        reach = (size - 1) * shape.stride + 1
        for row, column in np.ndindex(shape.kernel, shape.kernel):
            taps = np.s_[
                :, row : row + reach : shape.stride, column : column + reach : shape.stride
            ]
            out[taps] += x @ kernel[row, column].T
        return out + bias


@pytest.fixture(scope="session")
def reference():
    return Reference()


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
            rows = [int(np.argmax(dataset.test_labels == label)) for label in range(10)]
            originals = scaled(dataset.test_images[rows])
            outcome = {
                "images": {
                    "test_rows": rows,
                    "originals": results.pack_images(originals),
                    "reconstructions": results.pack_images(originals / 2),
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
        return results.Record(**values | changes)

    return make


@pytest.fixture(scope="session")
def studied(tmp_path_factory, dataset, tiny):
    """A folder with the run of a classifier, without a ReLU on its logits, and that of its base."""
    from keras_fmnist import train

    out = tmp_path_factory.mktemp("studied")
    train.run(tiny(CLASSIFIER_FULL, relu_logits=False), 0, out, fast=False, dataset=dataset)
    return out


@pytest.fixture(scope="session")
def put_record():
    """`put_record(out, record)`: writes a record where it belongs, and returns its path."""

    def put(out, record):
        path = results.path_of(out, record)
        results.write(path, record)
        return path

    return put
