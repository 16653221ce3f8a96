"""The cache: on a small data set that stands for the real one, and marked `data` on the real."""

import errno
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from keras_fmnist import data, files
from keras_fmnist.data import cache, sources, tfds_builder
from tests.helpers.cache import ARRAYS, REAL_BUILD, SMALL, are_equal, left_in, silent

# --- loading and preparing ---


def test_the_first_load_prepares_and_says_so_and_the_second_reads(source, tmp_path, capsys):
    first = data.load(tmp_path / "cache")
    assert source == ["fetch", "build"]
    assert "preparing" in capsys.readouterr().err
    second = data.load(tmp_path / "cache")
    assert source == ["fetch", "build"]
    assert capsys.readouterr() == ("", "")
    assert are_equal(first, SMALL)
    assert are_equal(second, SMALL)
    assert second.sha256 == SMALL.sha256
    assert left_in(tmp_path / "cache") == ["fashion-mnist.gz"]


def test_what_is_loaded_cannot_be_changed_by_accident(source, tmp_path):
    for _ in ("prepared", "read"):
        dataset = data.load(tmp_path, report=silent)
        with pytest.raises(ValueError, match="read-only"):
            dataset.train_images[0] = 0


def test_force_prepares_a_cache_that_is_in_order(prepared, source):
    data.prepare(prepared.parent, report=silent)
    assert source == []
    data.prepare(prepared.parent, force=True, report=silent)
    assert source == ["fetch", "build"]


def test_a_prepared_cache_loads_from_a_folder_that_cannot_be_written(prepared, monkeypatch):
    monkeypatch.setattr(files, "lock", lambda *_, **__: pytest.fail("took the lock"))
    assert are_equal(data.load(prepared.parent), SMALL)


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_FMNIST_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert data.cache_file() == tmp_path / "own" / "fashion-mnist.gz"
    assert data.cache_file(tmp_path) == tmp_path / "fashion-mnist.gz"
    monkeypatch.setenv("KERAS_FMNIST_CACHE", "")
    assert data.cache_file() == tmp_path / "xdg" / "keras-fmnist" / "fashion-mnist.gz"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.cache_file() == tmp_path / ".cache" / "keras-fmnist" / "fashion-mnist.gz"


