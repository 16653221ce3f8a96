"""A small data set in the place of the real one."""

import hashlib

import pytest

from keras_fmnist import data
from keras_fmnist.data import cache, fashion_mnist, sources, tfds_builder
from tests.helpers.cache import ARRAYS, SMALL, silent
from tests.helpers.idx import NAMES, idx, packed


@pytest.fixture
def source(monkeypatch):
    """Puts `SMALL` in the place of the real data; collects the calls of the slow preparation."""
    calls = []

    def fetch(folder, report):
        calls.append("fetch")
        return "a test"

    def build(upstream, work):
        calls.append("build")
        return dict(ARRAYS)

    for name, array in ARRAYS.items():
        monkeypatch.setitem(sources.SHAPES, name, array.shape)
    for module in (cache, fashion_mnist):
        monkeypatch.setattr(module, "SHA256", SMALL.sha256)
    monkeypatch.setattr(cache, "BYTES", sum(array.size for array in ARRAYS.values()))
    monkeypatch.setattr(sources, "fetch", fetch)
    monkeypatch.setattr(tfds_builder, "build", build)
    return calls


@pytest.fixture
def prepared(source, tmp_path):
    """The path of a cache that is in order."""
    data.prepare(tmp_path / "cache", report=silent)
    source.clear()
    return tmp_path / "cache" / "fashion-mnist.gz"


@pytest.fixture
def originals(monkeypatch):
    """Four small files that stand for upstream's: {name: content}."""
    for name, count in {"train": 40, "test": 20}.items():
        monkeypatch.setitem(sources.SHAPES, f"{name}_images", (count, 28, 28, 1))
        monkeypatch.setitem(sources.SHAPES, f"{name}_labels", (count,))
    arrays = data.make_synthetic(40, 20)
    contents, files = {}, {}
    for split, pair in sources.SPLITS.items():
        for kind, file in zip(("images", "labels"), pair, strict=True):
            content = packed(file, idx(getattr(arrays, f"{split}_{kind}")))
            digest = hashlib.sha256(content).hexdigest()
            contents[file.name] = content
            files[file.name] = sources.UpstreamFile(file.url, len(content), digest, file.name)
    monkeypatch.setattr(sources, "FILES", tuple(files[name] for name in NAMES))
    monkeypatch.delenv("FASHION_MNIST_DIR", raising=False)
    return contents


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    return folder
