"""list: every experiment, and how many seeds of it have been run."""

from experiments import mansilla
from experiments.__main__ import CATALOGUE


def test_the_list_counts_the_runs_there_are(run_command, tmp_path, make_record, put_record):
    for seed in range(3):
        put_record(tmp_path / "results", make_record(mansilla.SGD, seed))
    status, out, err = run_command("list")
    assert (status, err) == (0, "")
    lines = {line.split()[0]: line.split(maxsplit=3)[1:] for line in out.splitlines()}
    assert lines == {
        spec.id: ["3" if spec is mansilla.SGD else "0", "runs", spec.summary]
        for spec in CATALOGUE.specs
    }
