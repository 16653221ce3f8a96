"""assumptions: the readings of what is open, the nearest first."""

import re

from keras_fmnist.cli.commands.assumptions import format_ranking
from tests.helpers.readings import FIRST, ROW, SECOND, THIRD, losses


def test_the_table_says_what_is_printed_how_many_ran_and_has_the_nearest_first(make_record):
    records = [
        make_record(FIRST, metrics=losses(0.1, 0.2, 0.16)),
        make_record(SECOND, metrics=losses(0.0858, 0.09, 0.0726)),
    ]
    table = format_ranking({ROW: (FIRST, SECOND, THIRD)}, records)
    assert "manolucos/baseline, printed 0.0858 / 0.0726; 2 of 3 other readings run:" in table
    (line,) = (line for line in table.splitlines() if SECOND.summary in line)
    shown = [SECOND.summary, "3", "0.0858", "0.0900", "0.0726", "1.00"]
    assert re.split("  +", line) == shown
    assert table.index(SECOND.summary) < table.index(FIRST.summary)
    assert THIRD.summary not in table
    assert format_ranking({ROW: (FIRST,)}, []) == ""


def test_the_experiment_itself_stands_among_its_readings_and_is_not_counted(make_record):
    records = [
        make_record(FIRST, metrics=losses(0.1, 0.2, 0.16)),
        make_record(ROW, metrics=losses(0.0858, 0.09, 0.0726)),
    ]
    table = format_ranking({ROW: (FIRST, SECOND)}, records)
    assert "1 of 2 other readings run:" in table
    shown = ["manolucos/baseline", "30", "0.0858", "0.0900", "0.0726", "1.00"]
    assert shown in [re.split("  +", line) for line in table.splitlines()]
