"""Writes files whole or not at all, locks them, and reads them up to a limit."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

POLL = 0.2  # seconds between attempts to take a lock


def read_bounded(path: Path | str, most: int) -> bytes:
    """Reads a regular file of at most `most` bytes.

    Raises:
        OSError: the file is missing, cannot be read, is not a regular file, or is longer.
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
    """Writes a file so that every reader, even after a crash, finds the old content or the new.

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
    except OSError as error:  # the original names the temporary file, or none
        raise OSError(error.errno, error.strerror, str(path)) from None


def remove(path: Path) -> None:
    """Removes a file if it is there, so that it stays removed after a power cut."""
    if path.exists():
        path.unlink()
        _sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Removes the temporary files of processes that were killed while writing.

    These are the files for `path`, and for others in its folder whose name differs in the ending
    alone. Call this only where no other process can be writing them.
    """
    for leftover in path.parent.glob(f"{_scratch(path.stem)}*"):
        leftover.unlink()


def _scratch(name):
    """Returns how the names of temporary files begin."""
    return f".{name}."


def write_json(path: Path | str, content: dict | list) -> None:
    """Writes JSON, whole or not at all; NaN and infinity, which JSON lacks, become null."""
    clean = json.loads(json.dumps(content), parse_constant=lambda name: None)
    write_whole(path, (json.dumps(clean, indent=1, ensure_ascii=False) + "\n").encode())


def _sync_folder(folder):
    """Makes a rename or a removal in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def lock(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Locks a path for this process; calls `wait` once if another process has the lock.

    The system releases the lock when the process ends, even if it is killed. The lock file is
    empty and is removed afterwards.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file_lock = FileLock(path)
    try:
        file_lock.acquire(blocking=False)
    except Timeout:
        wait()
        file_lock.acquire(poll_interval=POLL)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # first, so that a waiting process makes its own
        file_lock.release()
