"""The four files: checked on small ones of the same make, served from folders, HTTP and apt."""

import gzip
import http.server
import os
import re
import threading
import tracemalloc

import numpy as np
import pytest

from keras_fmnist import data
from keras_fmnist.data import sources
from tests.helpers.idx import IMAGES, LABELS, NAMES, flip, idx, put, silent


def debian(original):
    """As Debian packs them: a header of ten bytes with another time stamp and no name."""
    return b"\x1f\x8b\x08\x00\xed\x0a\xda\x5e\x00\x03" + original[original.index(0, 10) + 1 :]


def contents_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def no_source(*_):
    raise AssertionError("a source was tried that must not be")


@pytest.mark.parametrize("make", [bytes, debian], ids=["upstream", "debian"])
def test_a_folder_of_originals_or_of_debians_copies_gives_the_originals(
    originals, target, tmp_path, monkeypatch, make
):
    folder = put(tmp_path / "found", {name: make(content) for name, content in originals.items()})
    monkeypatch.setenv("FASHION_MNIST_DIR", str(folder))
    assert sources.fetch(target, silent) == str(folder)
    assert contents_of(target) == originals


def disguised(packed, original):
    """Other content with an original's gzip header and length, which cannot give it away."""
    header = original[:10] if original[3] == 0 else original[: original.index(0, 10) + 1]
    return (header + packed[10:] + bytes(len(original)))[: len(original)]


def of_many_images(content):
    """The file again, but its IDX header promises 4 294 967 295 images or labels."""
    idx_content = gzip.decompress(content)
    return gzip.compress(idx_content[:4] + b"\xff" * 4 + idx_content[8:])


BOMB = gzip.compress(bytes(64 << 20))  # 64 KB that unpack to 64 MB


LONG_NAME = b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 1_000_000  # a gzip header without an end


