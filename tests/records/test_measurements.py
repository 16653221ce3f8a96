"""What is measured beside the study: read by its name, and refused where a part is missing."""

import json

import pytest

from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.measurements import MEASUREMENTS, read_measurements


@pytest.mark.parametrize("kind", MEASUREMENTS)
def test_every_file_of_a_kind_is_read_by_its_name(tmp_path, kind):
    assert read_measurements(tmp_path, kind) == {}
    contents = {name: dict.fromkeys(MEASUREMENTS[kind], name) for name in ("first", "second")}
    (tmp_path / kind).mkdir()
    for name, content in contents.items():
        (tmp_path / kind / f"{name}.json").write_text(json.dumps(content | {"more": 1}))
    (tmp_path / kind / "notes.txt").write_text("no measurement")
    assert read_measurements(tmp_path, kind) == {
        name: content | {"more": 1} for name, content in contents.items()
    }


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, needed in MEASUREMENTS.items() for field in sorted(needed)],
)
def test_a_field_that_is_missing_is_named(tmp_path, kind, field):
    path = tmp_path / kind / "cpu.json"
    path.parent.mkdir()
    path.write_text(json.dumps(dict.fromkeys(MEASUREMENTS[kind] - {field})))
    with pytest.raises(RecordError) as error:
        read_measurements(tmp_path, kind)
    assert str(error.value) == f"{path} lacks the field {field}"


def test_a_file_that_is_no_object_is_named(tmp_path):
    path = tmp_path / "parity" / "base.json"
    path.parent.mkdir()
    path.write_text("[1, 2]")
    with pytest.raises(RecordError, match=r"base\.json"):
        read_measurements(tmp_path, "parity")
