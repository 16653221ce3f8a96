"""Records: written whole, read strictly, averaged only with their like."""

import dataclasses
import json
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import results
from keras_fmnist.specs import override, settings


@pytest.fixture
def record(make_record):
    return make_record(BASE)


def change(path, edit):
    values = json.loads(path.read_text())
    edit(values)
    path.write_text(json.dumps(values))


def test_a_record_lies_where_the_house_plan_says(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    assert path == tmp_path / "mansilla" / "base" / "seed0-torch-cpu.json"
    assert results.weights_path(path) == path.with_name("seed0-torch-cpu.safetensors")


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=["autoencoder", "classifier"])
def test_a_record_is_read_as_it_was_written(make_record, put_record, tmp_path, spec):
    record = make_record(spec, seed=3, commit=None, resumed_at=[2])
    assert results.read(put_record(tmp_path, record)) == record
    assert record.id == spec.id
    assert record.is_classifier == (spec is CLASSIFIER_FULL)


def test_a_record_is_json_with_sorted_keys_and_a_row_of_the_matrix_on_a_line(
    make_record, put_record, tmp_path
):
    text = put_record(tmp_path, make_record(CLASSIFIER_FULL)).read_text()
    values = json.loads(text)
    assert list(values) == sorted(f.name for f in dataclasses.fields(results.Record))
    assert list(values["spec"]) == sorted(values["spec"])
    assert text.endswith("\n}\n")
    rows = [line.strip(" ,") for line in text.splitlines() if "91" in line]
    assert rows[0] == "[91, 1, 1, 1, 1, 1, 1, 1, 1, 1]"
    assert len(rows) == 10
    assert max(map(len, text.splitlines())) < 200


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # words that look like the lines of JSON that are folded
    | st.text()
    | st.sampled_from(["[", "]", "x [", "],", '"[', "{", "}", "\n]\n"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@hypothesis.settings(deadline=None)  # every example is a file that is synced
@hypothesis.given(spec=st.dictionaries(st.text(max_size=3), values, max_size=4))
def test_folding_changes_no_value(make_record, tmp_path_factory, spec):
    record = make_record(BASE, versions=spec)
    path = tmp_path_factory.getbasetemp() / "folded.json"
    results.write(path, record)
    assert results.read(path).versions == spec


def test_a_number_that_is_not_finite_is_never_written(make_record, put_record, tmp_path):
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not JSON compliant"):
            put_record(tmp_path, make_record(BASE, metrics={"val_loss": bad}))
    assert list(tmp_path.iterdir()) == []


def test_an_older_record_without_the_newer_fields_still_reads(record, put_record, tmp_path):
    path = put_record(tmp_path, record)

    def age(values):
        for name in ("resumed_at", "images", "confusion_matrix"):
            del values[name]

    change(path, age)
    old = results.read(path)
    assert (old.resumed_at, old.images, old.confusion_matrix) == ([], None, None)
    assert old == dataclasses.replace(record, images=None)


@pytest.mark.parametrize(
    "name",
    [f.name for f in dataclasses.fields(results.Record)][:-3],
)
def test_a_missing_field_is_named(record, put_record, tmp_path, name):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.pop(name))
    with pytest.raises(results.RecordError) as error:
        results.read(path)
    assert str(error.value) == f"{path} lacks the field {name}"


def test_an_unknown_field_is_named(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.update(sede=1))
    with pytest.raises(results.RecordError) as error:
        results.read(path)
    assert str(error.value) == f"{path} has a field that no record has: sede"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("seed", "0"),
        ("seed", 1.5),
        ("seed", None),
        ("examples", [1]),
        ("spec", [["epochs", 15]]),
        ("history", None),
        ("report", 1),
        ("commit", 5),
        ("images", "AAAA"),
        ("confusion_matrix", {"0": [1]}),
        ("resumed_at", None),
    ],
)
def test_a_field_of_the_wrong_type_is_named(record, put_record, tmp_path, name, wrong):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.update({name: wrong}))
    with pytest.raises(results.RecordError) as error:
        results.read(path)
    assert str(error.value).startswith(f"{path}: {name} must be ")
    assert repr(wrong) in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "must hold a JSON object, not a list"),
        (b"null", "must hold a JSON object, not a NoneType"),
    ],
    ids=["empty", "cut", "bytes", "deep", "list", "null"],
)
def test_what_is_no_record_is_refused_by_its_path(tmp_path, content, words):
    path = tmp_path / "seed0-torch-cpu.json"
    path.write_bytes(content)
    with pytest.raises(results.RecordError) as error:
        results.read(path)
    assert str(error.value).startswith(f"{path} {words}")


