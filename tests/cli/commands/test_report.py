"""The table: every number from a record, between its markers, and without Keras."""

import base64
import io
import re

import pytest
from PIL import Image

from experiments.__main__ import CATALOGUE
from experiments.manolucos import NO_DROPOUT
from experiments.mansilla import BASE, CLASSIFIER_FULL, SPECS, UNTRAINED
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting import build, tables
from keras_fmnist.reporting.readme import fill_marked, renew_readme
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override, settings
from tests.helpers.processes import run_without_frameworks
from tests.helpers.repository import ROOT


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
    table = tables.format_results(
        (BASE, CLASSIFIER_FULL),
        [make_record(BASE, metrics=metrics | {"mean_image_loss": 0.8}), classifier],
    )
    assert cells(table) == {
        "experiment": [
            *("what it is", "train loss", "val loss", "explained", "train acc", "val acc", "seeds")
        ],
        "---": ["---"] + 6 * ["---:"],
        "`mansilla/base`": [BASE.summary, "0.0123", "0.5000", "37.5%", "", "", "1 (torch, cpu)"],
        "`mansilla/classifier_full`": [
            *(CLASSIFIER_FULL.summary, "0.0123", "0.5000"),
            *("", "90.00%", "89.51%", "1 (torch, cpu)"),
        ],
    }


def test_below_a_number_stands_what_the_report_prints(make_record):
    rows = cells(tables.format_results((NO_DROPOUT,), []))
    assert rows["`manolucos/no_dropout`"][1:] == [
        *("printed 0.0300", "printed 0.0312", "", "", "", "not run yet")
    ]
    ours = make_record(NO_DROPOUT, metrics={"train_eval_loss": 0.029, "val_loss": 0.03})
    rows = cells(tables.format_results((NO_DROPOUT,), [ours]))
    assert rows["`manolucos/no_dropout`"][1:3] == [
        *("0.0290<br>printed 0.0300", "0.0300<br>printed 0.0312")
    ]


def test_several_seeds_are_shown_as_mean_and_interval(make_record):
    records = []
    for seed, loss in enumerate((0.01, 0.02, 0.03)):
        values = {"train_eval_loss": loss, "val_loss": loss}
        values |= {"train_eval_accuracy": 10 * loss, "val_accuracy": 10 * loss}
        records.append(make_record(CLASSIFIER_FULL, seed, metrics=values))
    row = cells(tables.format_results((CLASSIFIER_FULL,), records))["`mansilla/classifier_full`"]
    # t(0.975, 2) = 4.302653, times 0.01 / √3
    assert row[1:3] == ["0.0200 ± 0.0248"] * 2
    assert row[4:6] == ["20.00% ± 24.84%"] * 2
    assert row[6] == "3 (torch, cpu)"


def test_what_was_not_run_says_so_in_its_place(make_record):
    rows = cells(tables.format_results(SPECS, [make_record(BASE)]))
    assert list(rows)[2:] == [f"`{spec.id}`" for spec in SPECS]
    for spec in SPECS:
        if spec is not BASE:
            assert rows[f"`{spec.id}`"] == [spec.summary, "", "", "", "", "", "not run yet"]


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


def test_a_thousand_seeds_cost_what_their_records_took(make_record):
    *base, head = (
        # Beside others it took long; what it took of the processor counts.
        make_record(spec, seed, seconds={"total": 9e9, "cpu": cpu, "per_epoch": []})
        for spec, seed, cpu in ((BASE, 0, 3600.0), (BASE, 1, 7200.0), (CLASSIFIER_FULL, 0, 1800.0))
    )
    older = make_record(UNTRAINED, seconds={"total": 9e9, "per_epoch": []})
    on_gpu = make_record(BASE, 2, device="gpu", seconds={"total": 9.0, "cpu": 9.0, "per_epoch": []})
    assert tables.describe_cost([on_gpu, older]) == ""
    said = tables.describe_cost([*base, head, on_gpu, older])
    # (5 400 + 1 800) s a seed
    assert "A seed of the 2 experiments" in said
    assert "1000 seeds cost 2000 core-hours: 125 hours" in said
    assert "the 90 minutes of the slowest" in said


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="markers"):
        renew_readme("words", CATALOGUE, [], ".")


