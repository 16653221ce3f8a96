"""claims: every claim and its verdict, as a table and as JSON."""

import json

import pytest

from experiments import mansilla
from keras_fmnist.claims.criteria import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from keras_fmnist.cli.commands.claims import format_claims
from tests.helpers.claim_cases import CASES, CLAIMS, RISES
from tests.helpers.processes import run_python
from tests.helpers.worlds import UP, explaining


@pytest.fixture
def out(tmp_path, show_run, put_record):
    """A folder of records that reproduce one claim, refute one and decide nothing else."""
    for seed in range(5):
        put_record(tmp_path / "out", show_run(mansilla.BASE, seed, **UP, **explaining(-0.5)))
    return str(tmp_path / "out")


def test_the_command_prints_every_claim_and_counts_the_verdicts(run_command, out):
    status, shown, err = run_command("claims", "--out", out)
    assert (status, err) == (0, "")
    for claim in CLAIMS:
        assert f"\n{claim.id}\n" in shown
    last = f"{len(CLAIMS)} claims: 1 reproduced, 1 not reproduced, {len(CLAIMS) - 2} undecided"
    assert shown.splitlines()[-1] == last


def test_the_json_file_holds_what_was_judged(run_command, out, tmp_path):
    assert run_command("claims", "--out", out, "--json", "claims.json")[0] == 0
    rows = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == [claim.id for claim in CLAIMS]
    for row in rows:
        assert list(row) == [
            *("id", "report", "claim", "published", "ours", "interval", "n", "verdict", "why")
        ]
        assert row["id"].startswith(row["report"] + "/")
        assert all(isinstance(row[name], str) and row[name] for name in ("claim", "published"))
        assert row["ours"].keys() == row["interval"].keys() != set()
        for label, value in row["ours"].items():
            interval = row["interval"][label]
            assert value is None or isinstance(value, (int, float))
            assert interval is None or interval[0] <= value <= interval[1]
        assert row["verdict"] in (REPRODUCED, NOT_REPRODUCED, UNDECIDED)
        assert row["why"]
    decided = {row["id"]: (row["verdict"], row["n"]) for row in rows if row["n"] == 5}
    assert decided["mansilla/base_rises"] == (REPRODUCED, 5)
    assert decided["mansilla/base_reconstructs"] == (NOT_REPRODUCED, 5)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--jsn", "a.json"], "--jsn is no flag; did you mean json?"),
        (["--json", "a.txt"], "json must end in .json, not 'a.txt'"),
        (["--json"], "json must end in .json, not True"),
        (["--out", "3"], "out must name a folder"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_request_writes_nothing(run_command, tmp_path, words, complaint):
    status, shown, err = run_command("claims", *words)
    assert (status, shown, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert list(tmp_path.iterdir()) == []


def columns(lines):
    """What stands in each column, given its title, line by line."""
    starts = [lines[0].index(title) for title in ("claim", "published", "ours", "verdict and why")]
    ends = [*starts[1:], None]
    return [[line[a:b] for line in lines] for a, b in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("width", [40, 80, 100, 200, 500])
def test_the_table_fits_the_terminal_and_drops_nothing(verdict, width):
    for claim in CLAIMS:
        row = verdict(claim, *5 * [CASES[claim.id][0]])
        lines = format_claims([row], width).splitlines()
        assert max(map(len, lines)) <= min(max(width, 80), 200)
        assert not any(line.endswith(" ") for line in lines)
        assert lines[1:3] == ["", row["id"]]
        assert lines[-2] == ""
        meant, published, ours, verdict_and_why = columns([lines[0], *lines[3:-2]])
        cells = (
            (meant, row["claim"]),
            (published, row["published"]),
            (verdict_and_why, row["verdict"] + row["why"]),
        )
        for column, text in cells:
            assert "".join("".join(column[1:]).split()) == "".join(text.split())
        for label in row["ours"]:
            assert "".join(label.split()) in "".join("".join(ours).split())


def test_a_cell_is_wrapped_in_its_own_column(verdict):
    lines = format_claims([verdict(RISES, *5 * [CASES[RISES.id][0]])], 120).splitlines()
    *_, ours, verdict_and_why = columns([lines[0], *lines[3:7]])
    assert verdict_and_why == [
        "verdict and why",
        "reproduced",
        "both losses higher at epoch",
        "15 than at 5: 5 of 5 seeds",
        "",
    ]
    # One-sided Clopper-Pearson of 5 of 5: 0.05 ** (1 / 5)
    shown = "base both losses higher at epoch 15 than at 5 (share of seeds): 1 [0.549, 1] n = 5"
    assert " ".join(part.strip() for part in ours[1:]) == shown


def test_the_published_records_are_judged_without_a_framework_or_a_plot():
    script = """
import sys
from experiments import __main__
sys.argv = ["keras-fmnist", "claims"]
status = __main__.main()
heavy = {"keras", "torch", "jax", "tensorflow", "tensorflow_datasets", "matplotlib"}
print(status, sorted(heavy & set(sys.modules)))
"""
    done = run_python("-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    *_, counted, last = done.stdout.splitlines()
    assert last == "0 []"
    assert counted.startswith(f"{len(CLAIMS)} claims: ")
