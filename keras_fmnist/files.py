"""Files that are written whole or not at all."""

import json
import os
import tempfile
from pathlib import Path


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