def test_the_speed_table_has_a_ratio_between_its_quartiles_and_a_gap_where_none_was_taken():
    times = {"ours": 41.157, "native": 63.4, "stock": 79.46}
    quartiles = {"native_over_ours": [1.266, 1.833, 2.795], "stock_over_ours": [1.9, 2.0, 2.1]}
    found = {"experiments": {"mansilla/base": {"ms_per_step": times, "quartiles": quartiles}}}
    head, _, row = tables.format_speed({"cpu": found}).splitlines()
    assert [cell.strip() for cell in head.split("|")[1:4]] == [
        *("experiment", "ours", "stock Keras `fit`"),
    ]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        *("`mansilla/base`, cpu", "41.2 ms", "2.00 × (1.90 to 2.10)", "1.83 × (1.27 to 2.79)"),
    ]
    graph = {"ms_per_step": {"ours": 1.0, "cudagraph": 0.9}, "quartiles": {}}
    elsewhere = {"ms_per_step": {"stock": 1.0}, "quartiles": {}}  # not on torch
    both = {"cpu": found, "gpu": {"experiments": {"a/b": graph, "a/c": elsewhere}}}
    head, _, *rows = tables.format_speed(both).splitlines()
    assert [cell.strip() for cell in head.split("|")[3:-1]] == [
        *("stock Keras `fit`", "native loop", "native CUDA graph"),
    ]
    assert len(rows) == 2


def test_the_kills_are_told_in_a_sentence_and_none_where_nothing_was_killed():
    counted = {"kills": 200, "resumed": 199, "identical": 198, "epochs_lost": 28.17}
    keras = {"kills": 150, "resumed": 60, "identical": 24}
    said = tables.describe_kills({"kill": {**counted, "backup_and_restore": keras}})
    assert said == (
        "Of 200 kills 199 were resumed and 198 ended identical, with 28 epochs run twice in all; "
        "of 150 under `BackupAndRestore` 60 were resumed and 24 ended identical."
    )
    assert tables.describe_kills({}) == ""


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


def test_the_report_of_a_users_own_runs_is_printed_and_its_figures_drawn(
    tmp_path, make_record, put_record, capsys
):
    record = make_record(BASE)
    path = put_record(tmp_path, record)
    write_report(CATALOGUE, out=str(tmp_path))
    shown = capsys.readouterr().out
    assert tables.format_results(CATALOGUE.specs, [record]) in shown
    for name in ("base_loss.png", "base_reconstructions.png"):
        assert str(path.with_name(name)) in shown
        assert path.with_name(name).exists()


LOSSES = {"train_eval_loss": 0.24, "val_loss": 0.25}


@pytest.fixture
def study(tmp_path, monkeypatch, make_record, put_record):
    """A checkout of its own: a README with markers, one record, and what it gives."""
    package = tmp_path / "keras_fmnist" / "reporting"
    monkeypatch.setattr(build, "__file__", str(package / "build.py"))
    names = ("results", "claims", "deviations", "speed", "kills", "parity", "findings")
    names += ("cost",)
    marks = "".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in names)
    (tmp_path / "README.md").write_text(marks)
    out = tmp_path / STUDY
    # Without curves one figure and no plot have to be drawn.
    put_record(out, make_record(UNTRAINED, history={}, metrics=LOSSES))
    write_report(CATALOGUE, out=str(out))
    return out


def check(out, capsys):
    """What `report --check` names, and its last word."""
    capsys.readouterr()
    try:
        write_report(CATALOGUE, out=str(out), check=True)
    except RuntimeError as error:
        return capsys.readouterr().out.splitlines(), str(error)
    return [], capsys.readouterr().out.strip()


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_the_report_wrote_passes_its_check_and_nothing_is_written_again(study, capsys):
    before = files(study.parent)
    assert check(study, capsys) == ([], "6 files are what 1 records give")
    write_report(CATALOGUE, out=str(study))
    assert str(study) not in capsys.readouterr().out
    assert files(study.parent) == before


