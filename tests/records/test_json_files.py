"""JSON files: written with sorted keys, whole, and read only where they are JSON of ours."""

import dataclasses
import json
import math
import os
import pickle

import hypothesis
import pytest
from hypothesis import strategies as st

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.record import Record, read_record
from tests.helpers.records import assert_refused, values


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


CONTENTS = {
    "empty": (lambda whole: b"", "is not JSON"),
    "cut": (lambda whole: whole[: len(whole) // 2], "is not JSON"),
    "without its last brace": (lambda whole: whole[:-3], "is not JSON"),
    "no text": (lambda whole: b"\xff\xfe", "is not JSON"),
    "html": (lambda whole: b"<html>404</html>", "is not JSON"),
    "a pickle": (lambda whole: pickle.dumps({"seed": 0}), "is not JSON"),
    "deep": (lambda whole: b"[" * 100_000, "is not JSON"),
    "deep in a field": (
        lambda whole: whole.replace(b'"cpu"', b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "is not JSON",
    ),
    "a list": (lambda whole: b"[]", "must hold a JSON object, not a list"),
    "null": (lambda whole: b"null", "must hold a JSON object, not a NoneType"),
    "NaN": (lambda whole: whole.replace(b"30.5", b"NaN"), "is not JSON (it has no NaN)"),
    "infinity": (lambda whole: whole.replace(b"30.5", b"-Infinity"), "it has no -Infinity"),
    "a float without end": (lambda whole: whole.replace(b"30.5", b"1e999"), "seconds must be"),
    "a million digits": (lambda whole: whole.replace(b"30.5", b"9" * 1_000_000), "is not JSON"),
    "a field twice": (
        lambda whole: whole.replace(b'"seed": 0', b'"seed": 1,\n"seed": 0'),
        "is not JSON ('seed' appears twice in one object)",
    ),
    "a setting twice": (
        lambda whole: whole.replace(b'"latent": 64', b'"latent": 8, "latent": 64'),
        "'latent' appears twice",
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
