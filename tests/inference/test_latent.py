"""Latent spaces: the maps of the codes, the lines of the decoder, and a JSON that holds them."""

import json

import numpy as np
import pytest

from experiments.mansilla import BASE
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference import trained
from keras_fmnist.inference.latent import PAIRS, measure_latent_space
from keras_fmnist.records.images import unpack_images
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.latent_space import STEPS, read_latent_space
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import locate_latent_space


@pytest.fixture(scope="module")
def autoencoder(studied):
    return trained.load(studied, trained.find(studied, BASE.id), BASE)


@pytest.fixture(scope="module")
def space(autoencoder, dataset):
    return measure_latent_space(autoencoder, dataset)


def points(axes):
    return np.column_stack([axes["x"], axes["y"]])


def test_the_flat_map_is_pca_of_the_codes(space, autoencoder, dataset):
    codes = autoencoder.encode(dataset.test_images)
    centred = codes - codes.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    found = points(space.pca)
    for k in range(2):  # an axis may point either way
        sign = np.sign(found[:, k] @ expected[:, k])
        np.testing.assert_allclose(found[:, k], sign * expected[:, k], rtol=2e-3, atol=1e-4)
    share = singular[:2] ** 2 / (singular**2).sum()
    np.testing.assert_allclose(space.pca["share"], share, rtol=1e-3)
    assert space.labels == dataset.test_labels.tolist()


def test_tsne_keeps_together_what_is_near(space, autoencoder, dataset):
    codes = autoencoder.encode(dataset.test_images)
    found = points(space.tsne)

    def nearest(rows):
        distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        return distances.argsort(axis=1)[:, :10]

    shared = [len(set(a) & set(b)) for a, b in zip(nearest(codes), nearest(found), strict=True)]
    assert np.mean(shared) > 5  # of 10; by chance 1 of 99
    assert found.std() > 1


def test_the_same_weights_give_the_same_maps(space, autoencoder, dataset):
    assert measure_latent_space(autoencoder, dataset) == space


def test_a_line_goes_from_one_image_to_the_other_in_equal_steps(space, autoencoder, dataset):
    assert len(space.lines) == len(PAIRS) == 3
    for line, pair in zip(space.lines, PAIRS, strict=True):
        rows = line["test_rows"]
        assert [CLASS_NAMES[dataset.test_labels[row]] for row in rows] == list(pair)
        images = unpack_images(line["images"])
        assert len(images) == STEPS + 2
        np.testing.assert_array_equal(images[[0, -1]], dataset.test_images[rows, ..., 0])
        first, last = autoencoder.encode(dataset.test_images[rows])
        for step, image in enumerate(images[1:-1]):
            share = step / (STEPS - 1)
            code = (1 - share) * first + share * last
            rebuilt = autoencoder.decode(code[None].astype(np.float32))[0, ..., 0]
            assert abs(image - 255 * rebuilt).max() <= 0.51
    assert len({line["images"] for line in space.lines}) == 3


def test_a_latent_space_says_whose_it_is(space, autoencoder):
    record = autoencoder.record
    assert (space.id, space.seed, space.backend) == (BASE.id, 0, record.backend)
    assert space.weights_sha256 == record.weights_sha256["final"]


def test_what_is_written_reads_as_it_was(space, tmp_path):
    path = locate_latent_space(tmp_path, BASE.id)
    assert path == tmp_path / "mansilla" / "base" / "base_latent.json"
    write_dataclass(path, space)
    assert read_latent_space(path) == space
    assert read_records(tmp_path) == []  # it is no record of a run


def test_codes_that_do_not_differ_have_no_map(autoencoder, dataset):
    class Dead(trained.Trained):
        def encode(self, images):
            return np.zeros((len(images), 64), np.float32)

    with pytest.raises(RuntimeError, match="mansilla/base gives every image the same code"):
        measure_latent_space(Dead(autoencoder.spec, autoencoder.record, autoencoder.model), dataset)


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
def test_what_is_damaged_is_named(space, tmp_path, damage):
    change, words = DAMAGES[damage]
    path = tmp_path / "base_latent.json"
    write_dataclass(path, space)
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
        with pytest.raises(RecordError, match=r"x\.json (is no JSON|must hold a JSON)"):
            read_latent_space(tmp_path / "x.json")
    with pytest.raises(RecordError, match="cannot be read"):
        read_latent_space(tmp_path)
