"""What is printed costs no result, whatever the streams are like."""

import io
import os
import shlex
import subprocess
import sys

from keras_fmnist.cli import app
from tests.helpers.processes import run_python
from tests.helpers.repository import ROOT


def test_what_a_terminal_cannot_show_is_replaced(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    shown = app.command(lambda: print("28×28 pixels"), doc="Prints.")
    assert app.main({"show": shown}, "name", ["show"]) == 0
    assert screen.buffer.getvalue() == b"28?28 pixels\n"


def test_an_output_that_is_closed_is_no_failure_and_gets_no_file_of_ours(tmp_path):
    """Else the first file that is opened would have the number 1, which is that of stdout."""
    script = (
        "import os, sys; from keras_fmnist.cli import app; "
        "run = lambda: (print('lost'), open('mine', 'w').write(str(os.fstat(1).st_size))); "
        "sys.exit(app.main({'run': app.command(run, doc='Runs.')}, 'name', ['run']))"
    )
    line = f'{shlex.quote(sys.executable)} -c "$0" >&-'
    done = subprocess.run(
        ["sh", "-c", line, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "mine").read_text() == "0"


def test_a_list_can_be_had_from_any_folder(tmp_path):
    done = run_python("-m", "experiments", "list", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == f"there is no results here: taken from {ROOT / 'results'}\n"
    assert "1 run " in done.stdout
