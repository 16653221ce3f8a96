"""A command in the place of a run: it leaves a record that was prepared, and notes what it saw.

python stand_in.py ORDERS --out FOLDER
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path


class StandIn:
    """What the stand-in shall do for each job, and what it has noted: the tests' side of it."""

    def __init__(self, folder, make_record, put_record):
        self.folder, self.make_record, self.put_record = folder, make_record, put_record
        self.orders, self.seconds = {}, 0.1
        (folder / "records").mkdir(parents=True)
        self.notes = folder / "notes"
        self.notes.touch()

    def split_command(self, run):
        """In the place of `jobs.split_command`."""
        record = self.make_record(run.spec, run.seed, backend=run.backend, device=run.device)
        orders = {
            "name": run.title,
            "record": str(self.put_record(self.folder / "records", record)),
            "path": str(run.files("").record),
            "needs": run.needs and str(run.needs.files("").record),
            "notes": str(self.notes),
            "seconds": self.seconds,
            **self.orders.get(run.title, {}),
        }
        return [__file__, json.dumps(orders)]

    def noted(self, event, name=None):
        """Notes of one kind, in order."""
        # A line that is being written does not count yet.
        lines = [line for line in self.notes.read_text().splitlines(True) if line.endswith("\n")]
        notes = [json.loads(line) for line in lines]
        return [n for n in notes if n["event"] == event and name in (None, n["name"])]

    def order(self, event):
        """Names of the jobs in the order of their notes."""
        return [note["name"] for note in self.noted(event)]

    def most_at_once(self):
        """How many ran at the same time, at most, of those that came to their end."""
        ended = {n["pid"]: n["at"] for n in self.noted("end")}
        changes = [(n["at"], 1) for n in self.noted("start") if n["pid"] in ended]
        changes += [(at, -1) for at in ended.values()]
        running = [sum(step for _, step in sorted(changes)[:k]) for k in range(len(changes) + 1)]
        return max(running)

    def alive(self):
        """Process numbers of stand-ins that run."""
        return [n["pid"] for n in self.noted("start") if _runs(n["pid"])]


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def main(orders, out):
    def note(event):
        line = {"event": event, "name": orders["name"], "pid": os.getpid(), "at": time.monotonic()}
        line["variables"] = {
            name: os.environ.get(name)
            for name in ("OMP_NUM_THREADS", "KERAS_BACKEND", "RAY_RAYLET_PID")
        }
        with open(orders["notes"], "a") as notes:
            fcntl.flock(notes, fcntl.LOCK_EX)
            notes.write(json.dumps(line) + "\n")

    note("start")
    if orders["needs"]:
        needed = out / orders["needs"]
        json.loads(needed.read_bytes())
        weights = needed.with_suffix(".safetensors").read_text()
        assert weights == f"weights of {orders['needs']}", weights
    if kills := orders.get("kills"):
        notes = [json.loads(line) for line in Path(orders["notes"]).read_text().splitlines()]
        if sum(n["name"] == orders["name"] for n in notes) <= kills:
            sys.exit(130) if "politely" in orders else os.kill(os.getpid(), signal.SIGKILL)
    while "waits_for" in orders and not Path(orders["waits_for"]).exists():
        time.sleep(0.05)
    time.sleep(orders["seconds"])
    if "fails" in orders:
        print(orders["fails"], file=sys.stderr)
        sys.exit(1)
    path = out / orders["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".safetensors").write_text(f"weights of {orders['path']}")
    note("end")  # before the record, which lets the next job begin
    path.write_bytes(Path(orders["record"]).read_bytes())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[sys.argv.index("--out") + 1]))
