"""Runs the jobs of a study on a Ray cluster, one task for each run.

A node does not share files with this machine. So a task runs the same command as `Local`, in a
temporary folder: the files that the run needs are copied there first, and its record and weights
are sent back. Only this machine writes into the folder of the study. If a node is lost, its tasks
run again on another.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

# Ray would send usage statistics, and warn of a coming change.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray

from keras_fmnist.files import write_whole
from keras_fmnist.records import provenance
from keras_fmnist.study.jobs import (
    ATTEMPTS,
    POLL,
    Job,
    find_last_line,
    set_environment,
    split_command,
)

ANSWER = 5  # seconds that a cluster has to answer, and a cancelled task to end
STORE = 256 * 2**20  # bytes of shared memory if Ray is started here; a run needs a few MB


class Cluster:
    """An engine that runs jobs as Ray tasks; `stop` also ends a Ray that was started here.

    Args:
        out: the folder of the records, on this machine.
        device: cpu or gpu: what each run gets.
        jobs: runs at the same time, at most; None: as many as the cluster can take.
        address: `auto`, `host:port`, or None to start Ray on this machine alone.

    Raises:
        RuntimeError: nothing answers at the address, or no node has such a device.
    """

    def __init__(
        self, out: Path | str, device: str, jobs: int | None = None, address: str | None = None
    ) -> None:
        self.out, self.device, self.jobs = Path(out), device, jobs
        self._task = ray.remote(
            num_cpus=1,
            num_gpus=1 if device == "gpu" else 0,
            max_retries=ATTEMPTS,
            scheduling_strategy="SPREAD",  # runs on two machines do not share a memory bus
        )(_run)
        _connect(address)
        if not self._count_devices():
            self.stop([])
            raise RuntimeError(f"no node of the Ray cluster has a {device.upper()}")

    @property
    def places(self) -> int:
        """How many runs the nodes that are connected now can take."""
        devices = max(self._count_devices(), 1)  # all nodes may be lost for a while
        return devices if self.jobs is None else min(devices, self.jobs)

    def start(self, job: Job) -> ray.ObjectRef:
        """Starts a run as a task, and sends it the autoencoder that it starts from."""
        paths = [] if job.needs is None else [job.needs.record, job.needs.weights]
        inputs = {self._name(path): path.read_bytes() for path in paths if path.exists()}
        outputs = [self._name(path) for path in (job.files.weights, job.files.record)]
        return self._task.remote(split_command(job.run), set_environment(job.run), inputs, outputs)

    def ended(self, task: ray.ObjectRef, job: Job) -> tuple[int, str] | None:
        """Writes the files of a task that has ended, and returns its exit status and last line.

        Returns None if it still runs.
        """
        if not ray.wait([task], timeout=0)[0]:
            return None
        try:
            status, output, files = ray.get(task)
        except ray.exceptions.RayError as error:  # nodes were lost too often, or lack memory
            status, output, files = 1, str(error), {}
        for name, content in files.items():  # the record comes last, after its weights
            write_whole(self.out / name, content)
        if status:
            write_whole(job.files.log, output.encode())
        return status, find_last_line(output)

    def stop(self, tasks: Sequence[ray.ObjectRef]) -> None:
        """Ends runs that are still running, and disconnects from the cluster."""
        for task in tasks:
            ray.cancel(task)
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=ANSWER)
        ray.shutdown()

    def _count_devices(self):
        return int(ray.cluster_resources().get(self.device.upper(), 0))

    def _name(self, path):
        return path.relative_to(self.out).as_posix()


def _connect(address):
    settings = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        cpus = provenance.usable_cores()
        settings |= {"num_cpus": cpus, "object_store_memory": STORE, "include_dashboard": False}
    elif address != "auto":
        _require_answer(address)
    try:
        ray.init(address or "local", **settings)
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        where = f"at {address}" if address else "that was started here"
        raise RuntimeError(
            f"no Ray cluster answers {where} ({find_last_line(str(error))}): "
            "`ray start` it on this machine too"
        ) from None


def _require_answer(address):
    """Raises RuntimeError if no cluster answers; `ray.init` would wait forever."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER).close()
    except OSError as error:
        raise RuntimeError(
            f"nothing answers at {address} ({error}): start a cluster with `ray start --head`"
        ) from None
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        subprocess.run(command, capture_output=True, timeout=4 * ANSWER, check=True)
    except subprocess.SubprocessError:
        raise RuntimeError(
            f"this machine cannot join a Ray cluster at {address}: "
            f"`ray status --address {address}` must work here first"
        ) from None


def _run(arguments, variables, inputs, outputs):
    """Runs a command in a temporary folder; this is the task that a node executes.

    Args:
        arguments: of python, without `--out`.
        variables: added to the environment of the node.
        inputs: `{name: content}` of files to write into the folder of records first.
        outputs: names of the files to return, in this order.

    Returns:
        The exit status, what the command printed, and `{name: content}` of its outputs, empty if
        the command failed.
    """
    with tempfile.TemporaryDirectory(prefix="keras-fmnist-") as folder:
        log, out = Path(folder, "log"), Path(folder, "out")
        for name, content in inputs.items():
            write_whole(out / name, content)
        with log.open("wb") as printed:
            process = subprocess.Popen(
                [sys.executable, *arguments, "--out", str(out)],
                stdout=printed,
                stderr=printed,
                env=os.environ | variables,
            )
        try:
            while process.poll() is None:
                time.sleep(POLL)  # cancelling a task interrupts this sleep, but not `wait`
        finally:
            process.kill()
            process.wait()
        done = process.returncode == 0
        files = {name: (out / name).read_bytes() for name in outputs if done}
        return process.returncode, log.read_text(errors="replace"), files
