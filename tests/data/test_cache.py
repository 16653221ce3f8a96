"""The file of the cache: damage is named, a bomb is not unpacked, and it is prepared again."""

import gzip
import pickle
import tracemalloc

import pytest

from keras_fmnist import data
from keras_fmnist.data import cache, sources
from tests.helpers.cache import ARRAYS, SMALL, are_equal, left_in, silent


def flip(content, place):
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


def packed(contents):
    return gzip.compress(b"".join(contents))


DAMAGE = {
    "truncated": lambda content: content[:-5000],
    "without its last byte": lambda content: content[:-1],
    "bit-flipped": lambda content: flip(content, len(content) // 2),
    "empty": lambda content: b"",
    "html": lambda content: b"<!DOCTYPE html><title>404</title>",
    "other arrays": lambda _: packed(array[::-1].tobytes() for array in ARRAYS.values()),
    "too few arrays": lambda _: packed([SMALL.train_images.tobytes()]),
    "too many arrays": lambda _: packed([*(a.tobytes() for a in ARRAYS.values()), b"more"]),
    "a pickle": lambda _: pickle.dumps(ARRAYS),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_cache_is_named_and_prepared_again(prepared, source, tally, kind):
    good = prepared.read_bytes()
    prepared.write_bytes(DAMAGE[kind](good))
    lines = []
    assert are_equal(data.load(prepared.parent, report=lines.append), SMALL)
    assert source == ["fetch", "build"]
    assert lines[0].startswith(f"{prepared} is damaged")
    assert lines[0].endswith("preparing it again")
    assert prepared.read_bytes() == good
    tally("damaged data files refused")


def test_a_damaged_cache_that_cannot_be_prepared_again_is_an_error(prepared, monkeypatch):
    def fetch(*_):
        raise data.DataError("Fashion-MNIST was found nowhere")

    prepared.write_bytes(b"")
    monkeypatch.setattr(sources, "fetch", fetch)
    with pytest.raises(data.DataError, match="found nowhere"):
        data.load(prepared.parent, report=silent)
    assert left_in(prepared.parent) == ["fashion-mnist.gz"]


def test_a_flipped_bit_anywhere_is_noticed_or_leaves_the_arrays_as_they_are(prepared):
    good, noticed = prepared.read_bytes(), 0
    places = [*range(40), *range(40, len(good), 97), *range(len(good) - 20, len(good))]
    for place in places:
        prepared.write_bytes(flip(good, place))
        try:
            arrays, _ = cache.read(prepared)
        except data.DataError:
            noticed += 1
        else:
            assert are_equal(data.Dataset(**arrays), SMALL), place
    assert noticed > len(places) // 2


def test_a_bomb_is_not_unpacked(prepared):
    prepared.write_bytes(gzip.compress(bytes(32 << 20)))
    assert prepared.stat().st_size < cache.BYTES  # so that it is read whole
    tracemalloc.start()
    with pytest.raises(data.DataError, match="damaged"):
        cache.read(prepared)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * cache.BYTES


def test_a_cache_that_is_a_folder_is_an_error(source, tmp_path):
    (tmp_path / "fashion-mnist.gz").mkdir()
    with pytest.raises(
        data.DataError, match=r"fashion-mnist\.gz cannot be written \(Is a directory"
    ):
        data.load(tmp_path, report=silent)
    assert left_in(tmp_path) == ["fashion-mnist.gz"]


def test_the_same_arrays_packed_by_gzip_are_in_order(prepared):
    with gzip.open(prepared, "wb") as stream:  # which puts a file's name where ours has a comment
        stream.write(b"".join(array.tobytes() for array in ARRAYS.values()))
    assert data.describe(prepared.parent)["source"] == "unknown"
