"""Fetches the four files of Fashion-MNIST from one of several sources, and verifies them.

Every source gives the same four files, byte for byte as Zalando Research published them and as
tensorflow-datasets registers them (`checksums.tsv`). It takes numpy and the standard library.

Reference: Xiao, Rasul, Vollgraf, "Fashion-MNIST" (https://arxiv.org/abs/1708.07747).
"""

import gzip
import hashlib
import http.client
import os
import shutil
import struct
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHAPES = {
    "train_images": (60000, 28, 28, 1),
    "train_labels": (60000,),
    "test_images": (10000, 28, 28, 1),
    "test_labels": (10000,),
}
# Of the four arrays in the order of `SHAPES`, one after the other.
SHA256 = "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
DEBIAN_PACKAGE = "dataset-fashion-mnist"
TIMEOUT = 5.0  # seconds without a byte; many machines cannot reach the upstream address


class DataError(RuntimeError):
    """Fashion-MNIST cannot be found; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class UpstreamFile:
    """One of the four files, as registered: size in bytes, sha256, and its gzip time stamp."""

    url: str
    size: int
    sha256: str
    name: str

    @property
    def header(self) -> bytes:
        """The gzip header of the upstream file, which holds its name and time stamp."""
        stamp = 1504176606 if self.name.startswith("train") else 1504176627
        name = self.name.removesuffix(".gz").encode()
        return b"\x1f\x8b\x08\x08" + struct.pack("<I", stamp) + b"\x00\x03" + name + b"\x00"

    def restore(self, content: bytes) -> bytes:
        """Gives Debian's copy the upstream header back; the compressed data are the same.

        Debian builds with `gzip -n`, which leaves a header of ten bytes without a name.
        """
        return self.header + content[10:] if content[:4] == b"\x1f\x8b\x08\x00" else content


def _registered() -> dict[str, UpstreamFile]:
    lines = Path(__file__).with_name("checksums.tsv").read_text().splitlines()
    rows = (line.split("\t") for line in lines)
    return {name: UpstreamFile(url, int(size), digest, name) for url, size, digest, name in rows}


_BY_NAME = _registered()
FILES = tuple(_BY_NAME.values())
SPLITS = {
    split: (_BY_NAME[f"{stem}-images-idx3-ubyte.gz"], _BY_NAME[f"{stem}-labels-idx1-ubyte.gz"])
    for split, stem in (("train", "train"), ("test", "t10k"))
}


def verify(content: bytes, file: UpstreamFile, where: str) -> bytes:
    """Checks a file and returns its upstream bytes.

    Args:
        content: The bytes, of the upstream file or of Debian's copy.
        file: What they should be.
        where: Path or address of the content, for the error.

    Raises:
        DataError: The content is empty, a web page, another of the four files, of the wrong
            length, or damaged.
    """
    restored = file.restore(content)
    if hashlib.sha256(restored).hexdigest() == file.sha256:
        return restored
    size = file.size - len(restored) + len(content)
    if not content:
        found = "is empty"
    elif content.lstrip()[:1] == b"<":
        found = "is a web page"
    elif content[:2] != b"\x1f\x8b":
        found = "is not a gzip file"
    elif other := _which(content):
        found = f"holds {other.name} under a wrong name"
    elif len(content) != size:
        found = f"has {'only ' if len(content) < size else ''}{len(content)} bytes"
    else:
        found = "is damaged"
    raise DataError(
        f"{where} {found}; it should be {file.name} of Fashion-MNIST, {size} bytes, "
        f"sha256 {file.sha256[:12]}…"
    )


def _which(content: bytes) -> UpstreamFile | None:
    for file in FILES:
        if hashlib.sha256(file.restore(content)).hexdigest() == file.sha256:
            return file
    return None


def pack_header(shape: tuple[int, ...]) -> bytes:
    """Returns the header of an IDX file of unsigned bytes.

    Args:
        shape: of its array; a trailing 1 for the channel is not stored in the file.

    Reference: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
    """
    sizes = shape[:3]
    # 0x08: unsigned byte; then the number of axes, then each axis as a big-endian 32-bit count.
    return struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes)


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Reads a gzipped IDX file of unsigned bytes.

    Args:
        path: A file whose sha256 has been checked.
        shape: Expected shape; a trailing 1 for the channel is not stored in the file.

    Returns:
        uint8 array of that shape.

    Raises:
        DataError: Magic number, counts or length do not match `shape`.

    Reference: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
    """
    header = pack_header(shape)
    length = len(header) + int(np.prod(shape))
    with gzip.open(path) as stream:
        content = stream.read(length + 1)
    if content[: len(header)] != header or len(content) != length:
        raise DataError(f"{path} is not an IDX file of {'×'.join(map(str, shape[:3]))} bytes")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def fetch(folder: Path, report: Callable[[str], None]) -> str:
    """Puts the four upstream files into `folder` from the first source that has them.

    The sources in order: the folder that `FASHION_MNIST_DIR` names (then no other is tried),
    `/usr/share/datasets/fashion-mnist`, the upstream address, Debian's archive through apt.

    Args:
        folder: Empty folder to fill, 31 MB.
        report: Called with a line about each source that is tried.

    Returns:
        The source's name.

    Raises:
        DataError: No source has all four, or the folder in `FASHION_MNIST_DIR` does not.
        OSError: `folder` cannot be written.
    """
    if named := os.environ.get("FASHION_MNIST_DIR"):
        report(f"Fashion-MNIST: reading the files in FASHION_MNIST_DIR={named}")
        _from_folder(Path(named).expanduser(), folder)
        return named
    failures = []
    for name, get in (
        (str(SYSTEM_FOLDER), lambda: _from_folder(SYSTEM_FOLDER, folder)),
        (FILES[0].url.rpartition("/")[0], lambda: _from_upstream(folder)),
        (f"Debian package {DEBIAN_PACKAGE}", lambda: _from_apt(folder)),
    ):
        report(f"Fashion-MNIST: {f'{failures[-1]}; ' if failures else ''}trying {name}")
        try:
            get()
        except DataError as error:
            failures.append(str(error))
        else:
            return name
    raise DataError(
        f"Fashion-MNIST was found nowhere ({'; '.join(failures)}): put the four *-ubyte.gz files "
        "into a folder and name it in FASHION_MNIST_DIR"
    )


