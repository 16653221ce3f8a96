"""Tracking: every epoch's numbers arrive where they were asked for, and the end is marked.

MLflow and TensorBoard are stood in for by what records their calls; where they are installed, what
they have really written is read back.
"""

import contextlib
import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.arguments import TRACKERS, check_tracker
from keras_fmnist.inference import trained
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import Run
from keras_fmnist.settings import SpecError
from keras_fmnist.training import callbacks, tracking, train
from keras_fmnist.training.callbacks import DivergedError
from tests.helpers.train import train_spec

STARTED = "2025-01-02T03:04:05+00:00"


class Mlflow:
    """In the place of `MlflowClient`: what it was told, in order."""

    def __init__(self):
        self.told, self.experiments, self.runs = [], {}, {}

    def __call__(self, uri):
        self.told.append(("open", uri))
        return self

    def get_experiment_by_name(self, name):
        found = self.experiments.get(name)
        return found and SimpleNamespace(experiment_id=found)

    def create_experiment(self, name):
        assert name not in self.experiments  # MLflow refuses it
        self.experiments[name] = f"experiment {name}"
        return self.experiments[name]

    def create_run(self, experiment_id, run_name):
        self.told.append(("begin", experiment_id, run_name))
        run = SimpleNamespace(info=SimpleNamespace(run_id=f"run of {experiment_id}"))
        self.runs[experiment_id, f"attributes.run_name = '{run_name}'"] = run
        return run

    def search_runs(self, experiment_ids, filter_string, max_results):
        (experiment_id,) = experiment_ids
        run = self.runs.get((experiment_id, filter_string))
        return [run] if run else []

    def update_run(self, run_id, status):
        self.told.append(("again", run_id, status))

    def log_batch(self, run_id, metrics=(), params=()):
        if params:
            self.told.append(("params", dict(params)))
        else:
            (step,) = {metric[3] for metric in metrics}
            self.told.append((run_id, step, {name: value for name, value, _, _ in metrics}))

    def set_terminated(self, run_id, status):
        self.told.append(("end", run_id, status))


@pytest.fixture
def mlflow(monkeypatch):
    client = Mlflow()
    modules = {"mlflow": ModuleType("mlflow"), "mlflow.entities": ModuleType("mlflow.entities")}
    modules["mlflow"].MlflowClient = client
    modules["mlflow.entities"].Metric = lambda *given: given
    modules["mlflow.entities"].Param = lambda *given: given
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return client


@pytest.fixture
def tensorboard(monkeypatch):
    """What stood-in writers were told: `{folder: [(name, value, epoch) …, "closed"]}`."""
    told = {}

    class Writer:
        def __init__(self, folder):
            self.lines = told.setdefault(folder, [])

        def add_scalar(self, name, value, step):
            self.lines.append((name, value, step))

        def flush(self):
            self.lines.append("flushed")

        def close(self):
            self.lines.append("closed")

    modules = {name: ModuleType(name) for name in ("tensorboard", "tensorboard.summary")}
    modules["tensorboard.summary"].Writer = Writer
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return told


def epochs_of(record):
    """Every epoch of a record: `{1: {name: value}, …}`."""
    length = len(record.history["loss"])
    return {
        epoch + 1: {name: curve[epoch] for name, curve in record.history.items()}
        for epoch in range(length)
    }


def test_mlflow_hears_every_epoch_of_the_autoencoder_and_of_its_classifier(
    mlflow, tmp_path, dataset, tiny, studied
):
    spec = tiny(CLASSIFIER_FULL, relu_logits=False)
    train_spec(spec, 0, tmp_path, fast=False, dataset=dataset, track="mlflow")
    opened = ("open", f"sqlite:///{tmp_path}/mlflow.db")
    (params,) = (told[1] for told in mlflow.told if told[0] == "params" and "frozen" in told[1])
    assert params["seed"] == "0"
    assert params["autoencoder_latent"] == "64"
    assert params["learning_rate"] == "0.001"
    told = [line for line in mlflow.told if line[0] != "params"]
    tracked, expected = read_records(tmp_path), []
    # The same runs without a tracker: it changes no bit.
    for record in (trained.find(studied, BASE.id), trained.find(studied, CLASSIFIER_FULL.id)):
        run = f"run of experiment {record.id}"
        (started,) = (r.started for r in tracked if r.id == record.id)
        name = run_name(record, started)
        expected += [opened, ("begin", f"experiment {record.id}", name)]
        expected += [(run, epoch, numbers) for epoch, numbers in epochs_of(record).items()]
        expected.append(("end", run, "FINISHED"))
    # The autoencoder is trained within the classifier's run, before the classifier's own begins.
    assert told == expected
    assert len(epochs_of(record)) == 2
    ours, theirs = ([r.weights_sha256 for r in read_records(o)] for o in (tmp_path, studied))
    assert ours == theirs


