"""Through tensorflow-datasets: the examples in their order, and only of the registered files."""

import importlib.util
import sys
from pathlib import Path

import pytest

from keras_fmnist import data
from keras_fmnist.data import sources, tfds_builder
from tests.helpers.idx import IMAGES, flip, put


def test_the_registered_files_are_those_tfds_registers():
    tfds = Path(importlib.util.find_spec("tensorflow_datasets").origin).parent
    theirs = (tfds / "url_checksums" / "fashion_mnist.txt").read_text()
    assert Path(sources.__file__).with_name("checksums.tsv").read_text() == theirs
    assert len(sources.FILES) == 4


@pytest.fixture
def registered(originals, monkeypatch):
    """TFDS takes the small files for the registered ones."""
    from tensorflow_datasets.core.download import checksums

    infos = {
        file.url: checksums.UrlInfo(file.size, file.sha256, file.name) for file in sources.FILES
    }
    monkeypatch.setattr(tfds_builder.KerasFmnist, "url_infos", infos)
    return originals


def test_tfds_gives_the_examples_back_in_their_order_and_stays_quiet(
    registered, target, tmp_path, capfd
):
    had_tensorflow = "tensorflow" in sys.modules
    put(target, registered)
    arrays = tfds_builder.build(target, tmp_path / "work")
    assert data.Dataset(**arrays).sha256 == data.make_synthetic(40, 20).sha256
    assert ("tensorflow" in sys.modules) == had_tensorflow  # installed here, and left alone
    assert capfd.readouterr() == ("", "")


def test_tfds_itself_refuses_a_file_with_another_sha256(registered, target, tmp_path):
    put(target, {**registered, IMAGES: flip(registered[IMAGES])})
    with pytest.raises(Exception, match="wrong checksum"):
        tfds_builder.build(target, tmp_path / "work")
