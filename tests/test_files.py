"""Whole files: the old content or the new one, and nothing beside it."""

import errno
import json
import math
import os
import signal
import threading

import pytest

from keras_fmnist.files import lock, remove, remove_leftovers, write_json, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_its_folders_are_made(tmp_path):
    write_whole(tmp_path / "a" / "b" / "file", b"new")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"new"
    assert names(tmp_path / "a" / "b") == ["file"]


def test_a_file_is_replaced_whole_and_may_be_read_by_others(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a longer old content")
    write_whole(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["file"]


def test_a_reader_never_sees_half_a_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen = []
    fsync = os.fsync

    def look(handle):
        seen.append(path.read_bytes())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", look)
    write_whole(path, b"new")
    # The content is on the disk before the name is, and the name before the call returns.
    assert seen == [b"old", b"new"]


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")], ids=["ctrl-c", "full"]
)
def test_an_interrupted_write_keeps_the_old_file_and_leaves_no_other(
    tmp_path, monkeypatch, step, error
):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_folder_in_the_way_is_an_error_that_leaves_no_other_file(tmp_path):
    (tmp_path / "file" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file", b"new")
    assert names(tmp_path) == ["file"]


def test_json_is_written_whole_and_a_nan_becomes_null(tmp_path):
    content = {"ü": [1.5, math.nan, math.inf, -math.inf], "no": None}
    write_json(tmp_path / "a" / "file.json", content)
    text = (tmp_path / "a" / "file.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"ü": [1.5, None, None, None], "no": None}
    assert '"ü"' in text
    assert text.endswith("\n}\n")
    with pytest.raises(TypeError):
        write_json(tmp_path / "a" / "file.json", {1j})
    assert (tmp_path / "a" / "file.json").read_text(encoding="utf-8") == text


def test_a_failed_write_names_the_file_and_not_the_temporary_one(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system", "/tmp/other")

    monkeypatch.setattr("tempfile.mkstemp", fail)
    with pytest.raises(OSError, match="Read-only") as error:
        write_whole(tmp_path / "file", b"new")
    assert error.value.filename == str(tmp_path / "file")
    assert error.value.errno == errno.EROFS


def test_what_killed_writers_left_of_a_file_and_those_beside_it_goes_and_nothing_else(tmp_path):
    stay = [".seed10-a.json.x", "seed1-a.json", ".seed1-b.json.x", "seed1-a.lock"]
    for name in [*stay, ".seed1-a.json.x", ".seed1-a.safetensors.y"]:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "seed1-a.json")
    assert names(tmp_path) == sorted(stay)


def test_what_a_killed_writer_leaves_is_found_again(tmp_path, monkeypatch):
    child = os.fork()
    if child == 0:
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_whole(tmp_path / "file.json", b"new")
    os.waitpid(child, 0)
    assert len(names(tmp_path)) == 1
    remove_leftovers(tmp_path / "file.json")
    assert names(tmp_path) == []


def test_a_removal_is_on_the_disk_and_what_is_not_there_needs_none(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(names(tmp_path)))
    (tmp_path / "file").touch()
    remove(tmp_path / "file")
    remove(tmp_path / "file")
    assert synced == [[]]


class Held:
    """Holds a lock in a process of its own, until it is told to go."""

    def __init__(self, path):
        self.told, tell = os.pipe()
        hears, self.to = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            with lock(path, wait=lambda: os._exit(2)):
                os.write(tell, b"held")
                os.read(hears, 1)
            os._exit(0)
        assert os.read(self.told, 4) == b"held"

    def end(self):
        os.write(self.to, b"!")
        assert os.waitpid(self.child, 0)[1] == 0

    def kill(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)


def test_a_lock_waits_for_the_process_that_has_it_and_leaves_no_file(tmp_path):
    path = tmp_path / "a" / "lock"
    other = Held(path)
    order = []
    with lock(path, wait=lambda: (order.append("waits"), other.end())):
        order.append("has it")
        assert names(path.parent) == ["lock"]
    assert order == ["waits", "has it"]
    assert names(path.parent) == []


def test_the_lock_of_a_killed_process_holds_nobody_up(tmp_path):
    other = Held(tmp_path / "lock")
    other.kill()
    assert names(tmp_path) == ["lock"]
    with lock(tmp_path / "lock", wait=lambda: pytest.fail("it waits")):
        pass
    assert names(tmp_path) == []


def test_who_waited_for_a_lock_that_was_removed_waits_for_the_next_holder(tmp_path):
    path = tmp_path / "lock"
    first, order = Held(path), []

    def wait():  # the first lets go, and a third is faster than who waits
        first.end()
        third = Held(path)
        threading.Timer(0.3, lambda: (order.append("third lets go"), third.end())).start()

    with lock(path, wait):
        order.append("has it")
        assert names(tmp_path) == ["lock"]
    assert order == ["third lets go", "has it"]
    assert names(tmp_path) == []


def test_a_lock_is_let_go_when_what_it_protects_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), lock(tmp_path / "lock", wait=None):
        raise ZeroDivisionError
    with lock(tmp_path / "lock", wait=lambda: pytest.fail("it waits")):
        pass
