"""Records: written whole, read strictly, averaged only with their like."""

import dataclasses
import json
import math
import os
import pickle
import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.records import schema
from keras_fmnist.records.images import pack_images, unpack_images
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.record import Record, find_record, read_record, read_records
from keras_fmnist.records.run import Run, RunFiles


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
    assert RunFiles(path).weights == path.with_name("seed0-torch-cpu.safetensors")


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=["autoencoder", "classifier"])
def test_a_record_is_read_as_it_was_written(make_record, put_record, tmp_path, spec):
    record = make_record(spec, seed=3, commit=None, resumed_at=[2])
    assert read_record(put_record(tmp_path, record)) == record
    assert record.id == spec.id
    assert record.is_classifier == (spec is CLASSIFIER_FULL)


def test_a_record_is_json_with_sorted_keys_and_a_row_of_the_matrix_on_a_line(
    make_record, put_record, tmp_path
):
    text = put_record(tmp_path, make_record(CLASSIFIER_FULL)).read_text()
    values = json.loads(text)
    assert list(values) == sorted(f.name for f in dataclasses.fields(Record))
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
    write_dataclass(path, record)
    assert read_record(path).versions == spec


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
    old = read_record(path)
    assert (old.resumed_at, old.images, old.confusion_matrix) == ([], None, None)
    assert old == dataclasses.replace(record, images=None)


@pytest.mark.parametrize(
    "name",
    [f.name for f in dataclasses.fields(Record)][:-3],
)
def test_a_missing_field_is_named(record, put_record, tmp_path, name):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.pop(name))
    with pytest.raises(RecordError) as error:
        read_record(path)
    assert str(error.value) == f"{path} lacks the field {name}"


def test_an_unknown_field_is_named(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.update(sede=1))
    with pytest.raises(RecordError) as error:
        read_record(path)
    assert str(error.value) == f"{path} has a field that no record has: sede"


def put(*path):
    """`put(name, …, value)`: an edit that puts a value at a place of a record."""
    *path, last, value = path

    def edit(values):
        for name in path:
            values = values[name]
        values[last] = value

    return edit


def drop(*path):
    *path, last = path

    def edit(values):
        for name in path:
            values = values[name]
        del values[last]

    return edit


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


COUNTS = (90 * np.eye(10, dtype=int) + 1).tolist()
EDITS = {  # of an autoencoder's record
    "report": [put("report", wrong) for wrong in (1, "", "..", "../../tmp", "/etc", "a/b", "a\0b")],
    "experiment": [put("experiment", wrong) for wrong in (None, "..", "../x", "x" * 200, "$x^2$")],
    "backend": [put("backend", "torch/../../x"), put("backend", {})],
    "device": [put("device", "cpu\n"), put("device", ["cpu"])],
    "seed": [put("seed", wrong) for wrong in ("0", 1.5, None, True, -1, 2**31, 10**400)],
    "examples": [put("examples", wrong) for wrong in ([1], 0, 60_001)],
    "versions": [put("versions", "3.15")],
    "commit": [put("commit", 5)],
    "command": [put("command", ["rm", "-rf"]), put("command", None)],
    "started": [put("started", 0)],
    "seconds": [
        put("seconds", 30.5),
        drop("seconds", "total"),
        put("seconds", "total", "30"),
        put("seconds", "cpu", "30"),
        put("seconds", "per_epoch", None),
        put("seconds", "per_epoch", 1, 10**400),
    ],
    "parameters": [put("parameters", "total", 1.5), drop("parameters", "trainable")],
    "data_sha256": [put("data_sha256", "a" * 63), put("data_sha256", "A" * 64)],
    "weights_sha256": [put("weights_sha256", "final", None), drop("weights_sha256", "final")],
    "history": [
        put("history", None),
        put("history", "val_loss", [0.1, 0.2]),
        put("history", "val_loss", [0.1, None, 0.2]),
        put("history", "val_loss", [0.1, True, 0.2]),
        put("history", "val_loss", "abc"),
        put("history", "val_loss", [0.1, -0.1, 0.2]),
        put("history", {"loss": [], "val_loss": [], "train_eval_loss": []}),
        drop("history", "val_loss"),
        drop("history", "loss"),
    ],
    "metrics": [
        put("metrics", []),
        put("metrics", "val_loss", "0.1"),
        put("metrics", "val_loss", False),
        put("metrics", "val_loss", -0.1),
        put("metrics", "val_loss", 1e39),
        put("metrics", "val_accuracy", 1.1),
        put("metrics", "dead_logits", nested(3)),
        drop("metrics", "val_loss"),
        drop("metrics", "train_eval_loss"),
    ],
    "confusion_matrix": [put("confusion_matrix", wrong) for wrong in ({"0": [1]}, [], COUNTS)],
    "images": [
        put("images", "AAAA"),
        put("images", {}),
        put("images", "originals", ""),
        put("images", "originals", "AAAA"),
        put("images", "reconstructions", "*" * 10_456),
        put("images", "reconstructions", "ü"),
        put("images", "reconstructions", None),
        put("images", "test_rows", [0] * 9),
        put("images", "test_rows", [-1] * 10),
        put("images", "path", "/etc/passwd"),
        put("images", "pca", "AAAA"),
        lambda values: values["images"].update(pca=values["images"]["originals"]),
    ],
    "resumed_at": [put("resumed_at", None), put("resumed_at", ["1"]), put("resumed_at", [-1])],
    "spec": [
        put("spec", [["epochs", 15]]),
        put("spec", "epochs", "15"),
        put("spec", "epochs", -1),
        put("spec", "epohcs", 15),
        put("spec", "learning_rate", 10**400),
        put("spec", "kernels", nested(900)),
        put("spec", "kernels", [16, 32, 64]),
        put("spec", "deconv2", "k4s2o1"),
        put("spec", "momentum", 0.5),
        put("spec", "autoencoder", None),
        put("spec", "autoencoder", {"name": "base", "autoencoder": {"name": "base"}}),
    ],
}
CLASSIFIER_EDITS = {
    "confusion_matrix": [
        put("confusion_matrix", None),
        put("confusion_matrix", COUNTS[:9]),
        put("confusion_matrix", 3, [1] * 9),
        put("confusion_matrix", 3, "1234567890"),
        put("confusion_matrix", 3, 4, -1),
        put("confusion_matrix", 3, 4, 1.5),
        put("confusion_matrix", 3, 4, 10**30),
        put("confusion_matrix", [[0] * 10] * 10),
    ],
    "history": [drop("history", "val_accuracy")],
    "metrics": [drop("metrics", "val_accuracy")],
    "spec": [
        put("spec", "autoencoder", "base"),
        put("spec", "autoencoder", "name", 5),
        put("spec", "autoencoder", "latent", 10**9),
        put("spec", "autoencoder", "frozen", True),
        put("spec", "autoencoder_latent", 8),
    ],
}
DAMAGED = [
    *((BASE, field, edit) for field, edits in EDITS.items() for edit in edits),
    *((CLASSIFIER_FULL, f, edit) for f, edits in CLASSIFIER_EDITS.items() for edit in edits),
]


