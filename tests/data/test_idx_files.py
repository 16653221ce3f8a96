"""Files that hold the right arrays, packed in another way."""

import gzip
import tracemalloc

import pytest

from keras_fmnist import data
from keras_fmnist.data import idx_files, sources
from keras_fmnist.data.idx_files import read_folder

SMALL = data.make_synthetic(60, 30, seed=7)
ARRAYS = {name: getattr(SMALL, name) for name in sources.SHAPES}
PLAIN = {
    file.name.removesuffix(".gz"): sources.pack_header(array.shape) + array.tobytes()
    for file, array in zip(sources.FILES, ARRAYS.values(), strict=True)
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """`SMALL` in the place of the real data."""
    for name, array in ARRAYS.items():
        monkeypatch.setitem(sources.SHAPES, name, array.shape)
    monkeypatch.setattr(idx_files, "SHA256", SMALL.sha256)


PACKINGS = {
    "uncompressed": lambda name, content: (name, content),
    "uncompressed under the packed name": lambda name, content: (f"{name}.gz", content),
    "packed anew": lambda name, content: (f"{name}.gz", gzip.compress(content, 1, mtime=1)),
}


@pytest.mark.parametrize("kind", PACKINGS)
def test_files_that_hold_the_right_arrays_are_taken(tmp_path, kind):
    for name, content in PLAIN.items():
        path, packed = PACKINGS[kind](name, content)
        (tmp_path / path).write_bytes(packed)
    found = read_folder(tmp_path)
    assert found.keys() == ARRAYS.keys()
    assert all((found[name] == array).all() for name, array in ARRAYS.items())


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content[:-1],
        lambda content: content + b"0",
        lambda content: b"\x01" + content[1:],
        lambda content: b"",
        lambda content: gzip.compress(content)[:-9],
        lambda content: b"\x1f\x8b" + content,
    ],
)
def test_one_bit_or_byte_too_many_and_none_of_them_is_taken(tmp_path, name, damage):
    for other, content in PLAIN.items():
        (tmp_path / other).write_bytes(damage(content) if other == name else content)
    assert read_folder(tmp_path) is None


def test_a_file_that_is_missing_is_no_arrays(tmp_path):
    assert read_folder(tmp_path) is None


def test_a_bomb_fills_no_more_than_the_arrays_take(tmp_path):
    name = next(iter(PLAIN))
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(bytes(200 << 20), 1))
    tracemalloc.start()
    assert read_folder(tmp_path) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 << 20
