"""The documents: what stands between their markers comes from the records, without Keras."""

import json

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting.documents import DOCUMENTS, Study, fill_documents, fill_markers
from tests.helpers.documents import write_empty_documents
from tests.helpers.processes import run_without_frameworks
from tests.helpers.repository import ROOT

EMPTY = "<!-- results -->\n<!-- /results -->\n"


def test_text_between_markers_is_replaced_and_nothing_else():
    text = "before\n<!-- results -->\nold\nlines\n<!-- /results -->\nafter <!-- other -->\n"
    new = r"| \1 | \g<0> |"  # no pattern, although it looks like one
    filled = fill_markers(text, {"results": new}, "README.md")
    assert filled == (f"before\n<!-- results -->\n{new}\n<!-- /results -->\nafter <!-- other -->\n")
    assert fill_markers(filled, {"results": new}, "README.md") == filled
    assert fill_markers(EMPTY, {"results": "x"}, "") == "<!-- results -->\nx\n<!-- /results -->\n"


def test_each_part_of_a_document_goes_between_its_own_markers():
    text = EMPTY + EMPTY.replace("results", "main-results") + "end\n"
    assert fill_markers(text, {"results": "a", "main-results": "b"}, "README.md") == (
        "<!-- results -->\na\n<!-- /results -->\n"
        "<!-- main-results -->\nb\n<!-- /main-results -->\nend\n"
    )


@pytest.mark.parametrize(
    "text",
    ["", "<!-- results -->\n", "<!-- /results -->\n<!-- results -->\n", 2 * EMPTY],
    ids=["none", "unclosed", "turned", "twice"],
)
def test_markers_that_are_no_pair_are_refused(text):
    with pytest.raises(
        ValueError, match=r"README\.md needs one line <!-- results --> and below it"
    ):
        fill_markers(text, {"results": "x"}, "README.md")


@pytest.mark.parametrize(("contents", "known"), [({"results": "x"}, "results"), ({}, "no markers")])
def test_a_marker_that_nothing_belongs_at_is_refused(contents, known):
    text = (EMPTY if contents else "") + EMPTY.replace("results", "resluts")
    with pytest.raises(ValueError, match=f"README.md: .* <!-- resluts -->; it may have {known}"):
        fill_markers(text, contents, "README.md")


@pytest.fixture
def checkout(tmp_path):
    write_empty_documents(tmp_path)
    return tmp_path


def test_every_document_is_filled_and_nothing_written(checkout, make_record):
    record = make_record(BASE, metrics={"train_eval_loss": 0.05, "val_loss": 0.04242})
    filled = dict(fill_documents(checkout, Study(CATALOGUE, [record], checkout)))
    assert [str(path.relative_to(checkout)) for path in filled] == sorted(DOCUMENTS)
    for name in ("README.md", "docs/results.md"):
        assert "| 0.0424 |" in filled[checkout / name]
        assert "0.0424" not in (checkout / name).read_text()


def test_a_document_that_has_no_generated_parts_is_left_out_and_may_not_have_markers(checkout):
    study = Study(CATALOGUE, [], checkout)
    own = checkout / "docs" / "protocol.md"
    own.write_text("# Ü\n", encoding="utf-8")
    assert own not in dict(fill_documents(checkout, study))
    own.write_text(EMPTY)
    with pytest.raises(
        ValueError, match=r"protocol\.md: .* <!-- results -->; it may have no markers"
    ):
        dict(fill_documents(checkout, study))


def test_a_document_that_is_missing_or_lacks_a_marker_is_named(checkout):
    study = Study(CATALOGUE, [], checkout)
    (checkout / "docs" / "speed.md").write_text("words")
    with pytest.raises(ValueError, match=r"speed\.md needs one line <!-- speed -->"):
        dict(fill_documents(checkout, study))
    (checkout / "docs" / "speed.md").unlink()
    with pytest.raises(FileNotFoundError, match=r"speed\.md"):
        dict(fill_documents(checkout, study))


def test_what_was_measured_beside_the_study_is_shown_in_its_document(checkout):
    counted = {"kills": 7, "resumed": 6, "identical": 5, "epochs_lost": 4}
    kills = counted | {"backup_and_restore": {"kills": 3, "resumed": 2, "identical": 1}}
    (checkout / "reliability").mkdir()
    (checkout / "reliability" / "kill.json").write_text(json.dumps(kills))
    filled = dict(fill_documents(checkout, Study(CATALOGUE, [], checkout)))
    assert "Of 7 kills 6 were resumed and 5 ended identical" in filled[checkout / "docs/resume.md"]


def test_the_cost_of_a_study_counts_experiments_and_no_readings(checkout, make_record):
    seconds = {"total": 60.0, "cpu": 60.0, "per_epoch": []}
    records = [make_record(spec, seconds=seconds) for spec in (BASE, CATALOGUE.readings[0])]
    filled = dict(fill_documents(checkout, Study(CATALOGUE, records, checkout)))
    assert "A seed of the 1 experiments" in filled[checkout / "docs/results.md"]


FILL = """
import sys
from pathlib import Path
from experiments.__main__ import CATALOGUE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.documents import Study, fill_documents
root = Path(sys.argv[1])
filled = dict(fill_documents(root, Study(CATALOGUE, read_records(root / "out"), root / "out")))
sys.stdout.write(filled[root / "docs/results.md"])
"""


def test_documents_are_filled_from_records_without_keras(checkout, make_record, put_record):
    metrics = {"train_eval_loss": 0.05, "val_loss": 0.04242}
    put_record(checkout / "out", make_record(BASE, metrics=metrics))
    assert "| 0.0424 |" in run_without_frameworks(FILL, str(checkout))


def test_the_documents_are_what_the_records_give():
    study = Study(CATALOGUE, read_records(ROOT / STUDY), ROOT / STUDY)
    filled = dict(fill_documents(ROOT, study))
    assert {path: path.read_text(encoding="utf-8") for path in filled} == filled
