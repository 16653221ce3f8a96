"""report: figures, page and documents are what the records give, or are named."""

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, UNTRAINED
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.reporting import tables
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import override, settings
from tests.helpers.report import LOSSES, check


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


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_the_report_wrote_passes_its_check_and_nothing_is_written_again(study, capsys):
    before = files(study.parent)
    assert check(study, capsys) == ([], "12 files are what 1 records give")
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
    given[3].write_bytes(whole[3].replace(b" -->\n", b" -->\n0", 1))  # below a marker
    before = files(study.parent)
    named = [f"{path} is not what the records give" for path in given]
    complaint = "files differ from the records: keras-fmnist report"
    assert check(study, capsys) == (named, f"4 {complaint}")
    assert files(study.parent) == before
    for path in given[:3]:  # a checkout without a README is none
        path.unlink()
    given[3].write_bytes(whole[3])
    assert check(study, capsys) == (named[:3], f"3 {complaint}")
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
    assert check(study, capsys)[0] == [f"{stray} belongs to no record"]
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
