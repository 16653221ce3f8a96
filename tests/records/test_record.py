"""Records: written whole, read strictly, averaged only with their like."""

import dataclasses

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.record import find_record, read_record, read_records
from keras_fmnist.records.run import Run
from tests.helpers.records import change


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=["autoencoder", "classifier"])
def test_a_record_is_read_as_it_was_written(make_record, put_record, tmp_path, spec):
    record = make_record(spec, seed=3, commit=None, resumed_at=[2])
    assert read_record(put_record(tmp_path, record)) == record
    assert record.id == spec.id
    assert record.is_classifier == (spec is CLASSIFIER_FULL)


def test_an_older_record_without_the_newer_fields_still_reads(record, put_record, tmp_path):
    path = put_record(tmp_path, record)

    def age(values):
        for name in ("resumed_at", "images", "confusion_matrix"):
            del values[name]

    change(path, age)
    old = read_record(path)
    assert (old.resumed_at, old.images, old.confusion_matrix) == ([], None, None)
    assert old == dataclasses.replace(record, images=None)


def test_a_record_in_the_place_of_another_run_is_refused(make_record, put_record, tmp_path, tally):
    for changes in ({"seed": 1}, {"backend": "jax"}, {"device": "gpu"}, {"report": "transfer"}):
        path = put_record(tmp_path, make_record(BASE))
        put_record(tmp_path / "elsewhere", make_record(BASE, **changes)).replace(path)
        run = Run(BASE, 0, "torch", "cpu")
        for meet in (lambda: read_records(tmp_path), lambda run=run: find_record(run, tmp_path)):
            with pytest.raises(RecordError, match="holds the record that belongs at"):
                meet()
        tally("damaged records refused")


@pytest.mark.parametrize("linked", ["record", "experiment", "report"])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    record, put_record, tmp_path, tally, linked
):
    path = put_record(tmp_path / "elsewhere", record)
    source = {"record": path, "experiment": path.parent, "report": path.parent.parent}[linked]
    link = tmp_path / "out" / source.relative_to(tmp_path / "elsewhere")
    link.parent.mkdir(parents=True)
    link.symlink_to(source)
    before = sorted(tmp_path.rglob("*"))
    for meet in (read_records, lambda out: write_report(CATALOGUE, out=str(out))):
        with pytest.raises(RecordError, match=r"seed0-torch-cpu\.json leads out of "):
            meet(tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before
    tally("damaged records refused")


def test_a_folder_that_is_itself_behind_a_link_is_read(record, put_record, tmp_path):
    put_record(tmp_path / "elsewhere", record)
    (tmp_path / "out").symlink_to("elsewhere")
    assert read_records(tmp_path / "out") == [record]


def test_a_record_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RecordError, match=r"none\.json cannot be read \(No such file"):
        read_record(tmp_path / "none.json")


def test_all_records_come_ordered_and_nothing_else_is_read(make_record, put_record, tmp_path):
    wanted = [
        make_record(BASE, 0, device="gpu", backend="jax"),
        make_record(BASE, 2),
        make_record(BASE, 10),
        make_record(BASE, 1, device="gpu"),
        make_record(CLASSIFIER_FULL, 0),
    ]
    for record in reversed(wanted):
        put_record(tmp_path, record)
    (tmp_path / "index.json").write_text("not a record")
    (tmp_path / "mansilla" / "base" / "notes.json").write_text("not a record")
    assert read_records(tmp_path) == wanted
    assert read_records(tmp_path / "nowhere") == []


def test_a_record_from_before_a_setting_existed_has_its_default(tmp_path, make_record, put_record):
    record = make_record(CLASSIFIER_FULL)
    old = {name: value for name, value in record.spec.items() if name != "hidden"}
    old["autoencoder"] = {k: v for k, v in old["autoencoder"].items() if k != "pixels"}
    path = put_record(tmp_path, dataclasses.replace(record, spec=old))
    assert read_record(path).spec == record.spec
    assert find_record(Run(CLASSIFIER_FULL, 0, "torch", "cpu"), tmp_path) == record
