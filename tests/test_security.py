"""Nothing that the library reads can run: what could is never called, and promises have tests."""

import ast
import re

import pytest

from tests.helpers.repository import ROOT
from tests.helpers.source import FILES, TESTS, TREES, imported_names

# What runs, or may run, the content of a file or of a word that somebody else has written.
RUNS_CODE = {
    *("eval", "exec", "compile", "__import__"),  # by these bare names: `net.eval` is another
    *(".load_model", ".load_weights", ".model_from_json", ".deserialize", ".from_config"),
    *(".get_file", ".extractall", ".unpack_archive", ".system", ".popen"),
}
HARMLESS = {"safetensors.deserialize"}  # gives bytes, shapes and the names of types
READS_CODE = {"pickle", "marshal", "shelve", "dill", "joblib", "yaml", "h5py", "runpy", "code"}


def could_run_code(tree):
    """What of a syntax tree could run what is in a file: names of calls and of imports."""
    found = {part for name in imported_names(tree) for part in name.split(".")} & READS_CODE
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = ast.unparse(call.func)
        name = f".{called.rpartition('.')[2]}" if "." in called else called
        given = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
        unchecked = called == "torch.load" and given.get("weights_only") is not True
        if called in HARMLESS:
            continue
        if name in RUNS_CODE or unchecked or given.get("shell") or given.get("allow_pickle"):
            found.add(called)
    return found


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_could_run_what_is_in_a_file_is_called(name):
    assert could_run_code(TREES[name]) == set()


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from yaml import load",
        "eval(text)",
        "keras.models.load_model(path)",
        "model.load_weights(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
        "tar.extractall()",
    ],
)
def test_what_could_run_the_content_of_a_file_would_be_noticed(line):
    assert could_run_code(ast.parse(line))


def test_every_test_that_a_promise_names_exists():
    promises = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", promises))
    assert len(named) >= 10
    sources = "\n".join(path.read_text(encoding="utf-8") for path in TESTS)
    assert named - set(re.findall(r"^def (test_\w+)\(", sources, re.M)) == set()