DAMAGE = {
    "truncated": (lambda content, _: content[: len(content) // 2], "has only"),
    "longer": (lambda content, _: content + b"tail", "bytes; it should be"),
    "bit-flipped": (lambda content, _: flip(content), "is damaged"),
    "empty": (lambda content, _: b"", "is empty"),
    "html": (lambda content, _: b"\n<!DOCTYPE html><title>404</title>", "is a web page"),
    "unpacked": (lambda content, _: gzip.decompress(content), "is not a gzip file"),
    "swapped": (lambda content, other: other, "under a wrong name"),
    "a bomb": (lambda content, _: BOMB, "bytes; it should be"),
    "a bomb of the right length": (lambda c, _: disguised(BOMB, c), "is damaged"),
    "a gzip header of a megabyte": (lambda content, _: LONG_NAME, "bytes; it should be"),
    "an IDX header of 4e9 items": (lambda c, _: disguised(of_many_images(c), c), "is damaged"),
}


@pytest.mark.parametrize("make", [bytes, debian], ids=["upstream", "debian"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_data_file_is_refused_with_what_would_be_right_and_nothing_is_left(
    originals, target, tmp_path, monkeypatch, tally, kind, name, make
):
    damage, words = DAMAGE[kind]
    found = {key: make(content) for key, content in originals.items()}
    other = NAMES[NAMES.index(name) - 1]
    found[name] = damage(found[name], found[other])
    folder = put(tmp_path / "found", found)
    monkeypatch.setenv("FASHION_MNIST_DIR", str(folder))
    monkeypatch.setattr(sources, "_from_upstream", no_source)
    with pytest.raises(data.DataError) as error:
        sources.fetch(target, silent)
    message = str(error.value)
    assert message.startswith(str(folder / name))
    assert words in message
    assert f"it should be {name} of Fashion-MNIST, " in message
    if kind in ("truncated", "longer", "bit-flipped"):  # it is known whose copy it is
        assert f"{len(make(originals[name]))} bytes, sha256" in message
    assert "\n" not in message
    assert name not in contents_of(target)
    with pytest.raises(data.DataError, match=re.escape(message)):
        data.prepare(tmp_path / "cache", report=silent)
    assert contents_of(tmp_path / "cache") == {}
    tally("damaged data files refused")


@pytest.mark.parametrize("name", NAMES)
def test_a_bomb_in_the_place_of_a_data_file_is_not_unpacked(
    originals, target, tmp_path, monkeypatch, name
):
    folder = put(tmp_path / "found", {**originals, name: disguised(BOMB, originals[name])})
    monkeypatch.setenv("FASHION_MNIST_DIR", str(folder))
    tracemalloc.start()
    with pytest.raises(data.DataError, match="is damaged"):
        sources.fetch(target, silent)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_file_far_too_long_is_not_read_to_its_end(originals, target, tmp_path, monkeypatch):
    folder = put(tmp_path / "found", originals)
    os.truncate(folder / LABELS, 1 << 40)  # a sparse terabyte
    monkeypatch.setenv("FASHION_MNIST_DIR", str(folder))
    with pytest.raises(data.DataError, match=LABELS):
        sources.fetch(target, silent)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_in_the_named_folder_is_an_error_that_names_it(
    originals, target, tmp_path, monkeypatch, name
):
    folder = put(tmp_path / "found", originals)
    (folder / name).unlink()
    monkeypatch.setenv("FASHION_MNIST_DIR", str(folder))
    monkeypatch.setattr(sources, "_from_upstream", no_source)
    with pytest.raises(data.DataError) as error:
        sources.fetch(target, silent)
    assert str(error.value) == f"{folder / name} is missing"


def test_a_named_folder_that_is_a_file_is_an_error(originals, target, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FASHION_MNIST_DIR", str(tmp_path / "file"))
    with pytest.raises(data.DataError, match="cannot be read: Not a directory"):
        sources.fetch(target, silent)


# --- IDX ---


def test_idx_images_and_labels_come_back(originals, target):
    arrays = data.make_synthetic(40, 20)
    put(target, originals)
    images = sources.read_idx(target / IMAGES, (40, 28, 28, 1))
    labels = sources.read_idx(target / LABELS, (20,))
    np.testing.assert_array_equal(images, arrays.train_images)
    np.testing.assert_array_equal(labels, arrays.test_labels)


@pytest.mark.parametrize(
    "content",
    [
        idx(np.zeros((3, 28, 28), np.uint8))[:-1],
        idx(np.zeros((3, 28, 28), np.uint8)) + b"\x00",
        idx(np.zeros((4, 28, 28), np.uint8)),
        idx(np.zeros((3, 28 * 28), np.uint8)),
        idx(np.zeros(3, np.uint8)),
        b"\x00\x00\x09" + idx(np.zeros((3, 28, 28), np.uint8))[3:],
        b"",
    ],
    ids=["short", "long", "other count", "other axes", "labels", "other type", "empty"],
)
def test_an_idx_file_of_another_make_is_refused(tmp_path, content):
    (tmp_path / "file.gz").write_bytes(gzip.compress(content))
    with pytest.raises(data.DataError, match=r"file\.gz is not an IDX file of 3×28×28 bytes"):
        sources.read_idx(tmp_path / "file.gz", (3, 28, 28, 1))


# --- the order of the sources ---


@pytest.fixture
def nowhere(originals, tmp_path, monkeypatch):
    """No source has the data, until a test adds one."""
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    serve_from(monkeypatch, "http://127.0.0.1:9")  # the discard port: refused at once
    return originals


def serve_from(monkeypatch, address):
    files = tuple(
        sources.UpstreamFile(f"{address}/{file.name}", file.size, file.sha256, file.name)
        for file in sources.FILES
    )
    monkeypatch.setattr(sources, "FILES", files)


@pytest.fixture
def upstream(nowhere, monkeypatch):
    """A web server in upstream's place; the test sets `reply(handler)`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.reply(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        serve_from(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
        thread.join()


def reply(status, content, length=None):
    def send(handler):
        body = content(handler.path.strip("/")) if callable(content) else content
        handler.send_response(status)
        handler.send_header("Content-Length", str(length or len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def test_the_system_folder_comes_before_the_network(nowhere, target, monkeypatch):
    put(sources.SYSTEM_FOLDER, {name: debian(content) for name, content in nowhere.items()})
    monkeypatch.setattr(sources, "_from_upstream", no_source)
    assert sources.fetch(target, silent) == str(sources.SYSTEM_FOLDER)
    assert contents_of(target) == nowhere


def test_a_damaged_system_folder_is_passed_over_and_said_so(nowhere, upstream, target):
    put(sources.SYSTEM_FOLDER, {**nowhere, LABELS: b""})
    upstream.reply = reply(200, nowhere.get)
    lines = []
    assert sources.fetch(target, lines.append).startswith("http://127.0.0.1")
    assert contents_of(target) == nowhere
    assert f"{sources.SYSTEM_FOLDER / LABELS} is empty" in "\n".join(lines)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(404, b"no"), "HTTP Error 404"),
        (reply(200, b"<html>Log in to the network</html>"), "is a web page"),
        (reply(200, b"\x1f\x8b\x08\x08abc", length=100), "has only 7 bytes"),
        (lambda handler: threading.Event().wait(0.5), "timed out"),
        (lambda handler: handler.wfile.write(b"hello\n"), "cannot be reached: hello"),
    ],
    ids=["404", "login page", "cut off", "hangs", "no HTTP"],
)
def test_an_upstream_that_fails_is_told_why(nowhere, upstream, target, monkeypatch, answer, words):
    monkeypatch.setattr(sources, "TIMEOUT", 0.2)
    upstream.reply = answer
    with pytest.raises(data.DataError) as error:
        sources.fetch(target, silent)
    assert words in str(error.value)
    assert contents_of(target) == {}


def test_when_nobody_has_it_one_sentence_says_what_was_tried_and_what_to_do(nowhere, target):
    with pytest.raises(data.DataError) as error:
        sources.fetch(target, silent)
    message = str(error.value)
    for words in (
        str(sources.SYSTEM_FOLDER),
        "127.0.0.1",
        "no apt",
        "name it in FASHION_MNIST_DIR",
    ):
        assert words in message
    assert "\n" not in message


@pytest.fixture
def apt(nowhere, tmp_path, monkeypatch):
    """Stand-ins for apt-get and dpkg-deb: `update` is needed before `download` works."""
    archive = put(tmp_path / "archive", {name: debian(c) for name, c in nowhere.items()})
    inside = f".{sources.SYSTEM_FOLDER}"
    scripts = {
        "apt-get": f"""
            [ $1 = update ] && exec touch {tmp_path}/lists
            [ -e {tmp_path}/lists ] || {{ echo 'E: Unable to locate package' >&2; exit 100; }}
            touch $2_1_all.deb""",
        "dpkg-deb": f"mkdir -p $3/{inside} && cp {archive}/* $3/{inside}",
    }
    for name, script in scripts.items():
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)
    return tmp_path / "lists"


def test_apt_is_the_last_source_and_leaves_only_the_four_files(nowhere, apt, target):
    apt.touch()
    assert sources.fetch(target, silent) == "Debian package dataset-fashion-mnist"
    assert contents_of(target) == nowhere


def test_root_fetches_missing_package_lists(nowhere, apt, target, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    sources.fetch(target, silent)
    assert contents_of(target) == nowhere


def test_others_are_told_to_fetch_missing_package_lists(apt, target, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(data.DataError) as error:
        sources.fetch(target, silent)
    assert "failed: E: Unable to locate package (does `sudo apt-get update`" in str(error.value)
    assert not apt.exists()
