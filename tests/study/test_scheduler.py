"""Jobs side by side: what fails or is killed stops nothing else."""

import pytest

from keras_fmnist.records.record import read_record
from keras_fmnist.study.jobs import ATTEMPTS
from tests.helpers.runs import make_run
from tests.helpers.study import BASE, FROZEN, FULL, RANDOM, names


def test_every_run_leaves_its_record_and_a_line_and_no_log(go, stand_in, capsys):
    jobs = go((BASE, FULL, RANDOM), range(2))
    assert len(jobs) == 6
    assert [job.files.record.exists() for job in jobs] == [True] * 6
    assert not list(jobs[0].files.record.parents[2].rglob("*.log"))
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == sorted(names(jobs))
    record = read_record(jobs[0].files.record)
    start = f"mansilla/base seed 0: val_loss {record.metrics['val_loss']:.4f} in 30 s; "
    assert sum(line.startswith(start) for line in lines) == 1
    assert [line.split("; ")[1].split(",")[0] for line in lines] == [f"{k}/6" for k in range(1, 7)]
    assert lines[-1].endswith("about 0 min left")


@pytest.mark.parametrize("places", [1, 3])
def test_as_many_run_at_once_as_there_are_places(go, stand_in, places):
    stand_in.seconds = 0.4
    go((BASE, RANDOM), range(3), places)
    assert stand_in.most_at_once() == places


def test_a_classifier_starts_when_its_autoencoder_is_there(go, stand_in, tmp_path):
    other = make_run(RANDOM, device="cpu").files(tmp_path / "out").record
    stand_in.orders["mansilla/base seed 0"] = {"waits_for": str(other)}
    go((FULL, FROZEN, RANDOM), places=4)  # the stand-in fails where it finds no autoencoder
    assert stand_in.order("end")[0] == "transfer/random_full seed 0"
    starts = stand_in.order("start")
    assert len(starts) == 4
    assert set(starts[:2]) == {"mansilla/base seed 0", "transfer/random_full seed 0"}


def test_a_killed_run_is_started_again(go, stand_in, capsys):
    stand_in.orders["mansilla/base seed 0"] = {"kills": 2}
    jobs = go((FULL,))
    assert stand_in.order("start").count("mansilla/base seed 0") == 3
    assert all(job.files.record.exists() for job in jobs)
    out = capsys.readouterr().out
    assert out.count("mansilla/base seed 0: killed by signal 9, again") == 2
    assert not list(jobs[0].files.record.parent.glob("*.log"))


def test_a_run_that_another_process_interrupted_is_started_again(go, stand_in, capsys):
    stand_in.orders["mansilla/base seed 0"] = {"kills": 1, "politely": True}
    go((BASE,))
    assert "mansilla/base seed 0: interrupted, again" in capsys.readouterr().out


def test_a_run_that_is_always_killed_is_given_up(go, stand_in):
    stand_in.orders["mansilla/base seed 0"] = {"kills": 99}
    with pytest.raises(RuntimeError, match="1 of 1 runs failed, mansilla/base seed 0 first"):
        go((BASE,))
    assert len(stand_in.noted("start")) == ATTEMPTS


def test_a_failing_run_is_reported_its_classifiers_left_out_and_the_others_run(
    go, stand_in, tmp_path, capsys
):
    stand_in.orders["mansilla/base seed 0"] = {"fails": "first this\nthen out of luck"}
    with pytest.raises(RuntimeError, match="3 of 8 runs failed, mansilla/base seed 0 first"):
        go((FULL, FROZEN, RANDOM), range(2), places=1)
    out = capsys.readouterr().out
    assert "mansilla/base seed 0: failed (then out of luck)" in out
    for name in ("full", "frozen"):
        assert f"mansilla/classifier_{name} seed 0: not run, its autoencoder failed" in out
    assert len(stand_in.noted("end")) == 5
    (log,) = (tmp_path / "out").rglob("*.log")
    assert log.read_text() == "first this\nthen out of luck\n"
    assert log.parent.name == "base"


def test_a_study_goes_on_where_it_stopped(go, stand_in):
    stand_in.orders["mansilla/classifier_full seed 1"] = {"fails": "not today"}
    with pytest.raises(RuntimeError, match="1 of 4"):
        go((FULL,), range(2))
    stand_in.orders.clear()
    jobs = go((FULL,), range(2))
    assert names(jobs) == ["mansilla/classifier_full seed 1"]
    assert jobs[0].files.record.exists()
    assert not jobs[0].files.log.exists()
    assert go((FULL,), range(2)) == []
