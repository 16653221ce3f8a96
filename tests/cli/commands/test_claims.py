"""claims: every claim and its verdict, as a table and as JSON."""

import json

import pytest

from experiments import mansilla
from experiments.registered import REGISTERED
from keras_fmnist.claims.criteria import NOT_REPRODUCED, REPRODUCED, VERDICTS
from keras_fmnist.cli.commands.claims import format_claims
from tests.helpers.claim_cases import CASES, CLAIMS, RISES
from tests.helpers.processes import run_python
from tests.helpers.worlds import both, explaining, rising_later


@pytest.fixture
def out(tmp_path, show_run, put_record):
    """A folder of records that reproduce one claim, refute one and decide nothing else."""
    for seed in range(8):
        shown = both(rising_later) | explaining(0.3)
        put_record(tmp_path / "out", show_run(mansilla.BASE, seed, **shown))
    return str(tmp_path / "out")


def test_the_command_prints_every_claim_and_counts_the_verdicts(run_command, out):
    status, shown, err = run_command("claims", "--out", out)
    assert (status, err) == (0, "")
    for claim in CLAIMS:
        assert f"\n{claim.id}\n" in shown
    assert "3.0 verdicts would be wrong on average" in " ".join(shown.split())
    counted = shown.rpartition("\n\n")[2].replace("\n", " ").strip()
    assert counted.startswith(f"{len(CLAIMS)} claims: 4 reproduced, 0 consistent with one run, ")
    assert counted.endswith(f"2 not reproduced, {len(CLAIMS) - 6} undecided")


def test_the_json_file_holds_what_was_judged(run_command, out, tmp_path):
    assert run_command("claims", "--out", out, "--json", "claims.json")[0] == 0
    rows = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == [claim.id for claim in CLAIMS]
    for row in rows:
        assert list(row) == [
            *("id", "report", "claim", "published", "ours", "interval", "n", "verdict", "why"),
            *("seeds", "seen", "later", "threshold", "elsewhere", "registered"),
        ]
        assert row["id"].startswith(row["report"] + "/")
        assert all(isinstance(row[name], str) and row[name] for name in ("claim", "published"))
        assert row["ours"].keys() == row["interval"].keys() != set()
        for label, value in row["ours"].items():
            interval = row["interval"][label]
            assert value is None or isinstance(value, (int, float))
            assert interval is None or interval[0] <= value <= interval[1]
        assert {row["verdict"], row["later"], *row["elsewhere"].values()} <= set(VERDICTS)
        assert row["why"]
        assert row["registered"] in REGISTERED
    decided = {row["id"]: (row["verdict"], row["n"]) for row in rows if row["n"] == 8}
    assert decided["mansilla/base_rises"] == (REPRODUCED, 8)
    assert decided["mansilla/base_reconstructs"] == (NOT_REPRODUCED, 8)


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
        found = verdict(claim, *claim.seeds * [CASES[claim.id][0]])
        lines = format_claims([found], width).splitlines()
        assert max(map(len, lines)) <= min(max(width, 80), 200)
        assert not any(line.endswith(" ") for line in lines)
        assert lines[1:3] == ["", claim.id]
        row = lines[3 : lines.index("", 3)]
        meant, published, ours, verdict_and_why = columns([lines[0], *row])
        why = [text.english for text in (found.describe_why(), *found.describe_beside())]
        cells = (
            (meant, claim.claim.english),
            (published, found.describe_published().english),
            (ours, "".join(text.english for text in found.describe_ours())),
            (verdict_and_why, found.word + "".join(why)),
        )
        for column, text in cells:
            assert "".join("".join(column[1:]).split()) == "".join(text.split())


def test_a_cell_is_wrapped_in_its_own_column(verdict):
    lines = format_claims([verdict(RISES, *8 * [CASES[RISES.id][0]])], 120).splitlines()
    *_, ours, verdict_and_why = columns([lines[0], *lines[3:10]])
    assert verdict_and_why == [
        "verdict and why",
        "reproduced",
        "all of the interval of base",
        "mean loss after epoch 5 over",
        "epoch 5 is at least 1",
        "seeds 3 to 7 alone:",
        "reproduced",
        f"registered in {RISES.registered[:7]}",
    ]
    shown = " ".join(part.strip() for part in ours[1:])
    assert shown.startswith("base mean loss after epoch 5 over epoch 5: 1.")


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
    *lines, last = done.stdout.splitlines()
    assert last == "0 []"
    assert f"{len(CLAIMS)} claims: " in "\n".join(lines[-3:])
