"""Runs the jobs of a study as processes on this machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_fmnist.study.jobs import Job, find_last_line, set_environment, split_command


class Local:
    """An engine that runs jobs as processes on this machine.

    Args:
        out: the folder of the records.
        places: how many processes run at the same time.
    """

    def __init__(self, out: Path | str, places: int) -> None:
        self.out, self.places = out, places

    def start(self, job: Job) -> subprocess.Popen:
        """Starts a run as a process that prints to the file `job.files.log`."""
        job.files.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, *split_command(job.run), "--out", str(self.out)]
        with job.files.log.open("wb") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | set_environment(job.run)
            )

    def ended(self, process: subprocess.Popen, job: Job) -> tuple[int, str] | None:
        """Returns the exit status (negative: a signal) and last line of a run; None if it runs."""
        if process.poll() is None:
            return None
        try:
            output = job.files.log.read_text(errors="replace")
        except FileNotFoundError:  # removed by another study with the same run
            output = ""
        return process.returncode, find_last_line(output)

    def stop(self, processes: Sequence[subprocess.Popen]) -> None:
        """Ends processes and waits until they are gone."""
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
