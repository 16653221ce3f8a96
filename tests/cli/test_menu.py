"""The menu: every command is there, has its help, and is tried with bad command lines."""

import json
import re

from experiments.__main__ import CATALOGUE
from keras_fmnist.cli.menu import build_menu
from tests.helpers.bad_values import BAD_VALUES
from tests.helpers.bad_words import BAD_WORDS
from tests.helpers.folders import list_folder
from tests.helpers.processes import run_python
from tests.helpers.repository import ROOT

BAD = BAD_WORDS | BAD_VALUES


def test_there_are_two_hundred_bad_command_lines_and_no_command_is_left_out():
    lines = [line for pairs in BAD.values() for line, _ in pairs]
    assert len(lines) == len(set(lines)) >= 200
    assert {line.split(" ")[0] for line in lines} > set(build_menu(CATALOGUE))
    assert {line.split(" ")[1] for line in lines if line.startswith("mansilla ")} > {"all", "base"}


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
        own = build_experiment_commands(mansilla.SPECS)
        component = build_menu(__main__.CATALOGUE) if tool else own
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


def test_docs_commands_explains_every_command_and_no_other():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| \[`(\w+)`\]", text, re.M)
    assert sorted(explained) == sorted(build_menu(CATALOGUE).keys() - CATALOGUE.reports.keys())


def test_the_commands_in_the_documents_name_experiments_that_there_are():
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    lines = re.findall(r"^.*(?:keras-fmnist|experiments\.).*$", "\n".join(map(_read, texts)), re.M)
    reports = "|".join(CATALOGUE.reports)
    named = {
        f"{report}/{name}"
        for line in lines
        for report, name in re.findall(rf"\b({reports})[/ ](\w+)", line.partition("#")[0])
    }
    known = {spec.id for spec in CATALOGUE.specs} | {f"{name}/all" for name in CATALOGUE.reports}
    assert len(named) > 5
    assert named - known == {"mansilla/narrow"}  # the edit of CONTRIBUTING.md


def _read(path):
    return path.read_text(encoding="utf-8")