def _from_folder(source: Path, folder: Path) -> None:
    for file in FILES:
        path = source / file.name
        try:
            with path.open("rb") as stream:
                # One byte more than the longest of the four, to notice a file that is too long.
                content = stream.read(max(file.size for file in FILES) + 1)
        except FileNotFoundError:
            raise DataError(f"{path} is missing") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from None
        (folder / file.name).write_bytes(verify(content, file, str(path)))


def _from_upstream(folder: Path) -> None:
    for file in FILES:
        try:
            with urllib.request.urlopen(file.url, timeout=TIMEOUT) as response:
                content = response.read(file.size + 1)
        # A timeout, a refusal and an HTTP error are all OSErrors to urllib.
        except (OSError, http.client.HTTPException) as error:
            raise DataError(f"{file.url} cannot be reached: {str(error).strip('<>')}") from None
        (folder / file.name).write_bytes(verify(content, file, file.url))


def _from_apt(folder: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise DataError("this machine has no apt")
    scratch = folder / "apt"
    scratch.mkdir()
    download = ["apt-get", "download", DEBIAN_PACKAGE]
    try:
        _command(download, scratch)
    except DataError as error:
        if os.geteuid() != 0:
            raise DataError(f"{error} (does `sudo apt-get update` help?)") from None
        _command(["apt-get", "update"], scratch)
        _command(download, scratch)
    for package in scratch.glob("*.deb"):
        _command(["dpkg-deb", "-x", package.name, "."], scratch)
    _from_folder(scratch / SYSTEM_FOLDER.relative_to("/"), folder)
    shutil.rmtree(scratch)


def _command(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"`{' '.join(command)}` did not end within 300 seconds") from None
    if done.returncode:
        complaint = (done.stderr.strip() or "no message").splitlines()[-1]
        raise DataError(f"`{' '.join(command)}` failed: {complaint}")
