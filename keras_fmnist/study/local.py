"""A study's runs as processes of this machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_fmnist.study.jobs import Job, find_last_line, set_environment, split_command


class Local:
    """Processes on this machine, `places` at a time."""

    def __init__(self, out: Path | str, places: int) -> None:
        self.out, self.places = out, places

    def start(self, job: Job) -> subprocess.Popen:
        """Starts a run as a process, with what it says in a file beside its record."""
        job.files.log.parent.mkdir(parents=True, exist_ok=True)
        line = [sys.executable, *split_command(job.run), "--out", str(self.out)]
        with job.files.log.open("wb") as log:
            return subprocess.Popen(
                line, stdout=log, stderr=log, env=os.environ | set_environment(job.run)
            )

    def ended(self, process: subprocess.Popen, job: Job) -> tuple[int, str] | None:
        """Its exit status, negative for a signal, and its last line; None while it runs."""
        if process.poll() is None:
            return None
        try:
            said = job.files.log.read_text(errors="replace")
        except FileNotFoundError:  # another study, which had the same run, has removed it
            said = ""
        return process.returncode, find_last_line(said)

    def stop(self, processes: Sequence[subprocess.Popen]) -> None:
        """Ends what still runs; what a run had not finished is not there."""
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
