"""The house: which room may import which, where frameworks are named, and that the map is true.

Imports are read from the source, so those inside functions count as well.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "keras_fmnist"
PATHS = sorted(LIBRARY.rglob("*.py"))
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))
# A room is a file, or a folder whose files do one job together.
FILES = {path.stem: [path] for path in PATHS if path.parent == LIBRARY} | {
    path.parent.name: sorted(path.parent.glob("*.py")) for path in PATHS if path.parent != LIBRARY
}
FRAMEWORKS = {"keras", "torch", "jax", "tensorflow"}

# What each room may import of ours.
ARROWS = {
    "__init__": "",
    "settings": "",
    "specs": "settings",
    "catalogue": "",
    "seeds": "",
    "files": "",
    "provenance": "",
    "native": "",
    "native_training": "",
    "optimizers": "",
    "fast_fit": "",
    "sources": "",
    "cache": "sources",
    "interrupts": "",
    "fashion_mnist_builder": "sources",
    "data": "cache files sources fashion_mnist_builder",
    "layers": "",
    "models": "layers seeds specs",
    "weights": "files",
    "schema": "files settings specs",
    "results": "files schema settings specs",
    "grouping": "results specs",
    "callbacks": "seeds",
    "baselines": "",
    "checkpoint": "checkpoint_file interrupts provenance seeds specs weights",
    "checkpoint_file": "settings specs weights",
    "outcome": "baselines callbacks results specs",
    "tracking": "specs",
    "train": "callbacks checkpoint checkpoint_file data fast_fit files models optimizers outcome "
    "provenance results settings specs tracking weights",
    "trained": "callbacks grouping models results settings specs weights",
    "photos": "settings specs",
    "prediction": "data photos specs weights",
    "latent": "data results schema",
    "live_data": "baselines data latent results schema specs weights",
    "inspection": "seeds",
    "pitfalls": "inspection settings specs",
    "twin": "native specs weights",
    "parity": "models specs train twin weights",
    "compare": "callbacks native_training optimizers specs train twin",
    "bench": "callbacks models native_training provenance specs train twin",
    "figures": "data files grouping latent results specs",
    "readings": "data results",
    "verdicts": "grouping readings results specs",
    "claims": "grouping results specs verdicts",
    "assumptions": "grouping results specs",
    "report": "assumptions claims grouping results",
    "page": (
        "assumptions catalogue claims data figures grouping latent live_data report results specs "
        "weights"
    ),
    "study": "results settings specs",
    "ray_engine": "files provenance results study",
    "checks": "results settings",
    "queries": (
        "assumptions baselines callbacks checks claims data figures files grouping inspection "
        "models pitfalls results settings specs train weights"
    ),
    "commands": (
        "checkpoint_file checks data figures provenance queries ray_engine results seeds settings "
        "specs study train"
    ),
    "publish": "checks figures files grouping page report results",
    "formats": "checks data files settings weights",
    "rulers": "bench checks compare data files formats models parity provenance settings specs "
    "weights",
    "live_command": "checks data live_data results settings trained",
    "uses": "checks data figures formats latent photos prediction results settings specs trained",
    "cli": "interrupts settings",
    "menu": "cli commands live_command publish queries results rulers settings specs uses",
}
# Torch is named by what speaks to it directly; everything else is Keras or numpy.
RULERS = {"twin", "parity", "compare", "bench"}  # they hold ours to native PyTorch
MAY_NAME_TORCH = {"native", "native_training", "weights", "seeds", "fast_fit"} | RULERS


def running(tree):
    """Every node of a syntax tree but what stands under `if TYPE_CHECKING`.

    That never runs: it gives a type its name, loads nothing, and makes no room need another.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node = ast.Module(node.orelse, [])
        yield node
        yield from running(node)


