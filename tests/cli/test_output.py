"""What commands print: metrics in a line, tables, and how to go on."""

import errno

import pytest

from keras_fmnist.cli.output import format_metrics, format_table, say_how_to_go_on, wrap_cell


def test_metrics_stand_in_one_line_by_name():
    assert format_metrics({"val_loss": 0.03697, "loss": 0.04123456}) == (
        "loss 0.04123, val_loss 0.03697"
    )


def test_columns_stand_below_their_headings_and_numbers_to_the_right():
    rows = [("base", "0.5", "first"), ("classifier", "12.25", "")]
    assert format_table(rows, ("net", "loss", "note"), numbers=(1,)).splitlines() == [
        "net           loss  note",
        "base           0.5  first",
        "classifier   12.25",
    ]


def test_what_looks_like_a_number_is_left_as_it_is_written():
    assert format_table([("0.10", "1e3"), ("nan", "007")]) == "0.10  1e3\nnan   007"


def test_a_long_cell_goes_on_in_its_own_column():
    rows = [("a", wrap_cell("one two three\nfour", 7)), ("b", wrap_cell("007", 7))]
    assert format_table(rows).splitlines() == ["a  one two", "   three", "   four", "b  007"]


def test_a_table_without_rows_has_its_headings():
    assert format_table([], ("net", "loss")).split() == ["net", "loss"]


def disk_full():
    return OSError(errno.ENOSPC, "No space left on device", "runs/a.json")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, "interrupted: --resume goes on"),
        (
            disk_full(),
            RuntimeError,
            "runs/a.json cannot be written (No space left on device); once it can, "
            "--resume goes on",
        ),
        (
            BrokenPipeError(errno.EPIPE, "Broken pipe"),
            RuntimeError,
            "the output was closed: --resume goes on",
        ),
    ],
    ids=["ctrl-c", "disk", "pipe"],
)
def test_who_is_interrupted_is_told_how_to_go_on(error, kind, words):
    with pytest.raises(kind) as raised, say_how_to_go_on("--resume goes on"):
        raise error
    assert str(raised.value) == words


@pytest.mark.parametrize("error", [OSError("no file at all"), ValueError("wrong")], ids=str)
def test_other_errors_pass_unchanged(error):
    with pytest.raises(type(error)) as raised, say_how_to_go_on("--resume goes on"):
        raise error
    assert raised.value is error