def assert_refused(path, words):
    """The file is refused by its name in every way it may be met, and nothing is written."""
    out = path.parents[2]
    before = sorted(out.rglob("*"))
    for meet in (
        lambda: read_record(path),
        lambda: read_records(out),
        lambda: find_record(Run(BASE, 0, "torch", "cpu"), out),
        lambda: write_report(CATALOGUE, out=str(out)),
    ):
        with pytest.raises(RecordError) as error:
            meet()
        assert str(error.value).startswith(str(path))
        assert words in str(error.value)
        assert len(str(error.value)) < 500 + len(str(path))
    assert sorted(out.rglob("*")) == before


@pytest.mark.parametrize(
    ("spec", "field", "edit"),
    DAMAGED,
    ids=[f"{field}{k}" for k, (_, field, _) in enumerate(DAMAGED)],
)
def test_a_record_with_a_wrong_field_is_refused_by_its_name(
    make_record, put_record, tmp_path, tally, spec, field, edit
):
    path = put_record(tmp_path, make_record(spec))
    whole = json.loads(path.read_text())
    assert read_record(path)
    change(path, edit)
    assert json.loads(path.read_text()) != whole
    assert_refused(path, field)
    tally("damaged records refused")


def test_every_field_has_its_check_and_was_damaged():
    fields = {f.name for f in dataclasses.fields(Record)}
    assert schema.FIELDS.keys() == EDITS.keys() == fields


