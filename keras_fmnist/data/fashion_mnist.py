"""Loads Fashion-MNIST from a verified cache that tensorflow-datasets fills once.

Reading the cache needs numpy alone and a third of a second. TFDS takes half a minute and is
imported only to prepare the cache.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from keras_fmnist import files
from keras_fmnist.data import cache, idx_files, sources
from keras_fmnist.data.sources import SHA256, SHAPES, DataError

__all__ = [
    "CLASS_NAMES",
    "SHA256",
    "DataError",
    "Dataset",
    "cache_file",
    "describe",
    "load",
    "prepare",
]
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels in the order of the original files; the real arrays are read-only.

    Attributes:
        train_images: (60000, 28, 28, 1) uint8, 0 is background.
        train_labels: (60000,) uint8, an index into `CLASS_NAMES`.
        test_images: (10000, 28, 28, 1) uint8.
        test_labels: (10000,) uint8.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    @cached_property
    def sha256(self) -> str:
        """Digest of the bytes of the four arrays; `SHA256` for the real data."""
        digest = hashlib.sha256()
        for name in SHAPES:
            digest.update(np.ascontiguousarray(getattr(self, name)))
        return digest.hexdigest()

    def find_first_of_each_class(self) -> list[int]:
        """Returns the rows of ten test images: the first of each class, in the order of classes."""
        return [int(np.argmax(self.test_labels == label)) for label in range(len(CLASS_NAMES))]


def cache_file(cache_dir: str | os.PathLike | None = None) -> Path:
    """Returns the path of the cache, prepared or not.

    Args:
        cache_dir: Its folder. Default: `KERAS_FMNIST_CACHE`, else `keras-fmnist` below
            `XDG_CACHE_HOME`, else `~/.cache/keras-fmnist`.
    """
    folder = cache_dir or os.environ.get("KERAS_FMNIST_CACHE")
    if not folder:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "keras-fmnist"
    return Path(folder).expanduser().absolute() / "fashion-mnist.gz"


def load(cache_dir: str | os.PathLike | None = None, report: Report | None = None) -> Dataset:
    """Returns Fashion-MNIST; prepares the cache first if it is missing or damaged.

    Args:
        cache_dir: See `cache_file`.
        report: Called with each line about a preparation. Default: prints to stderr.

    Raises:
        DataError: The data cannot be found, or the cache cannot be written.

    Example:
        >>> dataset = load()
        >>> dataset.train_images.shape, dataset.train_images.dtype
        ((60000, 28, 28, 1), dtype('uint8'))
        >>> CLASS_NAMES[dataset.train_labels[0]]
        'Ankle boot'
    """
    with contextlib.suppress(DataError):  # `prepare` reports it
        return _read(cache_file(cache_dir))
    return prepare(cache_dir, report=report)


def prepare(
    cache_dir: str | os.PathLike | None = None,
    force: bool = False,
    report: Report | None = None,
) -> Dataset:
    """Fills the cache through tensorflow-datasets and returns what it holds.

    If another process is preparing it, this one waits and reads the result.

    Args:
        cache_dir: See `cache_file`.
        force: Prepare it again even if the cache is in order.
        report: Called with each line about what happens. Default: prints to stderr.

    Raises:
        DataError: The data cannot be found, or the cache cannot be written.
    """
    report = report or _print_to_stderr
    path = cache_file(cache_dir)
    try:
        waiting = f"Fashion-MNIST: waiting for the process that is preparing {path.parent}"
        with files.lock(path.parent / ".lock", wait=lambda: report(waiting)):
            if path.exists() and not force:
                try:
                    return _read(path)
                except DataError as error:
                    report(f"{error}; preparing it again")
            return _build(path, report)
    except OSError as error:
        raise DataError(_explain(error, path.parent)) from error


def describe(cache_dir: str | os.PathLike | None = None) -> dict[str, object]:
    """Describes the cache: path, bytes, sha256, source, images of each class in each split.

    Raises:
        DataError: The cache is missing or damaged.
    """
    path = cache_file(cache_dir)
    arrays, source = cache.read(path)
    dataset = Dataset(**arrays)
    return {
        "cache": str(path),
        "bytes": path.stat().st_size,
        "sha256": dataset.sha256,
        "source": source,
        "train": _count_classes(dataset.train_labels),
        "test": _count_classes(dataset.test_labels),
    }


def _count_classes(labels: np.ndarray) -> dict[str, int]:
    return dict(zip(CLASS_NAMES, np.bincount(labels, minlength=10).tolist(), strict=True))


def _print_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _build(path: Path, report: Report) -> Dataset:
    # Holding the lock, this can remove what killed processes left.
    files.remove_leftovers(path)
    for stale in path.parent.glob(".prepare-*"):
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix=".prepare-", dir=path.parent) as scratch:
        upstream = Path(scratch, "upstream")
        upstream.mkdir()
        try:
            source, arrays = sources.fetch(upstream, report), None
        except DataError as error:
            source, arrays = _read_as_packed(error, report)
        if arrays is None:
            report("Fashion-MNIST: preparing through tensorflow-datasets, about half a minute")
            from keras_fmnist.data import tfds_builder  # TFDS, which a prepared cache never needs

            arrays = tfds_builder.build(upstream, Path(scratch, "tfds"))
    if (digest := Dataset(**arrays).sha256) != SHA256:
        raise DataError(f"tensorflow-datasets gave arrays with sha256 {digest}, not {SHA256}")
    files.write_whole(path, cache.pack(arrays, source))
    report(f"Fashion-MNIST: prepared {path} from {source}")
    return _read(path)


def _read_as_packed(error: DataError, report: Report) -> tuple[str, dict[str, np.ndarray]]:
    """Reads `FASHION_MNIST_DIR` by its arrays, after its files differed from those registered."""
    named = os.environ.get("FASHION_MNIST_DIR")
    arrays = idx_files.read_folder(Path(named).expanduser()) if named else None
    if arrays is None:
        raise error
    report("Fashion-MNIST: the files are packed in another way, and hold the right arrays")
    return named, arrays


def _read(path: Path) -> Dataset:
    return Dataset(**cache.read(path)[0])


def _explain(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left in {folder}: preparing Fashion-MNIST takes 130 MB there"
    where = error.filename2 or error.filename or folder
    reason = error.strerror or error
    return f"{where} cannot be written ({reason}): name another folder in KERAS_FMNIST_CACHE"
