"""The table: every number from a record, between its markers, and without Keras."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL, SPECS
from keras_fmnist import commands, report, results

ROOT = Path(__file__).resolve().parent.parent


def cells(table):
    return {
        row[1]: row[2:-1]
        for row in ([cell.strip() for cell in line.split("|")] for line in table.splitlines())
    }


def test_the_table_shows_the_last_epoch_in_evaluation_mode(make_record):
    metrics = {"loss": 9, "train_eval_loss": 0.01234, "val_loss": 0.5, "accuracy": 9}
    classifier = make_record(
        CLASSIFIER_FULL,
        metrics=metrics | {"train_eval_accuracy": 0.9, "val_accuracy": 0.89514, "dead_logits": 3},
    )
    table = report.results_table(
        (BASE, CLASSIFIER_FULL), [make_record(BASE, metrics=metrics), classifier]
    )
    assert cells(table) == {
        "experiment": ["what it is", "train loss", "val loss", "train acc", "val acc", "seeds"],
        "---": ["---", "---:", "---:", "---:", "---:", "---:"],
        "`mansilla/base`": [BASE.summary, "0.0123", "0.5000", "", "", "1 on torch, cpu"],
        "`mansilla/classifier_full`": [
            *(CLASSIFIER_FULL.summary, "0.0123", "0.5000", "90.00%", "89.51%", "1 on torch, cpu")
        ],
    }


def test_several_seeds_are_shown_as_mean_and_interval(make_record):
    records = []
    for seed, loss in enumerate((0.01, 0.02, 0.03)):
        values = {"train_eval_loss": loss, "val_loss": loss}
        values |= {"train_eval_accuracy": 10 * loss, "val_accuracy": 10 * loss}
        records.append(make_record(CLASSIFIER_FULL, seed, metrics=values))
    row = cells(report.results_table((CLASSIFIER_FULL,), records))["`mansilla/classifier_full`"]
    # t(0.975, 2) = 4.302653, times 0.01 / √3
    assert row[1:3] == ["0.0200 ± 0.0248"] * 2
    assert row[3:5] == ["20.00% ± 24.84%"] * 2
    assert row[5] == "3 on torch, cpu"


def test_what_was_not_run_says_so_in_its_place(make_record):
    rows = cells(report.results_table(SPECS, [make_record(BASE)]))
    assert list(rows)[2:] == [f"`{spec.id}`" for spec in SPECS]
    for spec in SPECS:
        if spec is not BASE:
            assert rows[f"`{spec.id}`"] == [spec.summary, "", "", "", "", "not run yet"]


def test_text_between_markers_is_replaced_and_nothing_else():
    text = "before\n<!-- results -->\nold\nlines\n<!-- /results -->\nafter <!-- other -->\n"
    new = r"| \1 | \g<0> |"  # no pattern, although it looks like one
    filled = report.fill(text, "results", new)
    assert filled == (f"before\n<!-- results -->\n{new}\n<!-- /results -->\nafter <!-- other -->\n")
    assert report.fill(filled, "results", new) == filled
    empty = "<!-- results -->\n<!-- /results -->"
    assert report.fill(empty, "results", "x") == "<!-- results -->\nx\n<!-- /results -->"


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
        report.fill(text, "results", "x")


def test_a_thousand_seeds_cost_what_their_records_took(make_record):
    base, head = (
        make_record(spec, seed, seconds={"total": total, "per_epoch": []})
        for spec, seed, total in ((BASE, 0, 3600.0), (CLASSIFIER_FULL, 0, 1800.0))
    )
    other = make_record(BASE, 1, seconds={"total": 7200.0, "per_epoch": []})
    said = report.cost_of_seeds([base, other, head])
    # (5 400 + 1 800) s a seed
    assert "A seed of the 2 experiments" in said
    assert "1000 seeds cost 2000 core-hours: 125 hours" in said
    assert "the 90 minutes of the slowest" in said


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="markers"):
        report.renew("words", CATALOGUE, [])


RENEW_WITHOUT_KERAS = """
import sys
for name in ("keras", "torch", "jax", "tensorflow"):
    sys.modules[name] = None  # an import of it fails
from experiments.__main__ import CATALOGUE
from keras_fmnist import report, results
text = report.renew(sys.stdin.read(), CATALOGUE, results.read_all(sys.argv[1]))
sys.stdout.write(text)
"""


def test_a_readme_is_renewed_from_records_without_keras(tmp_path, make_record, put_record):
    put_record(tmp_path, make_record(BASE, metrics={"val_loss": 0.04242}))
    names = ("results", "claims", "deviations", "assumptions", "cost")
    marks = "".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in names)
    text = subprocess.run(
        [sys.executable, "-c", RENEW_WITHOUT_KERAS, str(tmp_path)],
        input=f"# Ü\n{marks}end\n",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        timeout=120,
    ).stdout
    assert text.startswith("# Ü\n<!-- results -->\n| experiment |")
    assert text.endswith(" for.\n<!-- /cost -->\nend\n")
    assert "| 0.0424 |" in text


def test_the_report_of_a_users_own_runs_is_printed_and_its_figures_drawn(
    tmp_path, make_record, put_record, capsys
):
    record = make_record(BASE)
    path = put_record(tmp_path, record)
    commands.write_report(CATALOGUE, str(tmp_path))
    shown = capsys.readouterr().out
    assert report.results_table(CATALOGUE.specs, [record]) in shown
    for name in ("base_loss.png", "base_reconstructions.png"):
        assert str(path.with_name(name)) in shown
        assert path.with_name(name).exists()


def test_the_readme_shows_the_table_that_its_records_give():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.renew(text, CATALOGUE, results.read_all(ROOT / results.STUDY)) == text
