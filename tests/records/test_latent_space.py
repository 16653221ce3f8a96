"""A latent space as a file: it reads as it was written, and what is damaged is named."""

import json

import pytest

from experiments.mansilla import BASE
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.latent_space import read_latent_space
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import locate_latent_space


def test_what_is_written_reads_as_it_was(measured_space, tmp_path):
    path = locate_latent_space(tmp_path, BASE.id)
    assert path == tmp_path / "mansilla" / "base" / "base_latent.json"
    write_dataclass(path, measured_space)
    assert read_latent_space(path) == measured_space
    assert read_records(tmp_path) == []  # it is no record of a run


DAMAGES = {
    "field missing": (lambda v: v.pop("tsne"), "missing 1 required"),
    "field unknown": (lambda v: v.update(umap={}), "unexpected keyword"),
    "wrong type": (lambda v: v.update(labels={}), "labels must be a list"),
    "label": (lambda v: v["labels"].__setitem__(0, 10), "a label must be a whole number"),
    "no label": (lambda v: v["labels"].pop(), "every image must have a label and a place"),
    "no images": (
        lambda v: [v["labels"].clear(), *(v[m][a].clear() for m in ("pca", "tsne") for a in "xy")],
        "every image must have a label and a place",
    ),
    "axis missing": (lambda v: v["pca"].pop("x"), "'x'"),
    "not a number": (lambda v: v["tsne"]["x"].__setitem__(0, float("nan")), "it has no NaN"),
    "not finite": (lambda v: v["tsne"]["x"].__setitem__(0, "1e999"), "must be finite"),
    "400 digits": (lambda v: v["tsne"]["x"].__setitem__(0, 10**400), "too large"),
    "text": (lambda v: v["tsne"]["x"].__setitem__(0, "1"), "must be real number"),
    "one share": (lambda v: v["pca"]["share"].pop(), "a share for each axis"),
    "short line": (lambda v: v["lines"][1].update(images=""), "must have two rows and 11 images"),
    "row": (lambda v: v["lines"][2].update(test_rows=[0, 5000]), "between two of the images"),
    "no base64": (lambda v: v["lines"][1].update(images="é"), "ASCII"),
    "no line": (lambda v: v["lines"].append({}), "test_rows"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_named(measured_space, tmp_path, damage):
    change, words = DAMAGES[damage]
    path = tmp_path / "base_latent.json"
    write_dataclass(path, measured_space)
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values).replace('"1e999"', "1e999"))
    with pytest.raises(RecordError) as error:
        read_latent_space(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_what_is_no_json_is_named(tmp_path):
    for content in (b"", b"[]", b"{", b"\xff"):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(RecordError, match=r"x\.json (is not JSON|must hold a JSON)"):
            read_latent_space(tmp_path / "x.json")
    with pytest.raises(RecordError, match="cannot be read"):
        read_latent_space(tmp_path)