def test_a_record_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(results.RecordError, match=r"none\.json cannot be read \(No such file"):
        results.read(tmp_path / "none.json")


def test_all_records_come_ordered_and_nothing_else_is_read(make_record, put_record, tmp_path):
    wanted = [
        make_record(BASE, 0, device="gpu", backend="jax"),
        make_record(BASE, 2),
        make_record(BASE, 10),
        make_record(BASE, 1, device="gpu"),
        make_record(CLASSIFIER_FULL, 0),
    ]
    for record in reversed(wanted):
        put_record(tmp_path, record)
    (tmp_path / "index.json").write_text("not a record")
    (tmp_path / "mansilla" / "base" / "notes.json").write_text("not a record")
    assert results.read_all(tmp_path) == wanted
    assert results.read_all(tmp_path / "nowhere") == []


def test_records_are_grouped_by_experiment_backend_and_device(make_record):
    records = [make_record(BASE, seed) for seed in (0, 1)]
    records += [make_record(BASE, backend="jax"), make_record(BASE, device="gpu")]
    records += [make_record(CLASSIFIER_FULL)]
    sizes = sorted(len(group) for group in results.group(records))
    assert sizes == [1, 1, 1, 2]


def test_runs_with_other_settings_are_never_averaged(make_record):
    shorter = settings(override(BASE, {"epochs": 1}))
    records = [make_record(BASE, 0), make_record(BASE, 1, spec=shorter), make_record(BASE, 2)]
    assert [record.seed for record in results.leading_group(records)] == [0, 2]
    few = make_record(BASE, 1, examples=100)
    assert results.leading_group([make_record(BASE, 0), few, make_record(BASE, 2)]) == [
        make_record(BASE, 0),
        make_record(BASE, 2),
    ]


def test_the_leading_group_has_most_seeds_then_torch_then_the_gpu(make_record):
    jax = [make_record(BASE, seed, backend="jax") for seed in (0, 1)]
    torch_cpu = [make_record(BASE, seed) for seed in (0, 1)]
    torch_gpu = [make_record(BASE, seed, device="gpu") for seed in (0, 1)]
    more = [make_record(BASE, seed, backend="tensorflow") for seed in (0, 1, 2)]
    for order in (1, -1):
        assert results.leading_group((jax + torch_cpu)[::order]) == torch_cpu[::order]
        assert results.leading_group((torch_cpu + torch_gpu)[::order]) == torch_gpu[::order]
        assert results.leading_group((torch_gpu + more)[::order]) == more[::order]


def test_a_mean_has_students_interval():
    # t(0.975, 2) = 4.302653: mean 2, standard deviation 1, three values
    mean, half = results.mean_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.302653 / math.sqrt(3), abs=1e-6)
    # t(0.975, 4) = 2.776445: five values
    mean, half = results.mean_interval([0.9, 0.8, 0.85, 0.95, 0.8])
    assert mean == pytest.approx(0.86)
    assert half == pytest.approx(2.776445 * np.std([0.9, 0.8, 0.85, 0.95, 0.8], ddof=1) / 5**0.5)
    assert results.mean_interval([0.5, 0.5]) == (0.5, 0.0)
    assert results.mean_interval([0.5]) == (0.5, None)


def test_packed_images_come_back_to_the_nearest_of_256_greys():
    images = np.linspace(0, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 28, 28, 1)
    pixels = results.unpack_images(results.pack_images(images))
    assert pixels.shape == (2, 28, 28)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[..., None] / 255, images, atol=0.5 / 255 + 1e-6)
    assert (pixels[0, 0, 0], pixels[1, -1, -1]) == (0, 255)
    bytes_again = results.unpack_images(results.pack_images(pixels[..., None] / 255))
    np.testing.assert_array_equal(bytes_again, pixels)


def test_pixels_out_of_range_are_clipped_not_wrapped():
    images = np.full((1, 28, 28, 1), 1.01)
    images[0, 0] = -0.01
    pixels = results.unpack_images(results.pack_images(images))
    assert (pixels[0, 0].max(), pixels[0, 1:].min()) == (0, 255)


def test_a_record_from_before_a_setting_existed_has_its_default(tmp_path, make_record, put_record):
    record = make_record(CLASSIFIER_FULL)
    old = {name: value for name, value in record.spec.items() if name != "hidden"}
    old["autoencoder"] = {k: v for k, v in old["autoencoder"].items() if k != "pixels"}
    path = put_record(tmp_path, dataclasses.replace(record, spec=old))
    assert results.read(path).spec == record.spec
    assert results.find(path, CLASSIFIER_FULL) == record
