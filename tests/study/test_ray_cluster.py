"""A study on a real Ray cluster of several nodes on this machine, one of which is killed."""

import contextlib
import importlib.util
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from experiments import mansilla
from keras_fmnist import backends
from keras_fmnist.records.record import find_record, read_record
from keras_fmnist.specs import override
from keras_fmnist.study.scheduler import run_jobs
from tests.helpers.repository import ROOT
from tests.helpers.runs import plan_on_cpu

BACKEND = os.environ["KERAS_BACKEND"]
BASE, FULL, FROZEN = mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN

if importlib.util.find_spec("ray") is None:
    # As for jax in test_backends.py: where all is installed on purpose, a skip would hide a lack.
    assert not os.environ.get("CI"), "ray is not installed"
    pytest.skip("ray is not installed: pip install 'keras-fmnist[ray]'", allow_module_level=True)


@pytest.fixture(scope="module")
def cluster():
    """A head that runs nothing and three nodes of one processor each, as processes of their own."""
    # Ray reads them once. Its own token would be written into the user's home.
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(ROOT))
    patch.setenv("RAY_worker_niceness", "0")  # by itself a run gives way to all else
    patch.setenv("RAY_AUTH_MODE", "token")
    patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 80 * 2**20}
    running = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, **memory},
    )
    try:
        running.workers = [running.add_node(num_cpus=1, **memory) for _ in range(3)]
        patch.setenv("RAY_ADDRESS", running.address)  # this cluster is what `auto` finds
        yield running
    finally:
        running.shutdown()
        patch.undo()


@pytest.fixture
def stand_in(stand_in, cluster, monkeypatch):
    """The stand-in, on the nodes too."""
    from keras_fmnist.study import ray_cluster

    monkeypatch.setattr(ray_cluster, "split_command", stand_in.split_command)
    return stand_in


def engine(out, jobs=None):
    from keras_fmnist.study import ray_cluster

    return ray_cluster.Cluster(out, "cpu", jobs, "auto")


def raylet(node):
    """The process number of a node's daemon, which every process of the node knows."""
    return node.all_processes["raylet"][0].process.pid


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def test_every_record_is_there_although_a_node_is_killed(cluster, stand_in, tmp_path, capsys):
    out, killed = tmp_path / "out", tmp_path / "killed"
    jobs = plan_on_cpu((BASE, FULL, FROZEN), range(3), out)
    assert len(jobs) == 9
    lost, failures = jobs[0].run.title, []
    stand_in.orders[lost] = {"waits_for": str(killed)}

    def kill_the_node_of_the_first_run():
        try:
            wait_until(lambda: stand_in.noted("start", lost) and len(stand_in.noted("end")) >= 2)
            at = stand_in.noted("start", lost)[0]["variables"]["RAY_RAYLET_PID"]
            (node,) = [node for node in cluster.workers if str(raylet(node)) == at]
            cluster.workers.remove(node)
            cluster.remove_node(node, allow_graceful=False)
            wait_until(lambda: len(stand_in.noted("start", lost)) == 2)
        except BaseException as error:  # a thread's own would be seen by nobody
            failures.append(error)
        finally:
            killed.touch()

    places = engine(out)
    assert places.places == 3
    killer = threading.Thread(target=kill_the_node_of_the_first_run)
    killer.start()
    run_jobs(jobs, places)
    killer.join()

    assert failures == []
    assert len(cluster.workers) == 2
    for job in jobs:
        assert read_record(job.files.record).id == job.run.spec.id
        name = job.files.record.relative_to(out).as_posix()
        assert job.files.weights.read_text() == f"weights of {name}"
    # What the node was at was run again, elsewhere; nothing else was.
    starts = stand_in.order("start")
    assert sorted(starts) == sorted([lost, *(job.run.title for job in jobs)])
    first, second = (n["variables"]["RAY_RAYLET_PID"] for n in stand_in.noted("start", lost))
    assert first != second
    assert {n["variables"]["OMP_NUM_THREADS"] for n in stand_in.noted("start")} == {"1"}
    # Ray has its own words for a lost node.
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("mansilla/")]
    assert sorted(line.split(":")[0] for line in lines) == sorted(job.run.title for job in jobs)
    assert "; 9/9, about 0 min left" in lines[-1]


def test_a_node_holds_nothing_of_the_study_but_what_a_run_needs(cluster, stand_in, tmp_path):
    """A classifier's autoencoder is there from before, and only the driver has it."""
    out = tmp_path / "out"
    run_jobs(plan_on_cpu((BASE,), range(1), out), engine(out))
    run_jobs(plan_on_cpu((FULL,), range(1), out), engine(out))
    assert stand_in.order("end") == ["mansilla/base seed 0", "mansilla/classifier_full seed 0"]
    files = [path.name for path in out.rglob("*") if path.is_file()]
    stem = f"seed0-{BACKEND}-cpu"
    assert sorted(files) == sorted([f"{stem}.json", f"{stem}.safetensors"] * 2)