def test_what_was_changed_or_lost_is_named_and_left_as_it_is(study, capsys):
    figure = study / UNTRAINED.id / "untrained_reconstructions"
    given = [figure.with_suffix(".svg"), figure.with_suffix(".png"), study / "index.html"]
    given.append(study.parent / "README.md")
    whole = [path.read_bytes() for path in given]
    for path, content in zip(given, whole, strict=True):
        half = len(content) // 2
        path.write_bytes(content[:half] + b"0" + content[half + 1 :])
    before = files(study.parent)
    named = [f"{path} is not what the records give" for path in given]
    said = "files differ from the records: keras-fmnist report"
    assert check(study, capsys) == (named, f"4 {said}")
    assert files(study.parent) == before
    for path in given[:3]:  # a checkout without a README is none
        path.unlink()
    given[3].write_bytes(whole[3])
    assert check(study, capsys) == (named[:3], f"3 {said}")
    write_report(CATALOGUE, out=str(study))
    assert [path.read_bytes() for path in given] == whole


def test_a_record_that_changes_changes_figure_page_and_readme(
    study, capsys, make_record, put_record
):
    put_record(study, make_record(UNTRAINED, history={}, metrics=LOSSES | {"val_loss": 0.26}))
    assert len(check(study, capsys)[0]) == 4


def test_a_figure_that_no_record_gives_is_named_and_the_report_removes_it(study, capsys):
    stray = study / "mansilla" / "sgd" / "sgd_loss.png"
    stray.parent.mkdir()
    stray.write_bytes(b"")
    for name in ("photo.png", "sgd_photo.png"):  # what no record ever gave is nobody's business
        (stray.parent / name).write_bytes(b"mine")
    assert check(study, capsys)[0] == [f"{stray} is given by no record"]
    write_report(CATALOGUE, out=str(study))
    assert f"{stray} removed: no record gives it any more" in capsys.readouterr().out
    assert sorted(p.name for p in stray.parent.iterdir()) == ["photo.png", "sgd_photo.png"]
    assert check(study, capsys)[0] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"examples": 100}, "examples 100, not 60000"),
        ({"spec": settings(override(BASE, {"epochs": 1}))}, "epochs 1, not 15"),
    ],
)
def test_a_quick_look_is_not_published_as_the_experiment(
    study, make_record, put_record, changes, words
):
    path = put_record(study, make_record(BASE, **changes))
    before = files(study.parent)
    with pytest.raises(SpecError, match=f"{path} holds a run with {words}"):
        write_report(CATALOGUE, out=str(study))
    assert files(study.parent) == before


def test_a_picture_inside_an_svg_counts_by_its_pixels_and_all_else_by_its_bytes(study, capsys):
    path = study / UNTRAINED.id / "untrained_reconstructions.svg"
    whole = path.read_text()
    (packed, *_) = re.findall(r"base64,\s*([A-Za-z0-9+/=\s]+)", whole)
    picture = Image.open(io.BytesIO(base64.b64decode(packed)))

    def with_picture(level):
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG", compress_level=level)
        return whole.replace(packed, base64.b64encode(buffer.getvalue()).decode() + "\n", 1)

    path.write_text(with_picture(1))
    assert path.read_text() != whole
    assert check(study, capsys)[0] == []
    picture.putpixel((5, 5), (9, 9, 9, 255))
    for wrong in (
        with_picture(1),
        whole.replace(packed, "x", 1),
        whole.replace("</svg>", " </svg>"),
    ):
        path.write_text(wrong)
        assert check(study, capsys)[0] == [f"{path} is not what the records give"]


def test_a_png_counts_by_its_pixels_and_not_by_how_tightly_they_are_packed(study, capsys):
    path = study / UNTRAINED.id / "untrained_reconstructions.png"
    picture = Image.open(path)
    picture.save(path, compress_level=1)
    assert check(study, capsys)[0] == []
    picture.putpixel((5, 5), (0, 0, 0, 255))
    picture.save(path)
    assert check(study, capsys)[0] == [f"{path} is not what the records give"]


def test_the_readme_shows_the_table_that_its_records_give():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    study = ROOT / STUDY
    assert renew_readme(text, CATALOGUE, read_records(study), study) == text
