"""Both tours run from top to bottom, and what is stored in them is what they compute."""

import ast
import re

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.repository import ROOT

LANGUAGES = {"tour": "English", "recorrido": "Spanish"}
FEW = 'IMAGES, EPOCHS, RUNS = 200, 1, "runs"'


def read(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def printed(cell):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")


def without_words(cell):
    """The code of a cell with every text in it replaced by the same one."""
    tree = ast.parse(cell.source.replace("%matplotlib inline\n", ""))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@pytest.fixture(scope="module", params=LANGUAGES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where both run: what the first has trained the second reads."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def rerun(name, folder):
    """The notebook with the outputs of a run on few images."""
    notebook = read(name)
    (parameters,) = [cell for cell in code_of(notebook) if is_tagged(cell, "parameters")]
    parameters.source = FEW
    resources = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, timeout=300, resources=resources).execute()


@pytest.mark.data
def test_a_tour_runs_from_top_to_bottom_and_shows_what_is_stored_in_it(name, rerun):
    stored, again = code_of(read(name)), code_of(rerun)
    assert [cell.execution_count for cell in again] == [*range(1, len(again) + 1)]
    for before, after in zip(stored, again, strict=True):
        shown, shown_again = ([o.output_type for o in cell.outputs] for cell in (before, after))
        assert set(shown) == set(shown_again), before.source
        assert shown.count("display_data") == shown_again.count("display_data"), before.source


@pytest.mark.data
def test_what_does_not_depend_on_the_number_of_images_comes_out_as_it_is_stored(name, rerun):
    pairs = zip(code_of(read(name)), code_of(rerun), strict=True)
    checked = [(before, after) for before, after in pairs if is_tagged(before, "checked")]
    assert len(checked) >= 5
    for before, after in checked:
        assert printed(before) == printed(after)


def test_a_tour_is_stored_as_it_ran_from_top_to_bottom(name):
    cells = code_of(read(name))
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"stream", "display_data"}
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10


def test_both_languages_have_the_same_code_and_the_same_sections():
    english, spanish = (read(name) for name in LANGUAGES)
    assert [cell.cell_type for cell in english.cells] == [cell.cell_type for cell in spanish.cells]
    for one, other in zip(code_of(english), code_of(spanish), strict=True):
        assert without_words(one) == without_words(other), one.source
        assert one.metadata.get("tags") == other.metadata.get("tags")
    headings = [
        [re.findall(r"^#+ \d*", cell.source, re.M) for cell in notebook.cells]
        for notebook in (english, spanish)
    ]
    assert headings[0] == headings[1]


def test_both_languages_store_the_same_numbers():
    """They were run apart; only seconds may differ."""
    for one, other in zip(code_of(read("tour")), code_of(read("recorrido")), strict=True):
        numbers = [
            re.findall(r"[\d.]+", re.sub(r"\d+ s$", "", printed(cell), flags=re.M))
            for cell in (one, other)
        ]
        assert numbers[0] == numbers[1], one.source