def test_failing_and_killed_runs_end_as_they_do_here(cluster, stand_in, tmp_path, capsys):
    out = tmp_path / "out"
    stand_in.orders["mansilla/base seed 0"] = {"fails": "first this\nthen out of luck"}
    stand_in.orders["mansilla/base seed 1"] = {"kills": 1}
    jobs = plan_on_cpu((FULL,), range(2), out)
    with pytest.raises(RuntimeError, match="2 of 4 runs failed, mansilla/base seed 0 first"):
        run_jobs(jobs, engine(out, jobs=1))
    output = capsys.readouterr().out
    assert "mansilla/base seed 0: failed (then out of luck)" in output
    assert "mansilla/classifier_full seed 0: not run, its autoencoder failed" in output
    assert "mansilla/base seed 1: killed by signal 9, again" in output
    assert [job.files.record.exists() for job in jobs] == [False, False, True, True]
    assert jobs[0].files.log.read_text() == "first this\nthen out of luck\n"
    assert not jobs[2].files.log.exists()
    assert stand_in.most_at_once() == 1


DRIVER = """
import pathlib, sys
from experiments import __main__
from keras_fmnist.cli import app
from keras_fmnist.cli.menu import build_menu
from keras_fmnist.study import ray_cluster

words = ["-c", "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()} '); "
    "time.sleep(60)", sys.argv[1]]
ray_cluster.split_command = lambda run: words
sys.exit(app.main(build_menu(__main__.CATALOGUE), "keras-fmnist", sys.argv[2:]))
"""


def test_ctrl_c_ends_the_runs_on_the_nodes(cluster, tmp_path):
    pids, out = tmp_path / "pids", tmp_path / "out"
    pids.touch()
    places = len(cluster.workers)
    line = ["study", "mansilla/base", "--device", "cpu", "--out", str(out), "--engine", "ray"]
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(pids), *line, "--address", cluster.address],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: len(pids.read_text().split()) == places or driver.poll() is not None)
        driver.send_signal(signal.SIGINT)
        output, complaint = driver.communicate(timeout=30)
    finally:
        driver.kill()
    goes_on = "keras-fmnist: interrupted: the same command goes on\n"
    assert (driver.returncode, complaint) == (130, goes_on)
    # Ray may still count a node that another test has killed, and has its own words for it.
    assert re.match(rf"runs missing under {re.escape(str(out))}: 5; \d at a time\n", output)
    assert "mansilla/base" not in output
    assert len(pids.read_text().split()) == places
    for pid in map(int, pids.read_text().split()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            pytest.fail(f"{pid} runs on")
    assert not list(out.rglob("*"))


@pytest.mark.data
def test_a_real_run_comes_back_from_a_node(cluster, tmp_path):
    spec = override(BASE, {"epochs": 0, "kernels": (1, 1), "latent": 2})
    (job,) = plan_on_cpu((spec,), [4], tmp_path)
    run_jobs([job], engine(tmp_path))
    record = find_record(job.run, tmp_path)
    assert (record.seed, record.device, record.backend) == (4, "cpu", BACKEND)
    from keras_fmnist.models import weights

    weights.load(job.files.weights, record.weights_sha256["final"])


@pytest.fixture
def run_on_ray(monkeypatch, run_command):
    """`run_on_ray(*words)`: `run_command` of `study`: one run of mansilla/base on Ray."""
    monkeypatch.setattr(backends, "find_device", lambda: "cpu")
    line = ["study", "mansilla/base", "--seeds", "1", "--engine", "ray"]
    return lambda *words: run_command(*line, *words)


def test_without_an_address_ray_is_started_here_and_stopped(
    cluster, run_on_ray, stand_in, tmp_path
):
    status, output, complaint = run_on_ray()
    assert (status, complaint) == (0, "")
    assert output.startswith("runs missing under results: 1; ")
    assert len(list(tmp_path.glob("results/mansilla/base/*.json"))) == 1
    (note,) = stand_in.noted("start")
    own = int(note["variables"]["RAY_RAYLET_PID"])
    assert own not in [raylet(node) for node in [cluster.head_node, *cluster.workers]]
    with pytest.raises(ProcessLookupError):
        os.kill(own, 0)


def test_an_address_at_which_nothing_answers_is_one_sentence(cluster, run_on_ray, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    status, output, complaint = run_on_ray("--address", f"127.0.0.1:{port}")
    assert (status, output) == (1, "")
    assert complaint.startswith(f"keras-fmnist: nothing answers at 127.0.0.1:{port} (")
    assert complaint.endswith("): start a cluster with `ray start --head`\n")
    assert complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_without_a_gpu_is_one_sentence(cluster, run_on_ray, tmp_path):
    status, output, complaint = run_on_ray("--device", "gpu", "--address", cluster.address)
    assert (status, output) == (1, "")
    assert complaint == "keras-fmnist: no node of the Ray cluster has a GPU\n"
    assert list(tmp_path.iterdir()) == []
