"""The command line: a wrong request ends with one line, and a right one does what it says."""

import functools
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import mansilla
from experiments.__main__ import CATALOGUE, REPORTS
from keras_fmnist import backends, data
from keras_fmnist.cli.commands import train as train_command
from keras_fmnist.cli.menu import build_menu
from keras_fmnist.models import weights
from keras_fmnist.records.record import read_record
from keras_fmnist.reporting import figures
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, override, setting_fields, settings
from keras_fmnist.training import train
from tests.helpers.bad_command_lines import BAD, PICTURES
from tests.helpers.folders import list_folder
from tests.helpers.processes import run_python
from tests.helpers.repository import ROOT
from tests.helpers.train import train_spec

SPECS = mansilla.SPECS


@pytest.fixture
def run_mansilla(run_command):
    """`run_command` of `python -m experiments.mansilla`."""
    return functools.partial(run_command, report="mansilla")


def assert_refused(answer, words, name="mansilla"):
    status, out, err = answer
    assert status == 2, err
    assert out == ""
    assert err.startswith(f"{name}: ")
    assert err.endswith("\n")
    assert err[:-1].isprintable()  # one line, and nothing that moves the cursor of a terminal
    assert len(err) < 1100
    assert words in err


@pytest.fixture
def crowded(tmp_path, monkeypatch):
    """A folder with all that can stand in the way of a path, and a home beside it."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "load", lambda: pytest.fail("asked for the data"))
    monkeypatch.chdir(tmp_path / "home")
    for name in ("here.pt", "model.keras", "model.h5", "model.pkl", "model.npz", "saved_model.pb"):
        Path(name).write_text("mine")
    for name, content in PICTURES.items():
        Path(name).write_bytes(content)
    for name in ("folder", "folder.pt", "folder.json"):
        Path(name).mkdir()
    for name in ("dangling", "dangling.pt"):
        Path(name).symlink_to("nowhere")
    Path("circle").symlink_to("circle")
    os.mkfifo("fifo.pt")
    return tmp_path


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_command_line_ends_with_one_useful_line_and_no_file(
    kind, run_command, crowded, tally
):
    before, wrong = list_folder(crowded), []
    for line, words in BAD[kind]:
        argv = shlex.split(line)
        assert_refused(run_command(*argv), words, "keras-fmnist")
        if argv[0] in REPORTS and len(argv) > 1:
            assert_refused(run_command(*argv[1:], report=argv[0]), words, argv[0])
        if list_folder(crowded) != before:
            wrong.append(line)
    assert not wrong
    tally("bad command lines refused", len(BAD[kind]))


def test_there_are_two_hundred_bad_command_lines_and_no_command_is_left_out():
    lines = [line for pairs in BAD.values() for line, _ in pairs]
    assert len(lines) == len(set(lines)) >= 200
    assert {line.split(" ")[0] for line in lines} > set(build_menu(CATALOGUE))
    assert {line.split(" ")[1] for line in lines if line.startswith("mansilla ")} > {"all", "base"}


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
        "finds no GPU tmp_path; leave it out, or say cpu",
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


# --- right requests ---


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


QUICK = ["--batch_size", "100", "--epochs", "1", "--examples", "100", "--device", "cpu"]
QUICK_HEAD = [*QUICK, "--autoencoder_epochs", "1", "--autoencoder_batch_size", "100"]


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


def test_asked_again_nothing_is_trained_and_other_settings_are_refused(run_mansilla, tmp_path):
    assert run_mansilla("base", *QUICK)[0] == 0
    before = list_folder(tmp_path)
    assert run_mansilla("base", *QUICK)[0] == 0
    assert list_folder(tmp_path) == before
    assert_refused(
        run_mansilla("base", *QUICK, "--latent", "8"),
        "holds a run with latent 64, not 8",
    )
    assert_refused(run_mansilla("classifier_full", *QUICK), "epochs 1, not 15")
    assert list_folder(tmp_path) == before


def test_all_is_refused_before_its_first_run_where_a_later_one_conflicts(run_mansilla, tmp_path):
    assert run_mansilla("base", *QUICK, "--seed", "0")[0] == 0
    before = list_folder(tmp_path)
    line = ["all", "--epochs", "2", "--examples", "100", "--device", "cpu"]
    assert_refused(run_mansilla(*line), "holds a run with")
    assert list_folder(tmp_path) == before


def test_the_list_counts_the_runs_there_are(run_command, tmp_path, make_record, put_record):
    for seed in range(3):
        put_record(tmp_path / "results", make_record(mansilla.SGD, seed))
    status, out, err = run_command("list")
    assert (status, err) == (0, "")
    lines = {line.split()[0]: line.split(maxsplit=3)[1:] for line in out.splitlines()}
    assert lines == {
        spec.id: ["3" if spec is mansilla.SGD else "0", "runs", spec.summary]
        for spec in CATALOGUE.specs
    }


def test_inspect_takes_fresh_weights_where_there_is_no_run(run_command, tmp_path):
    status, out, err = run_command("inspect", "manolucos/baseline", "--seed", "3")
    assert (status, err) == (0, "")
    first, *lines = out.splitlines()
    assert first == (
        "manolucos/baseline: the fresh weights of seed 3, because results holds no trained ones"
    )
    table = {line.split()[0]: line for line in lines if line[:2].islower()}
    assert re.search(r" 12816 +120 of 169 ", table["decoder.deconv1"])
    (losses,) = (line for line in lines if line.startswith("mean_image_loss"))
    assert losses.endswith(", pca_loss 0")  # a code of 800 numbers, and nothing has been trained
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert warnings == lines[-len(warnings) :]
    assert len(warnings) == 5
    assert list_folder(tmp_path) == {}


def test_inspect_takes_settings_and_weights_of_the_run_there_is(
    run_mansilla, run_command, tmp_path, dataset, reference
):
    narrow = [*QUICK, "--latent", "8", "--out", "results"]
    assert run_mansilla("base", *narrow)[0] == 0
    before = list_folder(tmp_path)
    (path,) = (tmp_path / "results/mansilla/base").glob("*.json")
    record = read_record(path)
    status, out, err = run_command("inspect", "mansilla/base")
    assert (status, err) == (0, "")
    first, *lines = out.splitlines()
    weights_path = path.with_suffix(".safetensors").relative_to(tmp_path)
    assert (
        first == f"mansilla/base; epochs 1, not 15; latent 8, not 64: the weights of {weights_path}"
    )
    arrays = weights.load(weights_path, record.weights_sha256["final"])
    codes = reference.encode(arrays, dataset.test_images / 255)
    dead = (codes == 0).all(axis=0).sum()
    assert f"dead latents: {dead} of 8" in lines
    losses = {name: record.metrics[name] for name in ("mean_image_loss", "pca_loss", "val_loss")}
    assert ", ".join(f"{name} {loss:.4g}" for name, loss in losses.items()) in lines
    assert any("no better than PCA of the same size" in line for line in lines)
    status, out, err = run_command("inspect", "mansilla/base", "--seed", "1")
    assert out.startswith("mansilla/base: the fresh weights of seed 1, because results holds no")
    assert list_folder(tmp_path) == before


def test_inspect_counts_the_dead_logits_that_a_classifiers_record_has(
    run_mansilla, run_command, tmp_path
):
    assert run_mansilla("classifier_frozen", *QUICK_HEAD, "--out", "results")[0] == 0
    (path,) = (tmp_path / "results/mansilla/classifier_frozen").glob("*.json")
    status, out, err = run_command("inspect", "mansilla/classifier_frozen")
    assert (status, err) == (0, "")
    dead = read_record(path).metrics["dead_logits"]
    assert f"dead logits: {dead} of 10" in out.splitlines()
    assert "pca_loss" not in out
    assert "decoder" not in out


def test_inspect_refuses_damaged_weights_and_does_without_missing_ones(
    run_mansilla, run_command, tmp_path
):
    assert run_mansilla("base", *QUICK, "--out", "results")[0] == 0
    (path,) = tmp_path.rglob("*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes([content[-4] ^ 1]) + content[-3:])
    status, out, err = run_command("inspect", "mansilla/base")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert path.name in err
    path.unlink()
    status, out, err = run_command("inspect", "mansilla/base")
    assert (status, err) == (0, "")
    assert "the fresh weights of seed 0" in out.splitlines()[0]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (data.DataError("no source\nhas the data"), 1, "no source has the data"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (RuntimeError("it broke"), 1, "it broke"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=["data", "disk", "run", "ctrl-c"],
)
def test_a_failure_while_running_is_one_line_and_its_own_status(
    run_mansilla, monkeypatch, error, status, words
):
    @functools.wraps(train_command.train_experiments)
    def fail(*_, **__):
        raise error

    monkeypatch.delenv("KERAS_FMNIST_TRACEBACK", raising=False)
    monkeypatch.setattr(train_command, "train_experiments", fail)
    answer = run_mansilla("base")
    assert answer[:2] == (status, "")
    assert answer[2].startswith("mansilla: ")
    assert answer[2].endswith(f"{words}\n")
    assert answer[2].count("\n") == 1


def test_whoever_asks_for_it_gets_the_traceback(run_mansilla, monkeypatch):
    @functools.wraps(train_command.train_experiments)
    def fail(*_, **__):
        raise RuntimeError("it broke")

    monkeypatch.setenv("KERAS_FMNIST_TRACEBACK", "1")
    monkeypatch.setattr(train_command, "train_experiments", fail)
    with pytest.raises(RuntimeError, match="it broke"):
        run_mansilla("base")


def test_a_damaged_record_is_a_failure_that_names_it(run_command, tmp_path):
    path = tmp_path / "results" / "mansilla" / "base" / "seed0-torch-cpu.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    status, out, err = run_command("report")
    assert (status, out) == (1, "")
    assert str(path.relative_to(tmp_path)) in err
    assert err.count("\n") == 1


# --- in a process of its own ---


@pytest.mark.parametrize(
    ("line", "environment", "words"),
    [
        ("experiments.mansilla base --epohcs 1", {}, "did you mean epochs?"),
        ("experiments.mansilla base clear", {}, "clear is a word too many"),
        ("experiments.mansilla base", {"KERAS_BACKEND": "theano"}, "not 'theano'"),
        ("experiments mansilla base --epochs -1", {}, "not -1"),
        ("experiments list -- --interactive", {}, "-- is no word tmp_path"),
        ("experiments list\udcff", {}, "list\\udcff' is no command; did you mean list?"),
    ],
)
def test_the_process_exits_with_2_and_one_line(tmp_path, line, environment, words):
    done = run_python("-m", *line.split(), cwd=tmp_path, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert list_folder(tmp_path) == {}


HELP = """
import contextlib, io, json, sys
from experiments import __main__, mansilla
from keras_fmnist.cli import app
from keras_fmnist.cli.commands.train import build_experiment_commands
from keras_fmnist.cli.menu import build_menu

