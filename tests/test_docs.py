"""The documents: their links lead somewhere, and their maps name what is there."""

import re
import urllib.parse

import pytest

from tests.helpers.repository import ROOT
from tests.helpers.source import EXPERIMENTS, FILES, LIBRARY, TESTS, package_of

BLOCK = re.compile(r"^```.*?^```", re.M | re.S)
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def read(path):
    return path.read_text(encoding="utf-8")


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))


def anchors_of(text):
    """The anchors of a document's headings, as GitHub makes them, and those in its HTML."""
    found = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#+ +(.*?) *$", BLOCK.sub("", text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        repeated = [one for one in found if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", one)]
        found.add(f"{anchor}-{len(repeated)}" if repeated else anchor)
    return found


def links_of(text):
    """Where the links and images of a document lead, those in its HTML too."""
    plain = without_code(text)
    found = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", plain)
    return found + re.findall(r"(?:href|src|srcset)=\"([^\"]+)\"", plain)


def find_broken(text, path):
    """The links of a document that lead to no file of the repository, or to no anchor there."""
    return [link for link in links_of(text) if not leads_somewhere(link, text, path)]


def leads_somewhere(link, text, path):
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return True  # an address of the web is not asked
    target, _, anchor = urllib.parse.unquote(link).partition("#")
    file = (path.parent / target).resolve() if target else path
    if not file.exists() or not file.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors_of(read(file) if target else text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_anchor_leads_somewhere(path):
    assert find_broken(read(path), path) == []


@pytest.mark.parametrize(
    "link",
    ["docs/none.md", "#none", "CONTRIBUTING.md#none", "../outside.md", "results/none.png"],
)
def test_a_link_that_leads_nowhere_would_be_noticed(link):
    page = ROOT / "README.md"
    assert find_broken(f"# A heading\n[one](#a-heading) [two]({link})\n", page) == [link]
    assert find_broken(f'<img src="{link}">\n', page) == [link]
    assert find_broken(f"`[two]({link})`\n", page) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_a_document_names_exists(path):
    text = read(path)
    sources = "\n".join(map(read, TESTS))
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named - set(re.findall(r"^def (test_\w+)\(", sources, re.M)) == set()
    files = set(re.findall(r"\btests/[\w/]+\.py\b", text))
    assert {name for name in files if not (ROOT / name).exists()} == set()


def test_the_readme_is_one_screen():
    text = read(ROOT / "README.md")
    assert len(text.splitlines()) <= 150
    assert len(text.encode()) <= 12 * 1024


def test_the_readmes_map_names_every_package_and_no_other():
    """The block of the README that begins with `keras_fmnist/`: below it a line a package."""
    readme = read(ROOT / "README.md")
    blocks = re.findall(r"^```\w*\n(keras_fmnist/.*?)^```", readme, re.M | re.S)
    assert len(blocks) == 1, "one block of the README is the map"
    packages = {package_of(name) for name, path in FILES.items() if path.parent != LIBRARY}
    assert set(re.findall(r"^ +(\w+)/ ", blocks[0], re.M)) == packages
    ground = {path.stem for path in FILES.values() if path.parent == LIBRARY}
    assert ground - {"__init__"} <= set(re.findall(r"\b(\w+)\.py\b", blocks[0]))


def test_the_architectures_map_names_every_file_and_no_other():
    """Below each heading such as `## keras_fmnist/data/` a line a file: "- `cache.py`: …"."""
    text = read(ROOT / "docs" / "architecture.md")
    found, folder = set(), None
    for line in text.splitlines():
        if heading := re.match(r"#+ (.*)", line):
            folder = re.search(r"((?:keras_fmnist|experiments)(?:/\w+)*)/", heading[1])
        elif folder and (entry := re.match(r"[-*] ((?:`\w+\.py`(?:, | and )?)+)", line)):
            found |= {f"{folder[1]}/{name}" for name in re.findall(r"`(\w+\.py)`", entry[1])}
    there = {str(path.relative_to(ROOT)) for path in [*FILES.values(), *EXPERIMENTS]}
    assert found - there == set()
    # What only hands names on need not be on a map.
    assert {path for path in there - found if not path.endswith("__init__.py")} == set()
