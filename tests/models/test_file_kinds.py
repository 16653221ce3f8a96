"""What somebody takes for weights, by its kind."""

import io
import zipfile

import keras
import numpy as np
import pytest
import torch

from keras_fmnist.models.file_kinds import describe_mistake, is_safetensors
from keras_fmnist.models.weights import save


def scripted(**options):
    """A real TorchScript file, whose code torch compresses."""
    content = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 3)), content, **options)
    return content.getvalue()


def saved(write, path):
    write(path)
    return path.read_bytes()


def npz(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


def a_model():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


MISTAKES = {
    "is empty": lambda folder: b"",
    "is a Git LFS pointer": lambda folder: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1f\nsize 12\n"
    ),
    "is a web page": lambda folder: b"\n <!DOCTYPE html><html></html>",
    "is a TorchScript program": lambda folder: scripted(),
    "is an HDF5 file": lambda folder: saved(a_model().save_weights, folder / "a.weights.h5"),
    "is a .keras file": lambda folder: saved(a_model().save, folder / "a.keras"),
    "is an .npz file": lambda folder: saved(npz, folder / "a.npz"),
    "is a NumPy array": lambda folder: saved(lambda p: np.save(p, np.zeros(3)), folder / "a.npy"),
    "is packed with gzip": lambda folder: b"\x1f\x8b\x08\x00",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_well_known_kind_of_file_is_named(tmp_path, words):
    assert describe_mistake(MISTAKES[words](tmp_path)).startswith(words)


def test_what_may_be_weights_has_no_other_name(tmp_path):
    state = {"a.weight": torch.zeros(2)}
    for is_zip in (True, False):
        content = io.BytesIO()
        torch.save(state, content, _use_new_zipfile_serialization=is_zip)
        assert describe_mistake(content.getvalue()) is None
        assert not is_safetensors(content.getvalue())
    save(tmp_path / "a.safetensors", {"a": np.zeros(2, np.float32)})
    content = (tmp_path / "a.safetensors").read_bytes()
    assert describe_mistake(content) is None
    assert is_safetensors(content)
    assert describe_mistake(b"PK\x03\x04 but no archive") is None


def test_a_compressed_torchscript_file_is_named_before_anything_is_unpacked(tmp_path):
    content = scripted()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert any(entry.compress_size < entry.file_size for entry in archive.infolist())
    assert "torch.save(model.state_dict(), 'weights.pt')" in describe_mistake(content)
