"""What CONTRIBUTING.md says holds: its edit adds an experiment, and the files agree on versions."""

import re
import shutil
import subprocess
import tomllib

import pytest

from tests.helpers.processes import run_python
from tests.helpers.repository import ROOT


@pytest.fixture(scope="module")
def diff():
    """The edit that CONTRIBUTING.md shows."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^```diff\n(.*?)^```", text, re.M | re.S)
    assert len(re.findall(r"^[+-](?![+-])", found, re.M)) <= 5
    return found


def applies(diff, root, *options):
    """Whether git can take the edit in a folder; it does so unless `--check` is among `options`."""
    command = ["git", "apply", "--recount", *options, "-"]
    return subprocess.run(command, input=diff, text=True, cwd=root).returncode == 0


@pytest.fixture(scope="module")
def edited(tmp_path_factory, diff):
    """A copy of the repository after that edit; name and code length of what it adds."""
    root = tmp_path_factory.mktemp("edited")
    unneeded = shutil.ignore_patterns("__pycache__", "*.png", "*.svg", "*.safetensors")
    for name in ("docs", "experiments", "keras_fmnist", "tests", "results"):
        shutil.copytree(ROOT / name, root / name, ignore=unneeded)
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    if applies(diff, root):
        return root, "narrow", 16
    # Somebody has added a variant, this one perhaps: another goes beside it.
    path = root / "experiments" / "mansilla.py"
    text = path.read_text(encoding="utf-8")
    added = re.search(r"^\+NARROW = (.*)$", diff, re.M)[1]
    added = added.replace('"narrow"', '"narrow_too"').replace("16", "17")
    specs = re.search(r"^SPECS = \((.*?),?\s*\)$", text, re.M | re.S)
    lines = f"NARROW_TOO = {added}\nSPECS = ({specs[1]}, NARROW_TOO)"
    path.write_text(text.replace(specs[0], lines), encoding="utf-8")
    return root, "narrow_too", 17


def python(root, *words):
    """Runs python in a copy, with the copy's packages."""
    done = run_python(*words, cwd=root, packages=root)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def changed(root):
    """Files of a copy that differ from the repository's."""
    files = [path.relative_to(root) for path in root.rglob("*") if path.suffix in (".py", ".md")]
    assert len(files) > 50
    return [str(file) for file in files if (root / file).read_bytes() != (ROOT / file).read_bytes()]


def test_the_edit_is_of_the_file_as_it_is(diff):
    """Also where it has been made: it can be taken back then."""
    text = (ROOT / "experiments" / "mansilla.py").read_text(encoding="utf-8")
    declared = re.search(r"^-(SPECS = .*)$", diff, re.M)[1]
    if declared not in text and not applies(diff, ROOT, "--reverse", "--check"):
        pytest.skip("another variant has been added")
    assert applies(diff, ROOT, "--check") != applies(diff, ROOT, "--reverse", "--check")


def test_one_edited_file_adds_an_experiment_to_list_suite_and_table(edited):
    root, name, n = edited
    assert changed(root) == ["experiments/mansilla.py"]
    listed = python(root, "-m", "experiments", "list").splitlines()
    assert f"mansilla/{name} 0 runs base with n = {n}" in [
        " ".join(line.split()) for line in listed
    ]
    python(root, "-m", "experiments", "report")
    rows = (root / "docs" / "results.md").read_text(encoding="utf-8").splitlines()
    assert f"| `mansilla/{name}` | base with n = {n} |  |  |  |  |  | not run yet |" in rows
    page = (root / "results" / "index.html").read_text(encoding="utf-8")
    assert name in page
    # The variant takes its step, and no test says that it should not be there.
    report = "tests/reporting/test_documents.py::test_the_documents_are_what_the_records_give"
    chosen = f"{name} or not (takes_a_step or parameters)"  # which build and train every net
    options = ["-p", "no:cacheprovider", "-rp", "-k", chosen]
    output = python(root, "-m", "pytest", "tests/experiments/test_experiments.py", report, *options)
    step = f"test_every_experiment_takes_a_step[mansilla/{name}]"
    assert f"PASSED tests/experiments/test_experiments.py::{step}\n" in output


def test_the_hooks_have_the_ruff_of_the_constraints():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (hooked,) = re.findall(r"ruff-pre-commit\n\s+rev: v(\S+)", hooks)
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert f"\nruff=={hooked}\n" in constraints


def test_the_extras_are_installed_in_the_versions_of_the_constraints():
    """Every package that pyproject.toml names is pinned, those of the extras too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert {"onnx", "mlflow", "tensorboard"} <= extras.keys()
    named = [*project["dependencies"], *(name for extra in extras.values() for name in extra)]
    wanted = {re.match(r"[\w-]+", name)[0].lower().replace("_", "-") for name in named}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    pinned = [line.split("==")[0].lower().replace("_", "-") for line in lines]
    assert wanted - {*pinned} == set()
    assert len(pinned) == len({*pinned}) > 100


def test_the_changelog_begins_with_the_version_that_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[(.+?)\]", changelog, re.M)[1] == project["version"]
    assert project["license"] in (ROOT / "LICENSE").read_text(encoding="utf-8").split("\n")[0]