answers = []
for tool, argv in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        mine = build_experiment_commands(mansilla.SPECS)
        component = build_menu(__main__.CATALOGUE) if tool else mine
        status = app.main(component, "keras-fmnist" if tool else "mansilla", argv)
    answers.append([status, out.getvalue(), err.getvalue()])
heavy = {"keras", "torch", "jax", "tensorflow", "tensorflow_datasets", "matplotlib", "scipy"}
json.dump([answers, sorted(heavy & set(sys.modules))], sys.stdout)
"""
HELPS = [
    (False, [], ["untrained", "classifier_frozen", "all"]),
    (False, ["--help"], ["untrained", "classifier_frozen", "all"]),
    (False, ["-h"], ["untrained", "classifier_frozen", "all"]),
    (False, ["base", "--help"], ["--epochs", "passes over the training images", "Default: 15"]),
    (False, ["base", "--epochs", "1", "--help"], ["--epochs", "--latent"]),
    (False, ["classifier_full", "-h"], ["--frozen", "--autoencoder_latent", "True or False"]),
    (False, ["all", "--help"], ["--seeds", "--epochs", "--out"]),
    (True, [], ["mansilla", "list", "data", "report"]),
    (True, ["--help"], ["mansilla", "list", "data", "report"]),
    (True, ["mansilla"], ["untrained", "classifier_frozen", "all"]),
    (True, ["mansilla", "--help"], ["untrained", "classifier_frozen", "all"]),
    (True, ["mansilla", "base", "--help"], ["--epochs", "keras-fmnist mansilla base"]),
    (True, ["list", "--help"], ["--out", "folder of the records"]),
    (True, ["data", "--help"], ["--force"]),
    (True, ["report", "--help"], ["--out", "--check"]),
    (True, ["claims", "--help"], ["--out", "--json"]),
]


def test_help_is_there_on_every_level_and_loads_nothing_heavy(tmp_path):
    asked = json.dumps([(tool, argv) for tool, argv, _ in HELPS])
    done = run_python("-c", HELP, cwd=tmp_path, text=asked)
    assert done.returncode == 0, done.stderr
    answers, heavy = json.loads(done.stdout)
    assert heavy == []
    assert len(answers) == len(HELPS) == 16
    for (_, argv, words), (status, out, err) in zip(HELPS, answers, strict=True):
        assert (status, err) == (0, ""), argv
        for word in words:
            assert word in out, argv
        for inner in ("FIRE_METADATA", "Optional[]"):
            assert inner not in out, argv
    assert list_folder(tmp_path) == {}


def test_every_setting_of_an_experiment_is_in_its_help_with_its_default(run_mansilla):
    text = run_mansilla("classifier_full", "--help")[1]
    flags = train_command._list_setting_flags(mansilla.CLASSIFIER_FULL)
    own, nested = setting_fields(ClassifierSpec), setting_fields(AutoencoderSpec)
    assert len(flags) == len(own) + len(nested) > 17
    for flag, (default, meaning) in flags.items():
        assert f"--{flag}={flag.upper()}\n        Default: {default!r}\n        {meaning}" in text


def test_a_reader_who_goes_away_is_no_error(tmp_path):
    for buffered in ("", "1"):
        process = subprocess.Popen(
            [sys.executable, "-m", "experiments", "list"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": buffered},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.close()
        complaint = io.TextIOWrapper(process.stderr).read()
        assert (process.wait(timeout=60), complaint) == (0, "")
