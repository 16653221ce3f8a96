"""Whole files: the old content or the new one, and nothing beside it."""

import errno
import json
import math
import os

import pytest

from keras_fmnist.files import write_json, write_whole


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