def test_of_two_at_once_the_second_waits_for_the_first(source, tmp_path, monkeypatch):
    waiting, lines, results = threading.Event(), [], []
    build = tfds_builder.build

    def build_once_the_other_waits(*folders):
        assert waiting.wait(10)
        return build(*folders)

    def report(line):
        lines.append(line)
        if "waiting for the process" in line:
            waiting.set()

    monkeypatch.setattr(tfds_builder, "build", build_once_the_other_waits)
    threads = [
        threading.Thread(target=lambda: results.append(data.load(tmp_path, report=report)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert source == ["fetch", "build"]
    assert [are_equal(result, SMALL) for result in results] == [True, True]


# --- what can go wrong while preparing ---


def raise_full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def tfds_finds_the_disk_full(upstream, work):
    # What array_record raised on a full tmpfs.
    message = 'Failed to finalize writing of split "train": write() failed: No space left on device'

    class Builder:
        def __init__(self, **_):
            pass

        def download_and_prepare(self, **_):
            raise RuntimeError(message + "; writing /a/b\nmore")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfds_builder, "KerasFmnist", Builder)
        return REAL_BUILD(upstream, work)


@pytest.mark.parametrize(
    ("module", "function", "full"),
    [
        (sources, "fetch", raise_full),
        (tfds_builder, "build", tfds_finds_the_disk_full),
        (os, "fsync", raise_full),
    ],
    ids=["fetching", "in TFDS", "writing the cache"],
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    source, tmp_path, monkeypatch, module, function, full
):
    monkeypatch.setattr(module, function, full)
    with pytest.raises(data.DataError) as error:
        data.load(tmp_path, report=silent)
    assert str(error.value).startswith(f"no space left in {tmp_path}: ")
    assert left_in(tmp_path) == []


def test_a_full_disk_leaves_an_old_cache_as_it_was(prepared, monkeypatch):
    good = prepared.read_bytes()
    monkeypatch.setattr(os, "fsync", raise_full)
    with pytest.raises(data.DataError, match="no space left"):
        data.prepare(prepared.parent, force=True, report=silent)
    assert left_in(prepared.parent) == ["fashion-mnist.gz"]
    assert prepared.read_bytes() == good


def test_another_failure_of_tfds_is_one_sentence(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("records are out of order\nmore")

    monkeypatch.setattr(tfds_builder.KerasFmnist, "download_and_prepare", fail)
    with pytest.raises(data.DataError) as error:
        tfds_builder.build(tmp_path, tmp_path / "work")
    assert str(error.value) == "tensorflow-datasets failed: records are out of order"


def test_a_cache_folder_that_cannot_be_made_is_one_sentence(source, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(data.DataError) as error:
        data.load(tmp_path / "file" / "cache", report=silent)
    assert str(error.value) == (
        f"{tmp_path / 'file' / 'cache'} cannot be written (Not a directory): "
        "name another folder in KERAS_FMNIST_CACHE"
    )


def test_a_read_only_cache_folder_is_one_sentence(source, tmp_path, monkeypatch):
    def refuse(path, flags, *rest, **more):  # root, who runs many a test, is refused nothing
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return open_file(path, flags, *rest, **more)

    open_file = os.open
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(data.DataError, match=r"cannot be written \(Read-only file system\)"):
        data.prepare(tmp_path, report=silent)
    assert left_in(tmp_path) == []


def test_wrong_arrays_from_tfds_are_not_cached(source, tmp_path, monkeypatch):
    wrong = {**ARRAYS, "train_labels": ARRAYS["train_labels"][::-1]}
    monkeypatch.setattr(tfds_builder, "build", lambda *_: wrong)
    with pytest.raises(data.DataError, match="tensorflow-datasets gave arrays with sha256"):
        data.load(tmp_path, report=silent)
    assert left_in(tmp_path) == []


def test_an_interrupted_preparation_leaves_nothing(source, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tfds_builder, "build", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data.load(tmp_path, report=silent)
    assert left_in(tmp_path) == []


def test_what_a_killed_process_left_is_cleared_and_nothing_else(source, tmp_path):
    (tmp_path / ".prepare-abc" / "tfds").mkdir(parents=True)
    (tmp_path / ".prepare-abc" / "tfds" / "half").write_bytes(b"half")
    (tmp_path / ".fashion-mnist.gz.abc").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    assert are_equal(data.load(tmp_path, report=silent), SMALL)
    assert left_in(tmp_path) == ["fashion-mnist.gz", "notes.txt"]


# --- describing ---


def test_describe_says_where_what_and_from_which_source(prepared):
    description = data.describe(prepared.parent)
    assert description == {
        "cache": str(prepared),
        "bytes": prepared.stat().st_size,
        "sha256": SMALL.sha256,
        "source": "a test",
        "train": dict.fromkeys(data.CLASS_NAMES, 6),
        "test": dict.fromkeys(data.CLASS_NAMES, 3),
    }


def test_describe_of_nothing_says_which_command_prepares_it(tmp_path):
    with pytest.raises(data.DataError, match=r"not prepared yet: `keras-fmnist data`"):
        data.describe(tmp_path)


@pytest.mark.parametrize(
    ("name", "described"),
    [
        ("/home/Jürgen", "/home/J\\xfcrgen"),
        ("two\nlines", "unknown"),
        ("\x1b[31mred", "unknown"),
        ("long" * 1000, "unknown"),
    ],
)
def test_a_source_of_any_name_is_described_in_printable_characters(prepared, name, described):
    prepared.write_bytes(cache.pack(ARRAYS, name))
    assert data.describe(prepared.parent)["source"] == described


# --- the real data ---


@pytest.mark.data
def test_the_real_data_are_in_the_order_of_the_original_files():
    dataset = data.load()
    assert dataset.sha256 == sources.SHA256
    assert {name: array.shape for name, array in vars(dataset).items() if name in ARRAYS} == {
        "train_images": (60000, 28, 28, 1),
        "train_labels": (60000,),
        "test_images": (10000, 28, 28, 1),
        "test_labels": (10000,),
    }
    names = [data.CLASS_NAMES[label] for label in dataset.train_labels[:5]]
    assert names == ["Ankle boot", "T-shirt/top", "T-shirt/top", "Dress", "T-shirt/top"]
    assert dataset.test_labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert np.bincount(dataset.train_labels).tolist() == [6000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10
    # Zalando publishes no statistics; these are the mean and deviation that tutorials quote.
    assert dataset.train_images.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert dataset.train_images.std() / 255 == pytest.approx(0.3530, abs=5e-5)


def run_python(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_first_image_of_each_class_is_found_in_the_order_of_classes():
    labels = np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 9], np.uint8)
    dataset = data.Dataset(*[np.zeros((12, 28, 28, 1), np.uint8), labels] * 2)
    assert dataset.find_first_of_each_class() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


@pytest.mark.data
def test_a_prepared_cache_loads_with_numpy_alone():
    data.load()
    heavy = ("keras", "torch", "jax", "tensorflow", "tensorflow_datasets", "array_record")
    process = run_python(
        "import sys; from keras_fmnist import data; data.load();"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert process.communicate() == ("[]\n", "")


PREPARE_WITHOUT_TENSORFLOW = """
import sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = classmethod(  # as where TensorFlow is not installed
    lambda cls, name, *rest: None if name.split(".")[0] == "tensorflow" else find(name, *rest)
)
from keras_fmnist import data

print(data.load().sha256, "tensorflow" in sys.modules, data.describe()["bytes"])
"""


@pytest.mark.data
def test_two_processes_without_tensorflow_prepare_at_once(tmp_path):
    """From nothing, through TFDS and from whichever source this machine has: 25 seconds."""
    processes = [
        run_python(PREPARE_WITHOUT_TENSORFLOW, KERAS_FMNIST_CACHE=str(tmp_path)) for _ in range(2)
    ]
    answers = [process.communicate(timeout=300) for process in processes]
    complaints = "".join(complaint for _, complaint in answers)
    assert [process.returncode for process in processes] == [0, 0], complaints
    for answer, _ in answers:
        digest, tensorflow, size = answer.split()
        assert digest == sources.SHA256
        assert tensorflow == "False"
        assert int(size) < 32 << 20
    assert complaints.count("waiting for the process") == 1
    assert complaints.count("preparing through tensorflow-datasets") == 1
    assert left_in(tmp_path) == ["fashion-mnist.gz"]
