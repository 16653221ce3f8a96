"""study: what is missing is run and drawn; a conflict is refused before the first run."""

from pathlib import Path

import pytest

from keras_fmnist import backends
from keras_fmnist.specs import override
from tests.helpers.study import BACKEND, BASE


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
        (["--backend", "numpy"], "backend must be torch, jax, tensorflow, pytorch, not 'numpy'"),
        (["--backend", "jax"], "backend jax: Keras runs on torch in this process"),
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
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name != "ray" or None)
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
    status, out, err = run_study("*/random_????", "mansilla/base", "--seeds", "2", "--jobs", "2")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "runs missing under results: 6; 2 at a time"
    assert len(out.splitlines()) == 7
    assert len(list(tmp_path.glob("results/*/*/seed?-*-cpu.json"))) == 6
    assert (tmp_path / "results/mansilla/base/base_loss.png").exists()
    assert run_study("*/random_????", "--seeds", "2")[1].startswith(
        "runs missing under results: 0; "
    )


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