def run_name(record, started):
    """How a run is called there: its file and when it was first started, without colons."""
    clock = started.removesuffix("+00:00").replace(":", "")
    return f"seed{record.seed}-{record.backend}-{record.device}-{clock}"


class Stopped(BaseException):
    """The end of a process in the middle of its run."""


@pytest.mark.parametrize("step", [3, 4], ids=["at the end of an epoch", "within one"])
def test_a_resumed_run_goes_on_in_the_run_and_in_the_folder_that_are_there(
    mlflow, tensorboard, tmp_path, dataset, tiny, studied, monkeypatch, step
):
    """Two epochs of three steps; the process ends after some, and another one goes on."""
    taken = []

    class Ending(callbacks.Progress):
        def on_train_batch_begin(self, batch, logs=None):
            taken.append(batch)
            if len(taken) == step + 1:
                raise Stopped

    plain = trained.find(studied, BASE.id)
    for track in TRACKERS:
        out, settings = tmp_path / track, {"fast": False, "dataset": dataset, "track": track}
        settings |= {"resume": True, "checkpoint_every": 1}
        with monkeypatch.context() as patch:
            patch.setattr(train, "Progress", Ending)
            with pytest.raises(Stopped):
                train_spec(tiny(BASE), 0, out, **settings)
        taken.clear()
        record = train_spec(tiny(BASE), 0, out, **settings)
        assert record.resumed_at == [1]
        assert record.weights_sha256 == plain.weights_sha256

    run = "run of experiment mansilla/base"
    told = [line for line in mlflow.told if line[0] not in ("params", "open")]
    assert [line[0] for line in told] == ["begin", run, "end", "again", run, "end"]
    assert {line[1]: line[2] for line in told if line[0] == run} == epochs_of(plain)
    assert [line[2] for line in told if line[0] == "end"] == ["FAILED", "FINISHED"]
    ((folder, lines),) = tensorboard.items()
    assert folder.endswith(f"/mansilla/base/{run_name(record, record.started)}")
    values = [line for line in lines if isinstance(line, tuple)]
    assert values == [
        (name, value, epoch)
        for epoch, numbers in epochs_of(plain).items()
        for name, value in sorted_as(values, numbers)
    ]


def sorted_as(values, numbers):
    """An epoch's numbers in the order in which they were told."""
    order = list(dict.fromkeys(name for name, _, _ in values))
    return sorted(numbers.items(), key=lambda item: order.index(item[0]))


def test_a_second_run_joins_the_experiment_that_is_there(mlflow, tmp_path):
    for seed in (0, 1):
        with track_base("mlflow", tmp_path, seed):
            pass
    names = [line[2] for line in mlflow.told if line[0] == "begin"]
    assert names == [f"seed{seed}-torch-cpu-2025-01-02T030405" for seed in (0, 1)]
    assert list(mlflow.experiments) == ["mansilla/base"]


