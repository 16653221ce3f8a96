"""The house: which package may import which, and where frameworks and libraries are named.

Imports are read from the source, so those inside functions count as well.
"""

import ast
import re
import sys

import pytest

from tests.helpers.repository import ROOT
from tests.helpers.source import (
    EXPERIMENTS,
    FILES,
    LIBRARY,
    TESTS,
    TREES,
    find_libraries,
    find_our_files,
    imported_names,
    package_of,
    parse,
    runs,
)

FRAMEWORKS = {"keras", "torch", "jax", "tensorflow"}

# What each package, or file of the ground, may import of ours.
MAY_IMPORT = {
    "__init__": "",
    "settings": "",
    "specs": "settings",
    "seeds": "",
    "files": "",
    "backends": "settings",
    "fast_fit": "",
    "data": "files seeds",
    "models": "files seeds settings specs",
    "records": "files settings specs",
    "claims": "data records specs",
    "training": "backends data fast_fit files models records seeds settings specs",
    "study": "files records settings",
    "inference": "backends data files models records settings specs",
    "pytorch": "backends data fast_fit models records seeds specs training",
    "reporting": "claims data files inference models records specs",
    "cli": "backends claims data files inference models pytorch records reporting settings specs "
    "study training",
}
GROUND = {"__init__", "settings", "specs", "seeds", "files", "backends"}


OURS = {name: find_our_files(imported_names(tree)) - {name} for name, tree in TREES.items()}
THEIRS = {name: find_libraries(imported_names(tree)) for name, tree in TREES.items()}
PACKAGES = {package_of(name) for name in FILES}
ARROWS = {package: set() for package in PACKAGES}
for name, below in OURS.items():
    ARROWS[package_of(name)] |= {package_of(file) for file in below} - {package_of(name)}


def loaded_by(name):
    """What Python loads with a file, and at the latest when its functions run."""
    below = find_our_files(imported_names(TREES[name], runs))
    return below | {file.rpartition(".")[0] for file in {name, *below}} & FILES.keys()


def reach(start, arrows):
    """All that can be reached from `start`, which is among it where there is a circle."""
    found, ahead = set(), list(arrows(start))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += arrows(name)
    return found


def find_users(library):
    """The files that import a library."""
    return {name for name in FILES if library in THEIRS[name]}


def test_what_is_checked_here_was_found():
    assert {"cli.app", "training.train", "models.networks", "fast_fit", "specs"} <= FILES.keys()
    assert OURS["training.train"] >= {"models.networks", "records.record", "models.weights"}
    assert "keras" in THEIRS["models.networks"]
    assert "keras" in THEIRS["seeds"]  # inside a function
    assert reach("cli.menu", OURS.get) >= {"cli.commands.train", "training.train", "settings"}
    assert "data" in loaded_by("data.cache")  # its package's `__init__`


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_only_what_stands_below_it(package):
    assert package in MAY_IMPORT, "a new package needs its row here and its line in the README"
    assert ARROWS[package] <= set(MAY_IMPORT[package].split())


def test_the_rows_name_what_is_there_and_no_package_is_above_itself():
    assert MAY_IMPORT.keys() == PACKAGES
    for package, below in MAY_IMPORT.items():
        assert set(below.split()) <= PACKAGES, package
        assert package not in reach(package, lambda name: MAY_IMPORT[name].split())


def test_no_files_import_one_another_in_a_circle():
    """An import that only gives a type its name counts too: who reads one file needs the other."""
    assert [name for name in FILES if name in reach(name, OURS.get)] == []


def test_the_ground_imports_no_package():
    assert {name for name in FILES if "." not in name and FILES[name].stem == name} == GROUND
    for name in GROUND:
        assert {package_of(below) for below in OURS[name]} <= GROUND


