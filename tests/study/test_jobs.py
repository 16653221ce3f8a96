"""The jobs of a study: what is missing, in an order that can be run."""

import pytest

from keras_fmnist.records.run import Run, RunFiles
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override
from keras_fmnist.study.jobs import set_environment, split_command
from tests.helpers.runs import plan_on_cpu
from tests.helpers.study import BACKEND, BASE, FROZEN, FULL, RANDOM, names


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


def test_a_job_without_keras_says_so_and_has_keras_on_torch_beside_it():
    run = Run(BASE, 3, "pytorch", "cpu")
    assert " ".join(split_command(run)) == (
        "-m experiments.mansilla base --seed 3 --device cpu --backend pytorch --resume"
    )
    assert set_environment(run) == {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
