"""The source of the library and of the tests, and what it imports."""

import ast

from tests.helpers.repository import ROOT

LIBRARY = ROOT / "keras_fmnist"
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def name_file(path):
    """`data.cache` for keras_fmnist/data/cache.py, and `data` for its package's `__init__`."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


FILES = {name_file(path): path for path in sorted(LIBRARY.rglob("*.py"))}
TREES = {name: parse(path) for name, path in FILES.items()}


def runs(node):
    """Whether a statement runs: what stands under `if TYPE_CHECKING` gives a type its name only."""
    return not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")


def walk(tree, follow=lambda node: True):
    """Every node of a syntax tree, but what stands below a node that is not to be followed."""
    for node in ast.iter_child_nodes(tree):
        if follow(node):
            yield node
            yield from walk(node, follow)


def imported_names(tree, follow=lambda node: True):
    """Every module or name that a syntax tree imports, anywhere in it, as dotted names."""
    for node in walk(tree, follow):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_our_files(names):
    """Which of our files dotted names stand for."""
    found = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "keras_fmnist":
            while len(parts) > 1 and ".".join(parts[1:]) not in FILES:
                parts.pop()
            found.add(".".join(parts[1:]) or "__init__")
    return found


def find_libraries(names):
    """Which top-level packages that are not ours are among dotted names."""
    return {name.split(".")[0] for name in names} - {"keras_fmnist"}


def package_of(name):
    return name.split(".")[0]
