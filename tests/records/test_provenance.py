"""Provenance: the packages and the commit that a run was made with."""

import importlib.metadata
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from keras_fmnist.records import provenance
from tests.helpers.processes import run_python


def test_versions_are_those_of_the_packages_that_are_installed(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "keras", "no-such-package"))
    assert provenance.versions() == {
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "keras": importlib.metadata.version("keras"),
    }


def test_the_packages_that_can_change_a_result_are_named():
    assert {"python", "keras", "torch", "numpy"} <= set(provenance.versions())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say")
def test_the_peak_of_memory_is_a_process_own_and_not_that_of_its_parent():
    ballast = np.ones(50_000_000)  # 400 MB that the children must not count
    held = "import numpy; numpy.ones(20_000_000)"  # 160 MB, given back at once
    peaks = []
    for before in ("", held):
        code = "from keras_fmnist.records import provenance; print(provenance.peak_memory())"
        peaks.append(int(run_python("-c", f"{before}\n{code}").stdout))
    assert ballast.nbytes / 2**20 > peaks[1] > 150
    assert peaks[0] < 150


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository of one commit that holds the package; `git(…)` runs in it."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    # Neither the user's settings nor a hook's variables shall reach it.
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    package = tmp_path / "keras_fmnist"
    package.mkdir()
    (package / "provenance.py").write_text("code")
    (tmp_path / "README.md").write_text("words")
    monkeypatch.setattr(provenance, "__file__", str(package / "records" / "provenance.py"))

    def git(*words):
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    git.folder = tmp_path
    return git


def test_the_commit_is_the_checkouts(checkout):
    assert provenance.commit() == checkout("rev-parse", "HEAD")
    assert len(provenance.commit()) == 40


def test_changed_or_new_code_makes_it_dirty_and_other_files_do_not(checkout):
    head = checkout("rev-parse", "HEAD")
    (checkout.folder / "README.md").write_text("other words")
    (checkout.folder / "runs").mkdir()
    (checkout.folder / "runs" / "record.json").write_text("{}")
    assert provenance.commit() == head
    (checkout.folder / "experiments").mkdir()
    (checkout.folder / "experiments" / "new.py").write_text("code")
    assert provenance.commit() == f"{head}-dirty"
    shutil.rmtree(checkout.folder / "experiments")
    assert provenance.commit() == head
    (checkout.folder / "keras_fmnist" / "provenance.py").write_text("other code")
    assert provenance.commit() == f"{head}-dirty"


def test_without_git_or_history_there_is_no_commit(checkout, monkeypatch):
    path = checkout.folder / ".git"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(checkout.folder))
        assert provenance.commit() is None
    shutil.rmtree(path)
    path.mkdir()  # no repository, whatever lies above the folder
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(checkout.folder.parent))
    assert provenance.commit() is None
    path.rmdir()
    assert provenance.commit() is None


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "6400000 100000"}, 64),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "a word"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_counts(tmp_path, monkeypatch, files, most):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + "\n")
    assert provenance.usable_cores(tmp_path) == min(8, most or 8)
