"""What is missing is planned and run side by side; what fails or is killed stops nothing else."""

import os
import threading
import time
from pathlib import Path

import pytest

from experiments import mansilla, transfer
from keras_fmnist import backends
from keras_fmnist.cli.commands import train as train_command
from keras_fmnist.records.record import read_record
from keras_fmnist.records.run import RunFiles
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override
from keras_fmnist.study import scheduler
from keras_fmnist.study.jobs import ATTEMPTS, set_environment, split_command
from keras_fmnist.study.local import Local
from keras_fmnist.study.scheduler import run_jobs
from tests.helpers.runs import make_run, plan_on_cpu

BACKEND = os.environ["KERAS_BACKEND"]
BASE, FULL, FROZEN = mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN
RANDOM = transfer.RANDOM_FULL


def names(jobs):
    return [job.run.title for job in jobs]


# --- the plan ---


def test_an_autoencoder_comes_before_its_classifiers_and_only_once(tmp_path):
    jobs = plan_on_cpu((FULL, BASE, FROZEN), range(2), tmp_path)
    assert names(jobs) == [
        f"mansilla/{name} seed {seed}"
        for seed in range(2)
        for name in ("base", "classifier_full", "classifier_frozen")
    ]
    base, full, frozen = jobs[:3]
    assert base.files.record == tmp_path / f"mansilla/base/seed0-{BACKEND}-cpu.json"
    assert (base.needs, full.needs, frozen.needs) == (None, base.files, base.files)
    assert base.is_ready()
    assert not full.is_ready()


def test_a_classifier_that_is_not_pretrained_needs_no_autoencoder(tmp_path):
    (job,) = plan_on_cpu((RANDOM,), [0], tmp_path)
    assert job.run.title == "transfer/random_full seed 0"
    assert job.needs is None
    assert job.is_ready()


def test_what_is_there_is_not_planned_again(tmp_path, make_record, put_record):
    path = put_record(tmp_path, make_record(BASE, 0, backend=BACKEND))
    RunFiles(path).weights.touch()
    put_record(tmp_path, make_record(FULL, 1, backend=BACKEND))
    jobs = plan_on_cpu((FULL,), range(2), tmp_path)
    assert names(jobs) == ["mansilla/classifier_full seed 0", "mansilla/base seed 1"]
    assert jobs[0].is_ready()


def test_a_record_of_another_backend_device_or_seed_stands_for_nothing(
    tmp_path, make_record, put_record
):
    for changes in ({"backend": "other"}, {"device": "gpu"}, {"seed": 7}):
        put_record(tmp_path, make_record(BASE, **{"backend": BACKEND} | changes))
    assert names(plan_on_cpu((BASE,), [0], tmp_path)) == ["mansilla/base seed 0"]


@pytest.mark.parametrize("spec", [BASE, FULL], ids=["of itself", "of its autoencoder"])
def test_a_run_with_other_settings_is_refused_while_planning(
    tmp_path, make_record, put_record, spec
):
    put_record(tmp_path, make_record(override(BASE, {"latent": 8}), backend=BACKEND))
    with pytest.raises(SpecError, match="holds a run with latent 8, not 64"):
        plan_on_cpu((RANDOM, spec), range(3), tmp_path)


def test_a_job_is_the_command_that_a_user_would_type_to_go_on_with_it(tmp_path):
    (job,) = plan_on_cpu((override(BASE, {"latent": 8, "epochs": 1}),), [3], tmp_path)
    assert " ".join(split_command(job.run)) == (
        "-m experiments.mansilla base --latent 8 --epochs 1 --seed 3 --device cpu --resume"
    )


# --- the pool ---


@pytest.fixture
def go(stand_in, tmp_path):
    """`go(specs, seeds, places)`: plans and runs them here; returns the jobs."""

    def run(specs, seeds=(0,), places=2):
        jobs = plan_on_cpu(specs, seeds, tmp_path / "out")
        run_jobs(jobs, Local(tmp_path / "out", places))
        return jobs

    return run


def test_every_run_leaves_its_record_and_a_line_and_no_log(go, stand_in, capsys):
    jobs = go((BASE, FULL, RANDOM), range(2))
    assert len(jobs) == 6
    assert [job.files.record.exists() for job in jobs] == [True] * 6
    assert not list(jobs[0].files.record.parents[2].rglob("*.log"))
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == sorted(names(jobs))
    record = read_record(jobs[0].files.record)
    said = f"mansilla/base seed 0: val_loss {record.metrics['val_loss']:.4f} in 30 s; "
    assert sum(line.startswith(said) for line in lines) == 1
    assert [line.split("; ")[1].split(",")[0] for line in lines] == [f"{k}/6" for k in range(1, 7)]
    assert lines[-1].endswith("about 0 min left")


