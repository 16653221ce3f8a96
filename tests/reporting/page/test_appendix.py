"""The evidence: parity, speed, the checklist, and every run."""

import dataclasses
import json
import re

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.records.groups import select_groups
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page import appendix, bilingual
from keras_fmnist.reporting.page.render import render_page
from tests.helpers import made_up_study
from tests.helpers.html import Reader
from tests.helpers.repository import ROOT


def test_parity_names_the_tensor_nearest_to_its_tolerance(read):
    assert read.row("output")[1:] == ["2", "6e-07conv2", "1e-05", "within"]
    assert read.row("gradient")[1:] == ["1", "0.003conv1", "1e-06", "over"]
    assert read.row("loss")[4] == "over"  # what is no number is over any tolerance
    assert "0.0874 (sd 0.0145) against 0.0885 (sd 0.0147)" in " ".join(" ".join(read.texts).split())


def test_another_backend_has_a_row_with_what_it_ended_at_and_the_verdict(make_record, tmp_path):
    records = [
        make_record(BASE, seed, backend=side) for side in ("torch", "pytorch") for seed in (0, 1)
    ]
    rows = Reader(render_page(CATALOGUE, records, tmp_path)).rows
    (row,) = [row for row in rows if row[:2] == ["mansilla/base", "native PyTorch"]]
    assert row[2] == "2"
    assert row[3] == row[4]  # the same made up numbers on both sides
    assert row[5] == "0.0000 (0.0000 to 0.0000)"
    assert row[-1] == "equivalent"


def test_without_another_backend_there_is_no_such_table(make_record, tmp_path):
    html = render_page(CATALOGUE, [make_record(BASE, 0)], tmp_path)
    assert "native PyTorch" not in [row[1] for row in Reader(html).rows if len(row) > 1]


def test_speed_is_held_to_ours_and_elsewhere_to_stock(read):
    shown = {
        "ours": "41.2",
        "stock Keras fit": "79.5",
        "native loop": "63.41.83× (1.27 to 2.79)",
        "native, DataLoader": "56.0",
        "native, torch.compile": "70.3",
        "native, tuned": "52.5",
        "stock Keras on TensorFlow": "60.1",
        "stock Keras on JAX": "90.2",
    }
    table = read.rows.index(["Experiment", *shown])
    assert read.rows[table + 1] == ["mansilla/base", *shown.values()]
    table = read.rows.index(["Experiment", "stock Keras fit", "native loop"])
    assert read.rows[table + 1] == ["mansilla/base", "44.2", "26.20.58× (0.58 to 0.61)"]


def test_whole_runs_have_a_table_of_their_own(read):
    table = read.rows.index(["Experiment", "ours", "native loop"])
    assert read.rows[table + 1] == ["mansilla/base", "52.5", "99.11.89× (1.70 to 2.00)"]
    assert "Whole runs: a step's share of an epoch" in " ".join(read.texts)


def test_how_the_cost_grows_stands_there_where_it_was_measured(read, study, tmp_path):
    head = read.rows.index(["what it takes", "ours", "stock Keras fit"])
    assert read.rows[head + 1 : head + 4] == [
        ["ms an image, batches of 10", "0.70", "1.73"],
        ["s an epoch of 60 000 images", "15.2", "31.7"],
        ["MiB at the peak, data and frameworks included", "767", "765"],
    ]
    assert "How the cost of mansilla/base grows, and its memory, on torch" in read.texts
    without = {k: v for k, v in made_up_study.BENCHMARK.items() if k != "growth"}
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "cpu.json").write_text(json.dumps(without))
    assert appendix.describe_speed(tmp_path)[0]["growth"] is None


def test_where_no_system_says_the_memory_the_growth_stands_there_without_it(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    unmeasured = made_up_study.BENCHMARK | {"peak_memory_mib": {}, "backend": "jax"}
    (tmp_path / "benchmarks" / "cpu.json").write_text(json.dumps(unmeasured))
    growth = appendix.describe_speed(tmp_path)[0]["growth"]
    assert growth["columns"] == ["ours", "stock"]
    assert [cells for _, cells in growth["rows"]] == [["0.70", "1.73"], ["15.2", "31.7"]]
    assert growth["caption"].english.endswith("on jax")


def test_the_numbered_open_questions_are_those_of_the_document(html):
    listed = re.search(r'<ol class="deviations">(.*?)</ol>', html, re.S)[1]
    assert listed.count("<li>") == len(CATALOGUE.deviations) == 12
    document = (ROOT / "docs" / "open_questions.md").read_text(encoding="utf-8")
    for number, one in enumerate(CATALOGUE.deviations, 1):
        assert f"\n{number}. {one.english}\n" in document
        assert f"<li>{bilingual.both(one)}</li>" in listed


def test_the_checklist_is_open_where_a_record_does_not_say(make_record):
    def states(*records):
        rows = appendix.build_checklist(CATALOGUE, records, select_groups(records))
        return {item.removeprefix("check_"): answer for item, answer, _ in rows}

    one, two = (make_record(BASE, seed) for seed in range(2))
    assert states(one, two) == {
        **dict.fromkeys(("seeds", "settings", "versions", "commit", "data", "device"), True),
        **{"weights": True, "time": True, "runs": False, "statistic": False},
    }
    assert not states(one)["seeds"]
    for name, changes in {
        "commit": {"commit": "0" * 40 + "-dirty"},
        "data": {"data_sha256": "e" * 64},
        "weights": {"weights_sha256": {"initial": "b" * 64}},
    }.items():
        assert not states(one, dataclasses.replace(two, **changes))[name], name
    assert not states(one, dataclasses.replace(two, commit=None))["commit"]


def test_the_checklist_says_what_the_records_hold(read):
    assert read.row("Data")[2] == "SHA-256 " + "a" * 64
    assert read.row("Versions")[2] == "keras 3.15.1, python 3.11.2"
    assert read.row("Code")[2] == "0" * 12 + " " + "f" * 12 + "-dirty"
    assert read.row("Seeds")[2].startswith("1–5 an experiment")


def test_every_run_has_its_command_its_settings_and_what_it_took(read, study):
    commands = {record.command for record in read_records(study) if record.report != "assumptions"}
    cells = {cell for row in read.rows for cell in row}
    assert len(commands) >= 6
    assert commands <= cells
    assert read.row("0", next(iter(sorted(commands))))[2] == "0.5"  # 30.5 s
    assert any("batch_size 100, batchnorm false" in text for text in read.texts)