def test_the_word_for_a_wrong_value_says_what_would_be_right(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    change(path, put("history", "val_loss", [0.1]))
    words = f"{path}: history must be lists of numbers from 0 by name, each as long as the others"
    with pytest.raises(RecordError, match=re.escape(words)):
        read_record(path)


CONTENTS = {
    "empty": (lambda whole: b"", "is no JSON"),
    "cut": (lambda whole: whole[: len(whole) // 2], "is no JSON"),
    "without its last brace": (lambda whole: whole[:-3], "is no JSON"),
    "no text": (lambda whole: b"\xff\xfe", "is no JSON"),
    "html": (lambda whole: b"<html>404</html>", "is no JSON"),
    "a pickle": (lambda whole: pickle.dumps({"seed": 0}), "is no JSON"),
    "deep": (lambda whole: b"[" * 100_000, "is no JSON"),
    "deep in a field": (
        lambda whole: whole.replace(b'"cpu"', b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "is no JSON",
    ),
    "a list": (lambda whole: b"[]", "must hold a JSON object, not a list"),
    "null": (lambda whole: b"null", "must hold a JSON object, not a NoneType"),
    "NaN": (lambda whole: whole.replace(b"30.5", b"NaN"), "is no JSON (it has no NaN)"),
    "infinity": (lambda whole: whole.replace(b"30.5", b"-Infinity"), "it has no -Infinity"),
    "a float without end": (lambda whole: whole.replace(b"30.5", b"1e999"), "seconds must be"),
    "a million digits": (lambda whole: whole.replace(b"30.5", b"9" * 1_000_000), "is no JSON"),
    "a field twice": (
        lambda whole: whole.replace(b'"seed": 0', b'"seed": 1,\n"seed": 0'),
        "is no JSON ('seed' stands twice in one object)",
    ),
    "a setting twice": (
        lambda whole: whole.replace(b'"latent": 64', b'"latent": 8, "latent": 64'),
        "'latent' stands twice",
    ),
    "four megabytes": (lambda whole: whole + b" " * (4 << 20), "cannot be read ("),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_record_is_refused_by_its_name(record, put_record, tmp_path, tally, kind):
    damage, words = CONTENTS[kind]
    path = put_record(tmp_path, record)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole
    assert_refused(path, words)
    tally("damaged records refused")


def test_a_file_far_too_long_and_one_without_an_end_are_not_read(
    record, put_record, tmp_path, tally
):
    path = put_record(tmp_path, record)
    os.truncate(path, 1 << 40)  # a sparse terabyte
    assert_refused(path, "1099511627776 bytes are more than 4194304")
    path.unlink()
    os.mkfifo(path)
    assert_refused(path, "it is no regular file")
    tally("damaged records refused", 2)


def test_a_record_in_the_place_of_another_run_is_refused(make_record, put_record, tmp_path, tally):
    for changes in ({"seed": 1}, {"backend": "jax"}, {"device": "gpu"}, {"report": "transfer"}):
        path = put_record(tmp_path, make_record(BASE))
        put_record(tmp_path / "elsewhere", make_record(BASE, **changes)).replace(path)
        run = Run(BASE, 0, "torch", "cpu")
        for meet in (lambda: read_records(tmp_path), lambda run=run: find_record(run, tmp_path)):
            with pytest.raises(RecordError, match="holds the record that belongs at"):
                meet()
        tally("damaged records refused")


@pytest.mark.parametrize("linked", ["record", "experiment", "report"])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    record, put_record, tmp_path, tally, linked
):
    path = put_record(tmp_path / "elsewhere", record)
    source = {"record": path, "experiment": path.parent, "report": path.parent.parent}[linked]
    link = tmp_path / "out" / source.relative_to(tmp_path / "elsewhere")
    link.parent.mkdir(parents=True)
    link.symlink_to(source)
    before = sorted(tmp_path.rglob("*"))
    for meet in (read_records, lambda out: write_report(CATALOGUE, out=str(out))):
        with pytest.raises(RecordError, match=r"seed0-torch-cpu\.json leads out of "):
            meet(tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before
    tally("damaged records refused")


def test_a_folder_that_is_itself_behind_a_link_is_read(record, put_record, tmp_path):
    put_record(tmp_path / "elsewhere", record)
    (tmp_path / "out").symlink_to("elsewhere")
    assert read_records(tmp_path / "out") == [record]


def test_a_record_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RecordError, match=r"none\.json cannot be read \(No such file"):
        read_record(tmp_path / "none.json")


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
    assert read_records(tmp_path) == wanted
    assert read_records(tmp_path / "nowhere") == []


def test_packed_images_come_back_to_the_nearest_of_256_greys():
    images = np.linspace(0, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 28, 28, 1)
    pixels = unpack_images(pack_images(images))
    assert pixels.shape == (2, 28, 28)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[..., None] / 255, images, atol=0.5 / 255 + 1e-6)
    assert (pixels[0, 0, 0], pixels[1, -1, -1]) == (0, 255)
    bytes_again = unpack_images(pack_images(pixels[..., None] / 255))
    np.testing.assert_array_equal(bytes_again, pixels)


def test_pixels_out_of_range_are_clipped_not_wrapped():
    images = np.full((1, 28, 28, 1), 1.01)
    images[0, 0] = -0.01
    pixels = unpack_images(pack_images(images))
    assert (pixels[0, 0].max(), pixels[0, 1:].min()) == (0, 255)


def test_a_record_from_before_a_setting_existed_has_its_default(tmp_path, make_record, put_record):
    record = make_record(CLASSIFIER_FULL)
    old = {name: value for name, value in record.spec.items() if name != "hidden"}
    old["autoencoder"] = {k: v for k, v in old["autoencoder"].items() if k != "pixels"}
    path = put_record(tmp_path, dataclasses.replace(record, spec=old))
    assert read_record(path).spec == record.spec
    assert find_record(Run(CLASSIFIER_FULL, 0, "torch", "cpu"), tmp_path) == record
