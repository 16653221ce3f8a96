"""Records that are damaged, and refused."""

import json

import pytest
from hypothesis import strategies as st

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.record import find_record, read_record, read_records
from keras_fmnist.records.run import Run


def change(path, edit):
    values = json.loads(path.read_text())
    edit(values)
    path.write_text(json.dumps(values))


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
