"""A study of stand-ins."""

import pytest

from keras_fmnist.study.local import Local
from keras_fmnist.study.scheduler import run_jobs
from tests.helpers.runs import plan_on_cpu


@pytest.fixture
def go(stand_in, tmp_path):
    """`go(specs, seeds, places)`: plans and runs them here; returns the jobs."""

    def run(specs, seeds=(0,), places=2):
        jobs = plan_on_cpu(specs, seeds, tmp_path / "out")
        run_jobs(jobs, Local(tmp_path / "out", places))
        return jobs

    return run
