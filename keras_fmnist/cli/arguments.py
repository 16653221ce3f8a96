"""Arguments that are right, or one sentence that says what would be."""

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from keras_fmnist.backends import BACKENDS, get_backend
from keras_fmnist.records.run import NATIVE, STUDY, find_keras_backend, find_published
from keras_fmnist.settings import SpecError, shorten, suggest

if TYPE_CHECKING:
    from keras_fmnist.specs import AnySpec


# Flags that several commands have.
RecordsFolder = Annotated[
    str | None, "folder of the records; else results here, or the published one with the package"
]
SeedOfRun = Annotated[int, "of the run"]
JsonFile = Annotated[str | None, "write it all to this file"]
Backend = Annotated[
    str | None, "torch, jax, tensorflow, or pytorch: the same net without Keras; KERAS_BACKEND"
]
Device = Annotated[str, "cpu, gpu, or auto: a GPU where there is one"]

LONGEST_NAME = 240  # bytes, of the 255 that file systems take: a file is written under a longer one
LONGEST_PATH = 3500  # of 4096: report, experiment and file come below it
TRACKERS = {"mlflow": ("mlflow", "sqlalchemy", "alembic"), "tensorboard": ("tensorboard",)}


def check_int(name: str, value: object, low: int, high: int) -> None:
    """Holds a value to a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(f"{name} must be a whole number from {low} to {high}, not {shorten(value)}")


def check_flag(name: str, value: object) -> bool:
    """Holds a value to one that a flag without a value has."""
    if not isinstance(value, bool):
        raise SpecError(f"{name} takes no value, not {shorten(value)}")
    return value


def select_backend(name: object) -> str:
    """Selects what a run is trained with, before Keras is imported, and returns its name.

    Args:
        name: torch, jax, tensorflow, or pytorch, beside which Keras runs on torch; None for the
            backend that `KERAS_BACKEND` names.

    Raises:
        SpecError: it is another, is not installed, or Keras runs on another one already.
    """
    if name is None:
        return get_backend()
    if name not in (*BACKENDS, NATIVE):
        known = ", ".join((*BACKENDS, NATIVE))
        raise SpecError(f"backend must be {known}, not {shorten(name)}")
    wanted = find_keras_backend(name)
    if "keras" in sys.modules and (running := sys.modules["keras"].backend.backend()) != wanted:
        raise SpecError(f"backend {name}: Keras runs on {running} in this process")
    os.environ["KERAS_BACKEND"] = wanted
    get_backend()
    return name


def check_folder(path: object, name: str = "out", is_written: bool = True) -> None:
    """Holds a path to be a folder, or one that can be made.

    Args:
        path: what the user said.
        name: what the user calls it.
        is_written: whether files are written to it.

    Raises:
        SpecError: it is no folder and cannot become one, or cannot be written.
    """
    if isinstance(path, int) and not isinstance(path, bool):  # as Fire reads it
        raise SpecError(f"{name} must name a folder, not {shorten(path)}: that one is ./{path}")
    if not isinstance(path, str) or not path.strip() or "\0" in path:
        raise SpecError(f"{name} must name a folder, such as runs, not {shorten(path)}")
    if path.startswith("~"):  # it would become a folder of that name
        raise SpecError(f"{name} {path}: the shell has left the ~ as it is; write $HOME")
    there = Path(path).absolute()
    if len(os.fsencode(there)) > LONGEST_PATH or any(
        len(os.fsencode(part)) > LONGEST_NAME for part in there.parts
    ):
        raise SpecError(
            f"{name} is too long: {LONGEST_PATH} bytes is the most, {LONGEST_NAME} for a name in it"
        )
    while not os.path.lexists(there):
        there = there.parent
    if there.is_symlink() and not there.exists():
        raise SpecError(f"{name} {path}: {there} is a link to nowhere")
    if not there.is_dir():
        raise SpecError(f"{name} {path}: {there} is a file, not a folder")
    if is_written and not os.access(there, os.W_OK):
        raise SpecError(f"{name} {path}: {there} cannot be written")


def find_records_folder(
    path: object, is_written: bool = False, takes_published: bool = True
) -> str:
    """The folder to read records from: the one that is named, the study here, or the published one.

    Args:
        path: what the user said, or None.
        is_written: whether files are written to it.
        takes_published: whether the one with the package will do.

    Raises:
        SpecError: there is none, or it cannot be read or written.
    """
    if path is None:
        published = find_published() if takes_published else None
        path = STUDY if published is None or os.path.isdir(STUDY) else str(published)
    check_folder(path, is_written=is_written)
    if path != STUDY and not os.path.isdir(path):
        raise SpecError(f"out {path} does not exist: it must name a folder that holds runs")
    if os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK):
        raise SpecError(f"out {path} cannot be read")
    return path


def say_where_records_are(out: str) -> None:
    """Says on stderr that records are the published ones, where no folder of the study is here."""
    if out == str(find_published()) and not os.path.isdir(STUDY):
        print(f"there is no {STUDY} here: taken from {out}", file=sys.stderr)


def check_tracker(track: object, out: str) -> None:
    """Holds a tracker to one that is known and installed, or None, and that can write to `out`."""
    if track is None:
        return
    if not isinstance(track, str) or track not in TRACKERS:
        raise SpecError(f"track must be {' or '.join(TRACKERS)}, not {shorten(track)}")
    for package in TRACKERS[track]:
        if importlib.util.find_spec(package) is None:
            raise SpecError(f"{package} is not installed: pip install 'keras-fmnist[{track}]'")
    if track == "mlflow" and "?" in str(Path(out).absolute()):  # the rest would be options
        raise SpecError(f"out {out}: mlflow takes no path with a question mark")


def find_experiment(specs: "Iterable[AnySpec]", experiment: object) -> "AnySpec":
    """The spec of an id such as mansilla/base."""
    known = {spec.id: spec for spec in specs}
    word = experiment if isinstance(experiment, str) else ""
    if word not in known:
        raise SpecError(f"{shorten(experiment)} is no experiment{suggest(word, known)}")
    return known[word]


def check_target(name: str, path: object, *endings: str) -> None:
    """Holds a path to a file that can be written and has one of the endings."""
    if not isinstance(path, str) or "\0" in path or Path(path).suffix not in endings:
        raise SpecError(f"{name} must end in {' or '.join(endings)}, not {shorten(path)}")
    if os.path.isdir(path):  # Path.is_dir raises where a name is too long
        raise SpecError(f"{name} {path} is a folder")
    if len(os.fsencode(Path(path).name)) > LONGEST_NAME:
        raise SpecError(f"{name} is too long: a file's name has at most {LONGEST_NAME} bytes")
    check_folder(str(Path(path).parent), name)