@pytest.mark.parametrize("places", [1, 3])
def test_as_many_run_at_once_as_there_are_places(go, stand_in, places):
    stand_in.seconds = 0.4
    go((BASE, RANDOM), range(3), places)
    assert stand_in.most_at_once() == places


def test_a_classifier_starts_when_its_autoencoder_is_there(go, stand_in):
    stand_in.orders["mansilla/base seed 0"] = {"seconds": 0.5}
    go((FULL, FROZEN, RANDOM), places=4)  # the stand-in fails where it finds no autoencoder
    assert stand_in.order("end")[0] == "transfer/random_full seed 0"
    starts = stand_in.order("start")
    assert len(starts) == 4
    assert set(starts[:2]) == {"mansilla/base seed 0", "transfer/random_full seed 0"}


def test_a_run_has_one_thread_on_a_cpu_and_its_own_number_on_a_gpu(go, stand_in, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    go((BASE,), [0])
    (note,) = stand_in.noted("start")
    assert note["variables"]["OMP_NUM_THREADS"] == "1"
    assert note["variables"]["KERAS_BACKEND"] == BACKEND
    assert "OMP_NUM_THREADS" not in set_environment(make_run(BASE, device="gpu"))


def test_a_killed_run_is_started_again(go, stand_in, capsys):
    stand_in.orders["mansilla/base seed 0"] = {"kills": 2}
    jobs = go((FULL,))
    assert stand_in.order("start").count("mansilla/base seed 0") == 3
    assert all(job.files.record.exists() for job in jobs)
    out = capsys.readouterr().out
    assert out.count("mansilla/base seed 0: killed by signal 9, again") == 2
    assert not list(jobs[0].files.record.parent.glob("*.log"))


def test_a_run_that_another_process_interrupted_is_started_again(go, stand_in, capsys):
    stand_in.orders["mansilla/base seed 0"] = {"kills": 1, "politely": True}
    go((BASE,))
    assert "mansilla/base seed 0: interrupted, again" in capsys.readouterr().out


def test_a_run_that_is_always_killed_is_given_up(go, stand_in):
    stand_in.orders["mansilla/base seed 0"] = {"kills": 99}
    with pytest.raises(RuntimeError, match="1 of 1 runs failed, mansilla/base seed 0 first"):
        go((BASE,))
    assert len(stand_in.noted("start")) == ATTEMPTS


def test_a_log_that_another_study_of_the_same_run_has_removed_is_no_failure(
    go, stand_in, monkeypatch
):
    def start_and_remove_log(self, job, start=Local.start):
        process = start(self, job)
        job.files.log.unlink()
        return process

    monkeypatch.setattr(Local, "start", start_and_remove_log)
    (job,) = go((BASE,))
    assert job.files.record.exists()


def test_a_failing_run_is_reported_its_classifiers_left_out_and_the_others_run(
    go, stand_in, tmp_path, capsys
):
    stand_in.orders["mansilla/base seed 0"] = {"fails": "first this\nthen out of luck"}
    with pytest.raises(RuntimeError, match="3 of 8 runs failed, mansilla/base seed 0 first"):
        go((FULL, FROZEN, RANDOM), range(2), places=1)
    out = capsys.readouterr().out
    assert "mansilla/base seed 0: failed (then out of luck)" in out
    for name in ("full", "frozen"):
        assert f"mansilla/classifier_{name} seed 0: not run, its autoencoder failed" in out
    assert len(stand_in.noted("end")) == 5
    (log,) = (tmp_path / "out").rglob("*.log")
    assert log.read_text() == "first this\nthen out of luck\n"
    assert log.parent.name == "base"


def test_a_study_goes_on_where_it_stopped(go, stand_in):
    stand_in.orders["mansilla/classifier_full seed 1"] = {"fails": "not today"}
    with pytest.raises(RuntimeError, match="1 of 4"):
        go((FULL,), range(2))
    stand_in.orders.clear()
    jobs = go((FULL,), range(2))
    assert names(jobs) == ["mansilla/classifier_full seed 1"]
    assert jobs[0].files.record.exists()
    assert not jobs[0].files.log.exists()
    assert go((FULL,), range(2)) == []


def test_an_interrupted_study_ends_its_runs(go, stand_in, tmp_path, monkeypatch):
    stand_in.seconds = 60

    def interrupt(seconds):
        if len(stand_in.noted("start")) == 2:
            assert len(stand_in.alive()) == 2
            raise KeyboardInterrupt
        threading.Event().wait(seconds)

    monkeypatch.setattr(scheduler.time, "sleep", interrupt)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        go((BASE,), range(4))
    assert time.monotonic() - started < 30
    assert stand_in.alive() == []
    assert len(stand_in.noted("start")) == 2
    assert not list((tmp_path / "out").rglob("*.json"))


# --- the command ---


@pytest.fixture
def run_study(monkeypatch, run_command):
    """`run_study(*words)`: `run_command` of `study`, here on the CPU."""
    monkeypatch.setattr(backends, "find_device", lambda: "cpu")
    return lambda *words: run_command("study", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mansila/*"], "'mansila/*' matches no experiment; try mansilla/*"),
        (["mansilla/base", "nothing"], "'nothing' matches no experiment"),
        (["5"], "5 matches no experiment"),
        (["--seeds", "0"], "seeds must be a whole number from 1 to 1000, not 0"),
        (["--seeds", "all"], "not 'all'"),
        (["--seeds", "1001"], "not 1001"),
        (["--jobs", "0"], "jobs must be a whole number from 1 to 1000, not 0"),
        (["--jobs", "1.5"], "not 1.5"),
        (["--jobs", "True"], "not True"),
        (["--device", "tpu"], "device must be auto, cpu, gpu, not 'tpu'"),
        (["--device", "gpu"], "finds no GPU here"),
        (["--out", "5"], "out must name a folder"),
        (["--engine", "slurm"], "engine must be local or ray, not 'slurm'"),
        (["--engine"], "engine must be local or ray, not True"),
        (["--address", "auto"], "address belongs to the engine ray"),
        (["--engine", "ray", "--address", "here"], "must be auto, or host:port such as"),
        (["--engine", "ray", "--address", "a:b"], "not 'a:b'"),
        (["--engine", "ray", "--address", "a:65536"], "not 'a:65536'"),
        (["--engine", "ray", "--address", "a:0"], "not 'a:0'"),
        (["--engine", "ray", "--address"], "not True"),
        (["--engine", "ray", "--address", "6379"], "not 6379"),
        (["--jbos", "2"], "did you mean jobs?"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(run_study, tmp_path, words, message):
    status, out, err = run_study(*words)
    assert (status, out) == (2, "")
    assert err.startswith("keras-fmnist: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_without_ray_its_engine_is_refused_with_the_way_to_install_it(run_study, monkeypatch):
    monkeypatch.setattr(
        train_command.importlib.util, "find_spec", lambda name: name != "ray" or None
    )
    status, out, err = run_study("--engine", "ray")
    assert (status, out) == (2, "")
    assert "ray is not installed: pip install 'keras-fmnist[ray]'" in err


def test_a_conflict_is_refused_before_the_first_run(run_study, stand_in, make_record, put_record):
    put_record("results", make_record(override(BASE, {"latent": 8}), 1, backend=BACKEND))
    status, _, err = run_study("mansilla/base", "--seeds", "2")
    assert status == 2
    assert "holds a run with latent 8, not 64" in err
    assert stand_in.noted("start") == []


def test_the_command_runs_what_matches_and_draws_it(run_study, stand_in, tmp_path):
    status, out, err = run_study("*/random_*", "mansilla/base", "--seeds", "2", "--jobs", "2")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "runs missing under results: 6; 2 at a time"
    assert len(out.splitlines()) == 7
    assert len(list(tmp_path.glob("results/*/*/seed?-*-cpu.json"))) == 6
    assert (tmp_path / "results/mansilla/base/base_loss.png").exists()
    assert run_study("*/random_*", "--seeds", "2")[1].startswith("runs missing under results: 0; ")


def test_what_has_succeeded_before_a_failure_is_drawn(run_study, stand_in, tmp_path):
    stand_in.orders["mansilla/base seed 0"] = {"fails": "out of luck"}
    assert run_study("*/random_head", "mansilla/base", "--seeds", "1", "--jobs", "1")[0] == 1
    assert (tmp_path / "results/transfer/random_head/random_head_loss.png").exists()
    assert not list(tmp_path.rglob("base_loss.png"))


def test_an_autoencoder_without_its_weights_is_refused_before_the_first_run(run_study, stand_in):
    assert run_study("mansilla/base", "--seeds", "2", "--jobs", "2")[0] == 0
    (weights,) = Path("results").rglob("seed1-*.safetensors")
    weights.unlink()
    status, out, err = run_study("mansilla/classifier_full", "--seeds", "2")
    assert (status, out) == (2, "")
    assert err == (
        f"keras-fmnist: mansilla/classifier_full seed 1 needs {weights}, which is missing: "
        "python -m experiments.mansilla base --seed 1 --device cpu --force --out results "
        "makes it again\n"
    )
    assert len(stand_in.noted("start")) == 2
    assert run_study("mansilla/classifier_full", "--seeds", "1")[0] == 0


def test_a_failed_run_is_exit_status_1(run_study, stand_in):
    stand_in.orders["mansilla/base seed 0"] = {"fails": "out of luck"}
    status, out, err = run_study("mansilla/base", "--seeds", "1")
    assert status == 1
    assert "mansilla/base seed 0: failed (out of luck)" in out
    assert err == "keras-fmnist: 1 of 1 runs failed, mansilla/base seed 0 first\n"