@pytest.mark.parametrize(
    ("error", "status"), [(DivergedError("nan"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_a_run_that_breaks_off_is_marked_so(mlflow, tmp_path, error, status):
    with (
        pytest.raises(type(error)),
        track_base("mlflow", tmp_path),
    ):
        raise error
    assert mlflow.told[-1] == ("end", "run of experiment mansilla/base", status)


NUMBERS = [{"loss": 0.5, "val_loss": 0.25}, {"loss": 0.125, "val_loss": 0.0625}]


def track_base(track, out, seed=0):
    """What tracks a run of base on torch and the CPU."""
    return tracking.follow(track, Run(BASE, seed, "torch", "cpu"), out, STARTED)


def follow(track, out):
    """Two epochs of a run, as `fit` would tell them."""
    with track_base(track, out) as (tracker,):
        for epoch, logs in enumerate(NUMBERS):
            tracker.on_epoch_end(epoch, logs)


def test_tensorboard_is_written_epoch_by_epoch_and_closed(tensorboard, tmp_path):
    follow("tensorboard", tmp_path)
    ((folder, lines),) = tensorboard.items()
    assert folder == f"{tmp_path}/tensorboard/mansilla/base/seed0-torch-cpu-2025-01-02T030405"
    first, second = ([*numbers.items()] for numbers in NUMBERS)
    assert lines == [
        *((name, value, 1) for name, value in first),
        "flushed",
        *((name, value, 2) for name, value in second),
        "flushed",
        "closed",
    ]


def test_a_writer_is_closed_where_the_run_breaks_off(tensorboard, tmp_path):
    with (
        contextlib.suppress(KeyboardInterrupt),
        track_base("tensorboard", tmp_path),
    ):
        raise KeyboardInterrupt
    assert list(tensorboard.values()) == [["closed"]]


def test_without_a_tracker_nothing_is_opened(tmp_path):
    with track_base(None, tmp_path) as callbacks:
        assert callbacks == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("track", "missing"),
    [("mlflow", "mlflow"), ("mlflow", "alembic"), ("tensorboard", "tensorboard")],
)
def test_a_tracker_that_is_not_installed_is_asked_for_by_the_name_of_its_extra(
    monkeypatch, track, missing
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else name)
    with pytest.raises(SpecError) as error:
        check_tracker(track, "runs")
    assert str(error.value) == f"{missing} is not installed: pip install 'keras-fmnist[{track}]'"


def test_only_what_is_known_can_track():
    for track in ("wandb", True, 3, ["mlflow"], ""):
        with pytest.raises(SpecError, match="track must be mlflow or tensorboard, not"):
            check_tracker(track, "runs")
    check_tracker(None, "runs")


def steps_of(name):
    return [(epoch, numbers[name]) for epoch, numbers in enumerate(NUMBERS, start=1)]


def installed(track):
    return all(importlib.util.find_spec(package) for package in TRACKERS[track])


# With what it needs mlflow takes more than 100 MB, too much for `make test`, which has TensorBoard.
needs_mlflow = pytest.mark.skipif(
    not installed("mlflow"), reason="pip install 'keras-fmnist[mlflow]' runs this"
)


@needs_mlflow
def test_mlflows_own_reader_finds_the_epochs(tmp_path):
    from mlflow import MlflowClient

    follow("mlflow", tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("mansilla/base")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    for name in NUMBERS[0]:
        found = client.get_metric_history(run.info.run_id, name)
        assert [(one.step, one.value) for one in found] == steps_of(name)


@needs_mlflow
def test_mlflows_own_run_goes_on_and_a_damaged_database_is_named(tmp_path):
    from mlflow import MlflowClient

    with (
        contextlib.suppress(KeyboardInterrupt),
        track_base("mlflow", tmp_path),
    ):
        raise KeyboardInterrupt
    follow("mlflow", tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("mansilla/base")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "mlflow.db").write_text("no database" * 1000)
    with pytest.raises(RuntimeError, match=r"damaged/mlflow\.db: MLflow cannot use it \("):
        follow("mlflow", tmp_path / "damaged")


@pytest.mark.skipif(
    not installed("tensorboard"), reason="pip install 'keras-fmnist[tensorboard]' runs this"
)
def test_tensorboards_own_reader_finds_the_epochs(tmp_path):
    follow("tensorboard", tmp_path)
    from tensorboard import compat
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert compat.tf.__version__ == "stub"  # and not TensorFlow
    (folder,) = (tmp_path / "tensorboard" / "mansilla" / "base").iterdir()
    events = EventAccumulator(str(folder))
    events.Reload()
    for name in NUMBERS[0]:
        found = [(e.step, e.tensor_proto.float_val[0]) for e in events.Tensors(name)]
        assert found == steps_of(name)
