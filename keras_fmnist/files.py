"""Files that are written whole or not at all, by one process at a time, and read to a bound."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

POLL = 0.2  # seconds between two looks at a lock that another process has


def read_bounded(path: Path | str, most: int) -> bytes:
    """The bytes of a regular file that has at most `most` of them.

    Raises:
        OSError: the file is not there, cannot be read, has no end (as a pipe), or is longer.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"{size} bytes are more than {most}", str(path))
        return file.read(most)


def write_whole(path: Path | str, content: bytes) -> None:
    """Writes bytes so that a reader, also after a crash, finds the old file or the new one.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full; the old file stays.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_scratch(path.name))
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)  # mkstemp's 0600 would hide it from the machine's other users
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:  # of a full disk it would name no file, else the temporary one
        raise OSError(error.errno, error.strerror, str(path)) from None


def remove(path: Path) -> None:
    """Removes a file if it is there, so that it stays removed after a power cut."""
    if path.exists():
        path.unlink()
        _sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Removes what processes left that were killed while they wrote a file, or one beside it.

    Files are beside each other here if their names differ in the ending alone. To be called only
    where no other process can be writing them.
    """
    for leftover in path.parent.glob(f"{_scratch(path.stem)}*"):
        leftover.unlink()


def _scratch(name):
    """How the names of temporary files begin."""
    return f".{name}."


def write_json(path: Path | str, content: dict | list) -> None:
    """Writes what JSON can hold, whole or not at all; a NaN, which it cannot, becomes null."""
    clean = json.loads(json.dumps(content), parse_constant=lambda name: None)
    write_whole(path, (json.dumps(clean, indent=1, ensure_ascii=False) + "\n").encode())


def _sync_folder(folder):
    """Makes a rename or a removal itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def lock(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Holds a path for one process; calls `wait` first if another one has it.

    The system releases the lock when the process ends, however it ends. The file is empty, and
    removed afterwards.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path)
    try:
        held.acquire(blocking=False)
    except Timeout:
        wait()
        held.acquire(poll_interval=POLL)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before the release: whoever waits notices and makes its own
        held.release()
