"""Files that are written whole or not at all, and read to a bound."""

import errno
import json
import os
import tempfile
from pathlib import Path


def read_bounded(path, most):
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


def write_whole(path, content):
    """Writes bytes so that a reader, also after a crash, finds the old file or the new one.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full; the old file stays.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # mkstemp's 0600 would hide it from the other users of the machine
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_json(path, content):
    """Writes what JSON can hold, whole or not at all; a NaN, which it cannot, becomes null."""
    clean = json.loads(json.dumps(content), parse_constant=lambda name: None)
    write_whole(path, (json.dumps(clean, indent=1, ensure_ascii=False) + "\n").encode())


def _sync_folder(folder):
    """Makes the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
