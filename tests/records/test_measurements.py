"""What is measured beside the study: read by its name, and refused where a part is missing."""

import json

import pytest

from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.measurements import MEASUREMENTS, read_measurements

NAMES = {
    "parity": ("base", "wide"),
    "benchmarks": ("cpu", "gpu-h100"),
    "models": ("models",),
    "reliability": ("kill", "later"),
}
OTHERS = {kind: ["notes.txt"] for kind in MEASUREMENTS}
OTHERS["benchmarks"].append("models.json")
OTHERS["models"].append("cpu.json")


@pytest.mark.parametrize("kind", MEASUREMENTS)
def test_every_file_of_a_kind_is_read_by_its_name(tmp_path, kind):
    assert read_measurements(tmp_path, kind) == {}
    pattern, fields = MEASUREMENTS[kind]
    folder = tmp_path / pattern.rpartition("/")[0]
    contents = {name: dict.fromkeys(fields, name) for name in NAMES[kind]}
    folder.mkdir()
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content | {"more": 1}))
    for other in OTHERS[kind]:
        (folder / other).write_text("no measurement of this kind")
    assert read_measurements(tmp_path, kind) == {
        name: content | {"more": 1} for name, content in contents.items()
    }


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, (_, fields) in MEASUREMENTS.items() for field in sorted(fields)],
)
def test_a_field_that_is_missing_is_named(tmp_path, kind, field):
    pattern, fields = MEASUREMENTS[kind]
    path = tmp_path / pattern.rpartition("/")[0] / f"{NAMES[kind][0]}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(dict.fromkeys(fields - {field})))
    with pytest.raises(RecordError) as error:
        read_measurements(tmp_path, kind)
    assert str(error.value) == f"{path} lacks the field {field}"


def test_a_file_that_is_no_object_is_named(tmp_path):
    path = tmp_path / "parity" / "base.json"
    path.parent.mkdir()
    path.write_text("[1, 2]")
    with pytest.raises(RecordError, match=r"base\.json"):
        read_measurements(tmp_path, "parity")
