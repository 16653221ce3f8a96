"""The README: what stands between markers follows from the records, without Keras."""

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting.readme import fill_marked, renew_readme
from tests.helpers.processes import run_without_frameworks
from tests.helpers.repository import ROOT


def test_text_between_markers_is_replaced_and_nothing_else():
    text = "before\n<!-- results -->\nold\nlines\n<!-- /results -->\nafter <!-- other -->\n"
    new = r"| \1 | \g<0> |"  # no pattern, although it looks like one
    filled = fill_marked(text, "results", new)
    assert filled == (f"before\n<!-- results -->\n{new}\n<!-- /results -->\nafter <!-- other -->\n")
    assert fill_marked(filled, "results", new) == filled
    empty = "<!-- results -->\n<!-- /results -->"
    assert fill_marked(empty, "results", "x") == "<!-- results -->\nx\n<!-- /results -->"


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", 0),
        ("<!-- results -->\n", 0),
        ("<!-- /results -->\n<!-- results -->\n", 0),
        (2 * "<!-- results -->\n<!-- /results -->\n", 2),
    ],
    ids=["none", "unclosed", "turned", "twice"],
)
def test_markers_that_are_no_pair_are_refused(text, times):
    with pytest.raises(ValueError, match=f"one pair of markers <!-- results -->, not {times}"):
        fill_marked(text, "results", "x")


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="markers"):
        renew_readme("words", CATALOGUE, [], ".")


RENEW = """
import sys
from experiments.__main__ import CATALOGUE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.readme import renew_readme
out = sys.argv[1]
text = renew_readme(sys.stdin.read(), CATALOGUE, read_records(out), out)
sys.stdout.write(text)
"""


def test_a_readme_is_renewed_from_records_without_keras(tmp_path, make_record, put_record):
    metrics = {"train_eval_loss": 0.05, "val_loss": 0.04242}
    put_record(tmp_path, make_record(BASE, metrics=metrics))
    names = ("results", "claims", "deviations", "speed", "kills", "parity", "findings")
    names += ("cost",)
    marks = "".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in names)
    text = run_without_frameworks(RENEW, str(tmp_path), text=f"# Ü\n{marks}end\n")
    assert text.startswith("# Ü\n<!-- results -->\n| experiment |")
    assert text.endswith(" for.\n<!-- /cost -->\nend\n")
    assert "| 0.0424 |" in text


def test_the_readme_shows_the_table_that_its_records_give():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    study = ROOT / STUDY
    assert renew_readme(text, CATALOGUE, read_records(study), study) == text