def test_the_library_is_taken_in_at_a_glance():
    entries = [path.name for path in LIBRARY.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 18, entries
    named = {part for name in FILES for part in name.split(".")}
    assert not named & {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("name", FILES)
def test_the_library_knows_no_experiment(name):
    assert not THEIRS[name] & {"experiments", "tests", "benchmarks"}


def test_experiments_are_declarations_that_import_no_framework():
    assert len(EXPERIMENTS) >= 3
    for path in EXPERIMENTS:
        names = list(imported_names(parse(path)))
        packages = {package_of(name) for name in find_our_files(names)}
        assert packages <= {"claims", "cli", "records", "specs"}, path
        assert find_libraries(names) <= {"experiments", *sys.stdlib_module_names}, path


PLAIN = ["settings", "specs", "files", "__init__", "records.schema", "records.provenance"]


@pytest.mark.parametrize("name", PLAIN)
def test_the_ground_needs_python_and_a_lock_alone(name):
    for file in {name, *reach(name, loaded_by)}:
        libraries = find_libraries(imported_names(TREES[file], runs))
        assert libraries <= sys.stdlib_module_names | {"filelock"}, file


@pytest.mark.parametrize(("name", "needed"), [("seeds", {"numpy"}), ("backends", set())])
def test_seeds_and_backends_name_a_framework_only_inside_a_function(name, needed):
    def is_outside(node):
        return runs(node) and not isinstance(node, ast.FunctionDef)

    libraries = find_libraries(imported_names(TREES[name], is_outside))
    assert libraries - sys.stdlib_module_names == needed


NEEDS_NO_FRAMEWORK = [
    *(name for name in FILES if package_of(name) in ("records", "claims", "reporting")),
    *("data", "models.baselines"),
]


@pytest.mark.parametrize("name", NEEDS_NO_FRAMEWORK)
def test_records_claims_and_reporting_never_reach_a_framework(name):
    reached = {name, *reach(name, loaded_by)}
    found = {file: libraries for file in reached if (libraries := loads_framework(file))}
    assert found == {}


def loads_framework(name):
    return find_libraries(imported_names(TREES[name], runs)) & FRAMEWORKS


def test_the_native_nets_borrow_nothing_and_only_their_package_leans_on_them():
    for native in ("pytorch.nets", "pytorch.loops"):
        assert OURS[native] == set()
        assert THEIRS[native] - sys.stdlib_module_names == {"torch"}
        users = {name for name in FILES if native in OURS[name]}
        assert {package_of(name) for name in users} == {"pytorch"}


def test_torch_is_named_only_where_it_must_be():
    naming = {
        name for name in FILES if "torch" in find_libraries(imported_names(TREES[name], runs))
    }
    assert {name for name in naming if package_of(name) not in ("fast_fit", "pytorch")} == {
        "backends",
        "models.torch_files",
        "models.torch_weights",
        "seeds",
    }
    # Parity asks jax for its precision.
    assert find_users("jax") | find_users("tensorflow") <= {"pytorch.parity"}


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("fire", "cli.app"),
        ("tabulate", "cli.output"),
        ("safetensors", "models.weights"),
        ("scipy", "records.intervals"),
        ("ray", "study.ray_cluster"),
        ("onnxruntime", "inference.export"),
        ("mlflow", "training.tracking"),
        ("tensorboard", "training.tracking"),
        ("tensorflow_datasets", "data.tfds_builder"),
        ("matplotlib", "reporting"),
        ("bokeh", "reporting.page"),
        ("jinja2", "reporting.page"),
        ("markupsafe", "reporting.page"),
    ],
)
def test_a_library_has_one_home(library, home):
    users = find_users(library)
    assert users, library
    assert {name for name in users if f"{name}.".startswith(f"{home}.")} == users


def test_images_are_read_and_neighbours_sought_in_few_places():
    assert find_users("PIL") == {"inference.photos", "reporting.page.images"}
    assert find_users("sklearn") == {
        "inference.latent",
        "inference.prediction",
        "models.baselines",
    }


def calls(tree, method):
    """How often a method of this name is called."""
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        for node in ast.walk(tree)
    )


def test_models_are_fitted_in_one_place_and_compiled_in_another():
    modelling = {name for name in FILES if "keras" in THEIRS[name]}
    fitting = {name for name in modelling if calls(TREES[name], "fit")}
    # The benchmark times bare epochs.
    assert fitting - {"pytorch.benchmark"} == {"training.train"}
    assert calls(TREES["training.train"], "fit") == 1
    compiling = {name for name in modelling if calls(TREES[name], "compile")}
    # Parity measures one step and trains nothing; fast_fit compiles graphs.
    others = {name for name in compiling if package_of(name) not in ("pytorch", "fast_fit")}
    assert others == {"training.compile"}
    assert calls(TREES["training.compile"], "compile") == 1


@pytest.mark.parametrize(
    "path", [*FILES.values(), *EXPERIMENTS, *TESTS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_file_of_its_tests(name):
    """`tests/data/test_cache.py` for `data/cache.py`; a package's `__init__` needs none."""
    path = FILES[name].relative_to(LIBRARY)
    folder = ROOT / "tests" / path.parent
    assert path.stem == "__init__" or (folder / f"test_{path.name}").exists()


def test_a_file_of_tests_is_where_its_file_is():
    """In the folders that are named as packages; the suite has others of its own."""
    mirrored = {path.parent.relative_to(LIBRARY) for path in FILES.values()}
    for path in TESTS:
        folder = path.parent.relative_to(ROOT / "tests")
        if path.name.startswith("test_") and folder.parts:
            assert folder in mirrored or folder.name == "experiments", path


def public_functions(body):
    """The functions and methods that a user may call, `__init__` and its like among them."""
    for node in body:
        if re.match("_(?!_)", getattr(node, "name", "")):
            continue
        if isinstance(node, ast.ClassDef):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef):
            yield node


def untyped(function):
    """The parameters of a function that have no type, and `return` where that has none."""
    every = function.args
    given = [*every.posonlyargs, *every.args, every.vararg, *every.kwonlyargs, every.kwarg]
    bare = [one.arg for one in given if one is not None and one.annotation is None]
    return [*(set(bare) - {"self", "cls"}), *(["return"] if function.returns is None else [])]


@pytest.mark.parametrize(
    "path", [*FILES.values(), *EXPERIMENTS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_public_functions_have_types(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = {function.name: untyped(function) for function in public_functions(body)}
    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("def run(spec, seed: int) -> None: ...", ["spec"]),
        ("def run(*specs, seed: int) -> None: ...", ["specs"]),
        ("def run(*, seed) -> None: ...", ["seed"]),
        ("def run(**modes) -> None: ...", ["modes"]),
        ("def run(seed: int): ...", ["return"]),
        ("class Net:\n def __init__(self, seed) -> None: ...", ["seed"]),
        ("class Net:\n @property\n def id(self): ...", ["return"]),
        ("def _run(spec): ...", None),
        ("class _Net:\n def run(self, spec): ...", None),
    ],
)
def test_a_missing_type_would_be_noticed(source, missing):
    found = [untyped(function) for function in public_functions(ast.parse(source).body)]
    assert found == ([] if missing is None else [missing])
