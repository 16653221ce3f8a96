"""Reads Fashion-MNIST from files with other compression than the original ones.

A folder may have the four files uncompressed, or compressed again. Then their bytes are not those
that tensorflow-datasets registers, so the digest of the arrays is checked instead. Nothing is
unpacked to more than the size of the arrays.
"""

import hashlib
import zlib
from pathlib import Path

import numpy as np

from keras_fmnist.data.sources import FILES, SHA256, SHAPES, pack_header

_LARGEST = max(int(np.prod(shape)) for shape in SHAPES.values()) + 16  # with the header


def read_folder(folder: Path) -> dict[str, np.ndarray] | None:
    """Reads the four files of a folder, if their arrays have the digest of Fashion-MNIST.

    Args:
        folder: holds `train-images-idx3-ubyte.gz` and the other three, each with or without the
            ending .gz, compressed by gzip or not.

    Returns:
        uint8 arrays by the names in `sources.SHAPES`; None if a file is missing or differs.
    """
    arrays, digest = {}, hashlib.sha256()
    for (name, shape), file in zip(SHAPES.items(), FILES, strict=True):
        plain = folder / file.name.removesuffix(".gz")
        content = _read(folder / file.name) or _read(plain)
        header = pack_header(shape)
        if content is None or len(content) != len(header) + int(np.prod(shape)):
            return None
        if not content.startswith(header):
            return None
        digest.update(content[len(header) :])
        arrays[name] = np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)
    return arrays if digest.hexdigest() == SHA256 else None


def _read(path):
    """Reads a file and unpacks gzip; None if it cannot be read or is too long."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        if content.startswith(b"\x1f\x8b"):
            unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            content = unpack.decompress(content, _LARGEST + 1)
            if not unpack.eof:  # cut off, or too long
                return None
    except (OSError, zlib.error):
        return None
    return content if len(content) <= _LARGEST else None
