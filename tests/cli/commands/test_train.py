"""An experiment's command: what is refused first, what flags become, what a run leaves."""

import errno
import functools
import os
import shlex
import shutil
import signal
from pathlib import Path

import keras
import pytest

from experiments import mansilla
from experiments.mansilla import BASE
from keras_fmnist import backends, data, fast_fit
from keras_fmnist.cli.commands import train as train_command
from keras_fmnist.records.record import read_record
from keras_fmnist.reporting import figures
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, override, setting_fields, settings
from keras_fmnist.training import checkpoint_file, train
from tests.helpers.commands import QUICK, QUICK_HEAD, assert_refused
from tests.helpers.folders import list_folder
from tests.helpers.killed_runs import Run, after, replaced
from tests.helpers.train import train_spec

SPECS = mansilla.SPECS


@pytest.mark.parametrize("out", ["file", "file/below", "./file/a/b"])
def test_a_file_in_the_place_of_the_folder_is_refused(run_mansilla, tmp_path, out):
    (tmp_path / "file").write_text("mine")
    assert_refused(
        run_mansilla("base", "--epochs", "1", "--out", out),
        f"{tmp_path / 'file'} is a file",
    )
    assert list_folder(tmp_path) == {tmp_path / "file": b"mine"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(run_mansilla, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert_refused(run_mansilla("base", "--out", "locked/runs"), "cannot be written")


def test_a_gpu_that_is_not_there_is_refused(run_mansilla, tmp_path, monkeypatch):
    monkeypatch.setattr(backends, "find_device", lambda: "cpu")
    assert_refused(
        run_mansilla("base", "--device", "gpu"),
        "finds no GPU here; leave it out, or say cpu",
    )
    assert list_folder(tmp_path) == {}


@pytest.mark.parametrize("backend", ["theano", "", "Torch"])
def test_an_unknown_backend_is_refused(run_mansilla, tmp_path, monkeypatch, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert_refused(run_mansilla("base"), f"must be torch, jax, tensorflow, not {backend!r}")
    assert list_folder(tmp_path) == {}


def test_a_backend_that_is_not_installed_is_refused_with_the_way_to_install_it(
    run_mansilla, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert_refused(
        run_mansilla("base"),
        "jax is not installed: pip install 'keras-fmnist[jax]'",
    )
    assert list_folder(tmp_path) == {}


@pytest.mark.parametrize("flag", ["--track tensorboard", "--checkpoint_every 5", "--deterministic"])
def test_what_native_pytorch_does_not_have_is_refused_with_it(run_mansilla, tmp_path, flag):
    assert_refused(
        run_mansilla("base", "--backend", "pytorch", *flag.split()),
        "belong to Keras's fit: leave them out with --backend pytorch",
    )
    assert list_folder(tmp_path) == {}


def test_the_backend_pytorch_trains_without_keras(run_mansilla, tmp_path, monkeypatch):
    trained = []

    def train(run, out, force):
        trained.append((run.title, run.backend, out, force))
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_fmnist.pytorch.train.train_native", train)
    run_mansilla("base", "--seed", "3", "--backend", "pytorch", "--out", "here")
    assert trained == [("mansilla/base seed 3", "pytorch", "here", False)]


@pytest.fixture
def chosen(monkeypatch):
    """What `train_experiments` is asked for, in place of running it."""
    calls = []

    @functools.wraps(train_command.train_experiments)  # whose signature has the flags
    def note(specs, **given):
        calls.append((specs, given))

    monkeypatch.setattr(train_command, "train_experiments", note)
    return calls


@pytest.mark.parametrize(
    ("line", "changes", "flags"),
    [
        ("base", {}, {}),
        ("base --epochs 2 --seed 3", {"epochs": 2}, {"seed": 3}),
        ("base --epochs=2 --device=cpu", {"epochs": 2}, {"device": "cpu"}),
        ("base --batch-size 50", {"batch_size": 50}, {}),
        ("base --kernels 8,16 --latent 32", {"kernels": (8, 16), "latent": 32}, {}),
        ("base --optimizer sgd --momentum 0.9", {"optimizer": "sgd", "momentum": 0.9}, {}),
        ("base --deconv2 k4s2 --dropout 0", {"deconv2": "k4s2", "dropout": 0}, {}),
        (
            "base --force --out a/b --examples 100",
            {},
            {"force": True, "out": "a/b", "examples": 100},
        ),
        (
            "base --resume --checkpoint_every 100 --deterministic",
            {},
            {"resume": True, "checkpoint_every": 100, "deterministic": True},
        ),
        ("classifier_full --frozen", {"frozen": True}, {}),
        ("classifier_full --norelu_logits", {"relu_logits": False}, {}),
        ("classifier_frozen --autoencoder_epochs 1", {"autoencoder_epochs": 1}, {}),
    ],
)
def test_flags_become_settings_and_nothing_else_changes(run_mansilla, chosen, line, changes, flags):
    name, *rest = shlex.split(line)
    assert run_mansilla(name, *rest)[0] == 0
    (((spec,), given),) = chosen
    declared = next(spec for spec in SPECS if spec.name == name)
    assert spec == override(declared, changes)
    assert given == flags


def test_the_command_in_a_record_asks_for_the_same_run_again(
    run_mansilla, chosen, dataset, tmp_path, tiny
):
    spec = tiny(
        mansilla.CLASSIFIER_FULL, epochs=0, autoencoder_epochs=0, autoencoder_kernels=(2, 3)
    )
    record = train_spec(spec, 5, tmp_path, examples=50, dataset=dataset)
    python, module, report, *words = shlex.split(record.command)
    assert (python, module, report) == ("python", "-m", "experiments.mansilla")
    assert run_mansilla(*words)[0] == 0
    (((again,), given),) = chosen
    assert settings(again) == record.spec
    assert given == {"seed": 5, "device": record.device, "examples": 50}


def test_all_are_every_experiment_in_order_and_epochs_reach_those_that_train(
    run_mansilla, make_record, put_record, monkeypatch
):
    runs = []

    def note(run, out, options):
        runs.append(run)
        record = make_record(run.spec, run.seed, backend=run.backend, device=run.device)
        put_record(out, record)
        return record

    monkeypatch.setattr(train, "train_run", note)
    monkeypatch.setattr(figures, "draw", lambda out, experiment_id: [Path(out, experiment_id, "a")])
    status, _, err = run_mansilla("all", "--epochs", "2", "--seeds", "3")
    assert (status, err) == (0, "")
    assert [(run.spec.name, run.seed) for run in runs] == [
        (spec.name, seed) for spec in SPECS for seed in range(3)
    ]
    specs = [run.spec for run in runs[::3]]
    assert [spec.epochs for spec in specs[:7]] == [0, 2, 2, 2, 2, 2, 2]
    assert [spec.autoencoder.epochs for spec in specs[5:7]] == [2, 2]


def test_a_run_leaves_record_weights_and_figures_and_says_where(run_mansilla, tmp_path):
    status, out, err = run_mansilla("classifier_frozen", *QUICK_HEAD)
    assert (status, err) == (0, "")
    stem = f"seed0-{train.keras.backend.backend()}-cpu"
    files = sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    figures = [
        f"classifier_frozen_{name}.{end}"
        for name in ("accuracy", "confusion", "loss")
        for end in ("png", "svg")
    ]
    assert files == sorted(
        [f"runs/mansilla/base/{stem}.{end}" for end in ("json", "safetensors")]
        + [f"runs/mansilla/classifier_frozen/{stem}.{end}" for end in ("json", "safetensors")]
        + [f"runs/mansilla/classifier_frozen/{name}" for name in figures]
    )
    first, second = out.splitlines()
    record = read_record(tmp_path / f"runs/mansilla/classifier_frozen/{stem}.json")
    assert first.startswith("mansilla/classifier_frozen seed 0: ")
    assert f"val_accuracy {record.metrics['val_accuracy']:.4g}" in first
    assert second == "  runs/mansilla/classifier_frozen: record, weights and 3 figures"
    sha = record.weights_sha256
    assert sha["encoder_initial"] == sha["encoder_final"]


def test_asked_again_nothing_is_trained_and_other_settings_are_refused(
    run_mansilla, quick_runs, tmp_path, monkeypatch
):
    shutil.copytree(quick_runs / "base", "runs")
    monkeypatch.setattr(keras.Model, "fit", None)
    assert run_mansilla("base", *QUICK)[0] == 0  # which draws the figures
    before = list_folder(tmp_path)
    assert run_mansilla("base", *QUICK)[0] == 0
    assert list_folder(tmp_path) == before
    assert_refused(
        run_mansilla("base", *QUICK, "--latent", "8"),
        "holds a run with latent 64, not 8",
    )
    assert_refused(run_mansilla("classifier_full", *QUICK), "epochs 1, not 15")
    assert list_folder(tmp_path) == before


def test_all_is_refused_before_its_first_run_where_a_later_one_conflicts(
    run_mansilla, quick_runs, tmp_path
):
    shutil.copytree(quick_runs / "base", "runs")
    before = list_folder(tmp_path)
    line = ["all", "--epochs", "2", "--examples", "100", "--device", "cpu"]
    assert_refused(run_mansilla(*line), "holds a run with")
    assert list_folder(tmp_path) == before


def test_every_setting_of_an_experiment_is_in_its_help_with_its_default(run_mansilla):
    text = run_mansilla("classifier_full", "--help")[1]
    flags = train_command._list_setting_flags(mansilla.CLASSIFIER_FULL)
    own, nested = setting_fields(ClassifierSpec), setting_fields(AutoencoderSpec)
    assert len(flags) == len(own) + len(nested) > 17
    for flag, (default, meaning) in flags.items():
        assert f"--{flag}={flag.upper()}\n        Default: {default!r}\n        {meaning}" in text


@pytest.fixture
def run_base(run_command, monkeypatch, small):
    """`run_base(…)`: exit status and the lines of stderr of mansilla's base, on `small`."""
    monkeypatch.setattr(data, "load", lambda: small)
    monkeypatch.setattr(fast_fit, "accelerate", lambda model, **_: model)  # tracing takes seconds

    def call(*words):
        line = "base --epochs 2 --batch_size 30 --examples 110 --device cpu"
        with keras.device("cpu"):
            status, _, err = run_command(*line.split(), *words, report="mansilla")
        return status, err.splitlines()

    return call


@pytest.fixture
def typed(tmp_path, small):
    """What `run_base` runs."""
    return Run(override(BASE, {"epochs": 2, "batch_size": 30}), tmp_path / "runs", small)


@pytest.mark.parametrize(
    ("number", "step", "saved"),
    [
        (signal.SIGINT, 6, (1, 2)),
        (signal.SIGTERM, 6, (1, 2)),
        (signal.SIGTERM, 4, (1, 0)),
        (signal.SIGTERM, 8, (2, 0)),
    ],
    ids=["ctrl-c", "sigterm", "last step", "last step of all"],
)
def test_a_signal_stops_a_run_where_it_can_be_saved_and_130_says_how_to_go_on(
    run_base, typed, whole, number, step, saved
):
    with after(step, lambda: os.kill(os.getpid(), number)) as taken:
        status, lines = run_base()
    assert status == 130
    assert lines == ["mansilla: interrupted: the same command with --resume goes on"]
    assert len(taken) == step
    state = checkpoint_file.read(typed.checkpoint)[1]
    assert (state["epoch"], state["step"]) == saved
    status, lines = run_base()
    assert status == 2
    assert lines == [
        "mansilla: runs/mansilla/base/seed0-torch-cpu.checkpoint is of an interrupted run: "
        "--resume continues it, --force starts again"
    ]
    with after(8 - step + 1, lambda: pytest.fail("a step was taken again")):
        assert run_base("--resume") == (0, [])
    assert read_record(typed.record).resumed_at == [saved[0]]
    assert typed.outcome() == whole.outcome()


def test_a_full_disk_is_one_line_and_exit_status_1(run_base, typed, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with replaced(os, "fsync", full):
        status, lines = run_base()
    assert status == 1
    assert lines == [
        "mansilla: runs/mansilla/base/seed0-torch-cpu.checkpoint cannot be written "
        "(No space left on device); once it can, the same command with --resume goes on"
    ]
    assert typed.names() == []
    assert run_base("--resume") == (0, [])


def test_a_read_only_folder_is_one_line_and_exit_status_1(run_base, typed, monkeypatch):
    def refuse(path, flags, *rest, **more):  # root, who runs many a test, is refused nothing
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return open_file(path, flags, *rest, **more)

    open_file = os.open
    with replaced(os, "open", refuse):
        status, (line,) = run_base()
    assert status == 1
    assert "seed0-torch-cpu.lock cannot be written (Read-only file system)" in line
    assert typed.names() == []
