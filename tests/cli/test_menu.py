"""The menu: what there is to type is explained in the documents."""

import re

from experiments.__main__ import CATALOGUE
from keras_fmnist.cli.menu import build_menu
from tests.helpers.repository import ROOT


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