def imported(tree):
    """Every module that a syntax tree imports to run, anywhere in it, as dotted names."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(names):
    """Which of our rooms are among dotted names."""
    parts = [name.split(".") for name in names]
    ours = {part[1] for part in parts if part[0] == "keras_fmnist" and len(part) > 1}
    assert ours - {"__version__"} <= FILES.keys()
    return ours - {"__version__"}


def others(names):
    """Which top-level packages that are not ours are among dotted names."""
    return {name.split(".")[0] for name in names} - {"keras_fmnist"}


TREES = {
    name: ast.parse("\n".join(path.read_text(encoding="utf-8") for path in paths))
    for name, paths in FILES.items()
}
OURS = {name: rooms(imported(tree)) - {name} for name, tree in TREES.items()}
THEIRS = {name: others(imported(tree)) for name, tree in TREES.items()}


def reachable(start):
    """A room and every room that its imports lead to."""
    found, ahead = set(), [start]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += OURS[name]
    return found


def test_what_is_checked_here_was_found():
    assert {"cli", "train", "models", "figures", "fast_fit"} <= FILES.keys()
    assert OURS["train"] >= {"models", "results", "weights"}
    assert "keras" in THEIRS["models"]
    assert "keras" in THEIRS["seeds"]  # inside a function
    assert reachable("menu") >= {"commands", "train", "models", "specs", "settings"}


@pytest.mark.parametrize("name", FILES)
def test_imports_follow_the_arrows(name):
    assert name in ARROWS, "a new room needs its arrows here and its line in the README's map"
    assert OURS[name] <= set(ARROWS[name].split())


def test_no_arrows_run_in_a_circle():
    for name in FILES:
        assert not any(name in reachable(below) for below in OURS[name]), name
    for name, below in ARROWS.items():
        assert set(below.split()) <= ARROWS.keys(), name


@pytest.mark.parametrize("name", FILES)
def test_the_library_knows_no_experiment(name):
    assert not THEIRS[name] & {"experiments", "tests", "benchmarks"}


def test_experiments_are_declarations_that_import_no_framework():
    assert len(EXPERIMENTS) >= 3
    for path in EXPERIMENTS:
        names = list(imported(ast.parse(path.read_text(encoding="utf-8"))))
        shared = {"catalogue", "cli", "menu", "specs", "claims", "readings", "verdicts"}
        assert rooms(names) <= shared, path
        assert others(names) <= {"experiments", *sys.stdlib_module_names}, path


@pytest.mark.parametrize("name", ["settings", "specs", "schema", "files", "provenance", "__init__"])
def test_the_ground_floor_needs_python_alone(name):
    for room in reachable(name):
        assert THEIRS[room] <= sys.stdlib_module_names, room


def test_seeds_need_numpy_and_name_a_framework_only_inside_a_function():
    at_once = [
        node for node in TREES["seeds"].body if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    names = others(imported(ast.Module(at_once, [])))
    assert names - sys.stdlib_module_names == {"numpy"}


@pytest.mark.parametrize("name", ["results", "report", "figures", "data", "claims", "baselines"])
def test_pages_and_data_never_reach_a_framework(name):
    found = {room: THEIRS[room] & FRAMEWORKS for room in reachable(name)}
    assert not any(found.values()), found


def test_the_native_twin_borrows_nothing_and_nothing_leans_on_it():
    for native in ("native", "native_training"):
        assert OURS[native] == set()
        assert THEIRS[native] - sys.stdlib_module_names == {"torch"}
        assert {name for name in FILES if native in OURS[name]} <= RULERS


def test_torch_is_named_only_where_it_must_be():
    assert {name for name in FILES if "torch" in THEIRS[name]} <= MAY_NAME_TORCH
    # Parity asks jax for its precision.
    assert {name for name in FILES if THEIRS[name] & {"jax", "tensorflow"}} <= {"parity"}


def test_one_room_fits_one_library_to_each_job():
    def users(package):
        return {name for name in FILES if package in THEIRS[name]}

    assert users("matplotlib") == {"figures"}
    assert users("bokeh") == users("jinja2") == {"page"}
    assert users("fire") == {"cli"}
    assert users("PIL") == {"page", "photos"}
    assert users("onnxruntime") == {"formats"}
    assert users("mlflow") == users("tensorboard") == {"tracking"}
    assert users("safetensors") == {"weights"}
    assert users("sklearn") == {"baselines", "latent", "prediction"}
    assert users("tensorflow_datasets") == {"fashion_mnist_builder"}


# What runs, or may run, the content of a file or of a word that somebody else has written.
RUNS_CODE = {
    *("eval", "exec", "compile", "__import__"),  # by these bare names: `net.eval` is another
    *(".load_model", ".load_weights", ".model_from_json", ".deserialize", ".from_config"),
    *(".get_file", ".extractall", ".unpack_archive", ".system", ".popen"),
}
READS_CODE = {"pickle", "marshal", "shelve", "dill", "joblib", "yaml", "h5py", "runpy", "code"}


def could_run_code(tree):
    """What of a syntax tree could run what is in a file: names of calls and of imports."""
    found = {part for name in imported(tree) for part in name.split(".")} & READS_CODE
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = ast.unparse(call.func)
        name = f".{called.rpartition('.')[2]}" if "." in called else called
        given = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
        unchecked = called == "torch.load" and given.get("weights_only") is not True
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


def calls(tree, method):
    """How often a method of this name is called."""
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        for node in ast.walk(tree)
    )


def test_models_are_compiled_and_fitted_in_one_place():
    modelling = {name: tree for name, tree in TREES.items() if "keras" in THEIRS[name]}
    fitting = {name for name, tree in modelling.items() if calls(tree, "fit")}
    assert fitting - {"bench"} == {"train"}  # bench times bare epochs
    assert calls(TREES["train"], "fit") == calls(TREES["train"], "compile") == 1
    # Parity measures one step and trains nothing.
    compiling = {name for name, tree in modelling.items() if calls(tree, "compile")}
    assert compiling - RULERS - {"fast_fit"} == {"train"}  # that one compiles graphs


@pytest.mark.parametrize("path", PATHS, ids=[str(path.relative_to(LIBRARY)) for path in PATHS])
def test_a_file_is_one_room(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


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
    "path", [*PATHS, *EXPERIMENTS], ids=lambda path: str(path.relative_to(ROOT))
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


def test_there_is_no_lumber_room():
    assert not {"utils", "util", "helpers", "common", "misc"} & FILES.keys()


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md"])
def test_every_test_that_a_promise_names_exists(page):
    named = set(re.findall(r"`(test_\w+)`", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) >= 10
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")]
    there = set(re.findall(r"^def (test_\w+)\(", "\n".join(sources), re.M))
    assert named - there == set()


def map_of(readme):
    """The README's map: for each folder named at the start of a line the Python files below it."""
    blocks = [b for b in re.findall(r"^```\w*\n(.*?)^```", readme, re.M | re.S) if "cli.py" in b]
    assert len(blocks) == 1, "one block of the README is the map"
    found, folder = {}, None
    for line in blocks[0].splitlines():
        if start := re.match(r"(\w+)/", line):
            folder = start.group(1)
            found[folder] = set()
        elif not line.startswith(" "):
            folder = None
        if folder:
            found[folder] |= set(re.findall(r"\b(\w+\.py)\b", line))
    return found


def test_the_readmes_map_names_every_room_and_no_other():
    found = map_of((ROOT / "README.md").read_text(encoding="utf-8"))
    # What holds next to nothing need not be on a map.
    rooms_there = {path.name for path in PATHS if path.parent == LIBRARY} - {"__init__.py"}
    assert found["keras_fmnist"] - {"__init__.py"} == rooms_there
    assert found["experiments"] <= {path.name for path in (ROOT / "experiments").glob("*.py")}
    reports = {p.name for p in (ROOT / "experiments").glob("*.py") if not p.stem.startswith("__")}
    assert reports <= found["experiments"]
