"""A study's runs on a Ray cluster: one task a run, its record and weights brought to the driver.

A node has files of its own. So a task runs the command that `study.Local` would run, in a folder
that is gone afterwards: what the job needs is laid into it first, what came out is handed back, and
only the driver writes into the study. A task on a node that is lost runs again on another.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report each start to its makers
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # nor warn of a change to come

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

ANSWER = 5  # seconds in which a cluster must answer, and a task that was told to stop be gone
STORE = 256 * 2**20  # bytes of shared memory of a Ray that is started here; a run needs a few MB


class Cluster:
    """An engine for `study.run`; its end, `stop`, is also that of a Ray that it has started.

    Args:
        out: the folder of the records, on this machine.
        device: cpu or gpu, of every node that is to take part.
        jobs: at most so many at a time; as many as the cluster has room for where None.
        address: `auto`, `host:port`, or None to start a Ray of this machine alone.

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
        if not self._room():
            self.stop([])
            raise RuntimeError(f"no node of the Ray cluster has a {device.upper()}")

    @property
    def places(self) -> int:
        """How many runs the nodes that are there now have room for."""
        room = max(self._room(), 1)  # all may be lost for a while
        return room if self.jobs is None else min(room, self.jobs)

    def start(self, job: Job) -> ray.ObjectRef:
        """Hands a run to the cluster, with the autoencoder that it starts from."""
        paths = [] if job.needs is None else [job.needs.record, job.needs.weights]
        inputs = {self._name(path): path.read_bytes() for path in paths if path.exists()}
        outputs = [self._name(path) for path in (job.files.weights, job.files.record)]
        return self._task.remote(split_command(job.run), set_environment(job.run), inputs, outputs)

    def ended(self, task: ray.ObjectRef, job: Job) -> tuple[int, str] | None:
        """Its exit status and last line once its files are here, None while it runs."""
        if not ray.wait([task], timeout=0)[0]:
            return None
        try:
            status, said, files = ray.get(task)
        except ray.exceptions.RayError as error:  # the node was lost too often, or has no room
            status, said, files = 1, str(error), {}
        for name, content in files.items():  # the record last: what it stands for is there
            write_whole(self.out / name, content)
        if status:
            write_whole(job.files.log, said.encode())
        return status, find_last_line(said)

    def stop(self, tasks: Sequence[ray.ObjectRef]) -> None:
        """Ends the runs that are left, and leaves the cluster."""
        for task in tasks:
            ray.cancel(task)
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=ANSWER)
        ray.shutdown()

    def _room(self):
        return int(ray.cluster_resources().get(self.device.upper(), 0))

    def _name(self, path):
        return path.relative_to(self.out).as_posix()


def _connect(address):
    settings = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        cpus = provenance.usable_cores()
        settings |= {"num_cpus": cpus, "object_store_memory": STORE, "include_dashboard": False}
    elif address != "auto":
        _knock(address)
    try:
        ray.init(address or "local", **settings)
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        where = f"at {address}" if address else "that was started here"
        raise RuntimeError(
            f"no Ray cluster answers {where} ({find_last_line(str(error))}): "
            "`ray start` it on this machine too"
        ) from None


def _knock(address):
    """Asks for an answer, for which `ray.init` would wait without end."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER).close()
    except OSError as error:
        raise RuntimeError(
            f"nothing answers at {address} ({error}): start a cluster with `ray start --head`"
        ) from None
    line = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        subprocess.run(line, capture_output=True, timeout=4 * ANSWER, check=True)
    except subprocess.SubprocessError:
        raise RuntimeError(
            f"what answers at {address} is no Ray cluster that lets this machine in: "
            f"`ray status --address {address}` should"
        ) from None


def _run(words, variables, inputs, outputs):
    """On a node: runs a command in a folder of its own.

    Args:
        words: what stands between python and `--out`.
        variables: added to the node's environment.
        inputs: `{name: content}` of the files to lay into the folder of records first.
        outputs: names of the files to bring back, in this order.

    Returns:
        The exit status, what the command said, and `{name: content}`; no files where it failed.
    """
    with tempfile.TemporaryDirectory(prefix="keras-fmnist-") as folder:
        log, out = Path(folder, "log"), Path(folder, "out")
        for name, content in inputs.items():
            write_whole(out / name, content)
        with log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, *words, "--out", str(out)],
                stdout=said,
                stderr=said,
                env=os.environ | variables,
            )
        try:
            while process.poll() is None:
                time.sleep(POLL)  # here a cancelled task wakes up, in `wait` it would not
        finally:
            process.kill()
            process.wait()
        done = process.returncode == 0
        files = {name: (out / name).read_bytes() for name in outputs if done}
        return process.returncode, log.read_text(errors="replace"), files
