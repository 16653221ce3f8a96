#!/usr/bin/env python3
"""Kills runs with SIGKILL, resumes them, and compares the bytes with those of a run left alone.

    python benchmarks/kill.py --kills 200 --json results/reliability/kill.json

A run is mansilla's base on 120 images, three epochs of six steps, saved after every second step.
First it is killed at every step of every write: temporary file made, half of its content written,
all of it written, file synced, renamed, folder synced, file removed. The other kills come at random
instants, often again in the resumed run. One run in four replays traced steps, the default on
torch; the others take Keras's own steps. After every kill, a record that exists must be complete
and have its own weights beside it.

Keras's BackupAndRestore is killed as often, in a plain `fit` of the same model, on the same images
in the same order. The order follows from (seed, epoch), which a plain `fit` does not offer either.
Its writes have more steps than ours, because each tensor in a file is one. So kills are counted
separately as `at_boundary` and `at_instant`.

Results are noted beside the JSON file, so an interrupted benchmark continues where it stopped.
Exit status: 0 if every run of ours was resumed and identical, else 1.
"""

import argparse
import itertools
import json
import math
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path

if __name__ == "__main__":
    # Only a process with one thread can be forked safely.
    os.environ |= {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import h5py
import keras
import sklearn.decomposition
from tqdm import tqdm

from experiments.mansilla import BASE
from keras_fmnist import data, fast_fit
from keras_fmnist.data.batches import EVALUATION_BATCH, Batches
from keras_fmnist.files import write_json
from keras_fmnist.models import networks, weights
from keras_fmnist.records import provenance
from keras_fmnist.records.record import read_record
from keras_fmnist.records.run import Run
from keras_fmnist.specs import override
from keras_fmnist.training import callbacks, checkpoint_file
from keras_fmnist.training.compile import compile_model
from keras_fmnist.training.train import Options, train_run

SPEC = override(BASE, {"epochs": 3, "batch_size": 20})
EXAMPLES, TESTS, EVERY = 120, 40, 2
TRACED = (True, False, False, False)  # in turn; few are traced, which takes longer than the run
IMPORTED_FOR_ALL_CHILDREN = (fast_fit, sklearn.decomposition)  # else children would
COUNTED = ("kills", "resumed", "identical", "identical_weights", "epochs_lost")
MAY_DIFFER = ("started", "seconds", "resumed_at")
PATIENCE = 120  # seconds that a run may take at most


class Counter:
    """A number that a process and its children share."""

    def __init__(self):
        self._memory = mmap.mmap(-1, 8)

    @property
    def value(self):
        """The number."""
        return struct.unpack("q", self._memory[:])[0]

    @value.setter
    def value(self, value):
        self._memory[:] = struct.pack("q", value)


class Boundaries:
    """Counts the moments at which a process writes files, and kills it at one of them.

    Args:
        number: of that moment, from 0 on; None: do not kill it.
    """

    def __init__(self, number=None):
        self.number, self.reached = number, Counter()

    def reach(self):
        """Counts one moment, and kills this process if it is the one."""
        if self.number == self.reached.value:
            os.kill(os.getpid(), signal.SIGKILL)
        self.reached.value += 1

    def around(self, owner, name):
        """Makes moments of before and after each call of a function."""
        function = getattr(owner, name)

        def watched(*given, **named):
            self.reach()
            result = function(*given, **named)
            self.reach()
            return result

        setattr(owner, name, watched)

    def within_writes(self):
        """Makes a moment of when half of the content of a file is written."""
        fdopen = os.fdopen

        def watched(*given):
            file = fdopen(*given)
            write = file.write

            def write_in_two(content):
                half = len(content) // 2
                write(content[:half])
                file.flush()
                self.reach()
                write(content[half:])

            file.write = write_in_two
            return file

        os.fdopen = watched

    def watch_ours(self):
        """Watches what `keras_fmnist.files` does."""
        for name in ("fsync", "replace", "unlink"):
            self.around(os, name)
        self.around(tempfile, "mkstemp")
        self.within_writes()

    def watch_keras(self):
        """Watches what BackupAndRestore does."""
        self.around(h5py.Group, "create_dataset")
        self.around(keras.callbacks.BackupAndRestore, "_save_model")
        self.around(keras.src.utils.file_utils, "File")  # the metadata file, opened and still empty


class Subject:
    """A way to train `SPEC` that can be resumed."""

    def __init__(self, dataset):
        self.dataset = dataset
        self.steps = math.ceil(len(dataset.train_images) / SPEC.batch_size)  # of an epoch


class Ours(Subject):
    """`train_run` with its checkpoint."""

    def __init__(self, dataset, fast):
        super().__init__(dataset)
        self.options = Options(resume=True, checkpoint_every=EVERY, fast=fast)
        self.training = Run(SPEC, 0, "torch", "cpu", len(dataset.train_images))

    def run(self, folder, boundaries, steps):
        """In a child: starts or resumes the run."""
        boundaries.watch_ours()
        step = callbacks.Progress.on_train_batch_end

        def counted(progress, batch, logs=None):
            step(progress, batch, logs)
            steps.value += 1

        callbacks.Progress.on_train_batch_end = counted
        train_run(self.training, folder, self.options, self.dataset)

    def outcome(self, folder):
        """Returns all bytes that must be the same, by name."""
        files = self.training.files(folder)
        record = json.loads(files.record.read_bytes())
        for name in MAY_DIFFER:
            record.pop(name)
        names = sorted(p.name for p in files.record.parent.iterdir() if p.suffix != ".lock")
        return {"record": record, "files": names, "weights": files.weights.read_bytes()}

    def saved_steps(self, folder):
        """Returns the step at which a killed run will resume; checks the record if there is one."""
        files = self.training.files(folder)
        if files.record.exists():
            record = read_record(files.record)
            weights.load(files.weights, record.weights_sha256["final"])
            return SPEC.epochs * self.steps
        if not files.checkpoint.exists():
            return 0
        _, state = checkpoint_file.read(files.checkpoint)
        return state["epoch"] * self.steps + state["step"]


class BackupAndRestore(Subject):
    """A plain `fit` with Keras's callback; weights and history are written at its end."""

    def run(self, folder, boundaries, steps):
        """In a child: starts or resumes the run."""
        boundaries.watch_keras()

        def count(batch, logs):
            steps.value += 1

        model = networks.build(SPEC, 0)
        compile_model(model, SPEC, fast=False)
        batches = Batches(self.dataset.train_images, None, SPEC.batch_size, SPEC.pixel_min, seed=0)
        test = Batches(self.dataset.test_images, None, EVALUATION_BATCH, SPEC.pixel_min)
        fitted = model.fit(
            batches,
            epochs=SPEC.epochs,
            validation_data=test,
            shuffle=False,
            verbose=0,
            callbacks=[
                callbacks.SeedEachEpoch(batches, 0),
                keras.callbacks.LambdaCallback(on_train_batch_end=count),
                keras.callbacks.BackupAndRestore(folder / "backup"),
            ],
        )
        weights.save(folder / "weights.safetensors", weights.get_arrays(model))
        write_json(folder / "history.json", fitted.history)

    def outcome(self, folder):
        """Returns all bytes that must be the same, by name."""
        return {
            "weights": (folder / "weights.safetensors").read_bytes(),
            "history": (folder / "history.json").read_bytes(),
        }

    def saved_steps(self, folder):
        """Returns the step at which a killed run should resume, or 0 without readable metadata."""
        try:
            metadata = (folder / "backup" / "training_metadata.json").read_text()
            return json.loads(metadata)["epoch"] * self.steps
        except (OSError, ValueError):
            return 0


class Harness:
    """Runs a subject in children forked from this process, which has done the imports."""

    def __init__(self, subject, scratch):
        self.subject, self.scratch = subject, scratch
        self.steps = Counter()
        began = time.perf_counter()
        watching = Boundaries()
        if self.live(scratch / "alone", watching):
            raise RuntimeError(f"a run that is not killed fails: {self.log.read_text()}")
        self.seconds = time.perf_counter() - began
        self.expected = subject.outcome(scratch / "alone")
        self.boundaries = watching.reached.value

    @property
    def log(self):
        """The file with what the last child printed."""
        return self.scratch / "log"

    def live(self, folder, boundaries, seconds=PATIENCE):
        """Runs a child until it ends; returns its exit status, or the negative of a signal."""
        folder.mkdir(parents=True, exist_ok=True)
        child = os.fork()
        if child == 0:
            self._live(folder, boundaries)
        deadline = time.monotonic() + seconds
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            time.sleep(0.002)

    def _live(self, folder, boundaries):
        """Runs in the child, and never returns."""
        status = 1
        try:
            with self.log.open("w") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                with keras.device("cpu"):
                    self.subject.run(folder, boundaries, self.steps)
                status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def scenario(self, kills):
        """Kills a run at some moments in turn, lets it end, and counts the result.

        Args:
            kills: the moments, as `("boundary", number)` or `("instant", share of the seconds that
                a run takes)`.
        """
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        killed, lost = 0, 0
        for kind, moment in kills:
            at = moment if kind == "boundary" else None
            seconds = moment * self.seconds if kind == "instant" else PATIENCE
            began_at = self.subject.saved_steps(folder)
            self.steps.value, began = 0, time.perf_counter()
            status = self.live(folder, Boundaries(at), seconds)
            if status == 0 and began_at == 0:  # it ended before the kill: runs take less time now
                self.seconds = time.perf_counter() - began
            if status != -signal.SIGKILL:
                break  # it ended before that moment, or failed
            killed += 1
            lost += began_at + self.steps.value - self.subject.saved_steps(folder)
        resumed = self.live(folder, Boundaries()) == 0
        found = self.subject.outcome(folder) if resumed else {}
        identical = found == self.expected
        result = {
            "kills": killed,
            "resumed": killed * resumed,
            "identical": killed * identical,
            "identical_weights": killed * (found.get("weights") == self.expected["weights"]),
            "epochs_lost": lost / self.subject.steps,
        }
        if not identical:
            result["at"] = kills
            result["output"] = self.log.read_text()[-300:]
        shutil.rmtree(folder)
        return result


def moments(harnesses, kills):
    """Yields harnesses in turn, each with its kills: at boundaries first, then at instants."""
    rng = random.Random(0)
    at_boundaries = min(max(h.boundaries for h in harnesses), 2 * kills // 3)
    for turn in itertools.count():
        harness = harnesses[turn % len(harnesses)]
        if turn < at_boundaries:
            yield harness, [("boundary", turn * harness.boundaries // at_boundaries)]
        else:
            yield harness, [("instant", rng.random()) for _ in range(rng.choice((1, 2, 3)))]


def score(name, harnesses, kills, notes):
    """Kills until there are enough, and sums up; results in `notes` are not measured again."""
    known = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    known = [line for line in known if line["subject"] == name]
    found = {kind: dict.fromkeys(COUNTED, 0) for kind in ("boundary", "instant")}
    bar = tqdm(total=kills, desc=name, unit="kill", disable=None)
    for turn, (harness, planned) in enumerate(moments(harnesses, kills)):
        left = kills - sum(each["kills"] for each in found.values())
        if not left:
            break
        if turn < len(known):
            result = known[turn]["result"]
        else:
            result = harness.scenario(planned[:left])
            with notes.open("a") as file:
                file.write(json.dumps({"subject": name, "result": result}) + "\n")
            if "output" in result and name == "ours":
                bar.write(f"{result['at']}: {result['output']}")
        for key in COUNTED:
            found[planned[0][0]][key] += result[key]
        bar.update(result["kills"])
    bar.close()
    total = {key: round(sum(each[key] for each in found.values()), 2) for key in COUNTED}
    shown = ("kills", "resumed", "identical")
    for kind, each in found.items():
        total[f"at_{kind}"] = {key: each[key] for key in shown}
    return total


def main():
    """Scores both, prints and writes the results."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="of each subject")
    parser.add_argument("--json", type=Path, default=Path("kill.json"), help="file to write")
    given = parser.parse_args()
    full = data.load()
    dataset = data.Dataset(
        full.train_images[:EXAMPLES],
        full.train_labels[:EXAMPLES],
        full.test_images[:TESTS],
        full.test_labels[:TESTS],
    )
    given.json.parent.mkdir(parents=True, exist_ok=True)
    notes = given.json.with_suffix(".notes")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        by_kind = {
            fast: Harness(Ours(dataset, fast), Path(scratch, f"fast-{fast}"))
            for fast in set(TRACED)
        }
        ours = [by_kind[fast] for fast in TRACED]
        theirs = Harness(BackupAndRestore(dataset), Path(scratch, "backup"))
        found = score("ours", ours, given.kills, notes)
        del found["identical_weights"]  # the same as `identical`
        found["backup_and_restore"] = score("BackupAndRestore", [theirs], given.kills, notes)
    found["boundaries"] = {
        "fast": by_kind[True].boundaries,
        "stock": by_kind[False].boundaries,
        "backup_and_restore": theirs.boundaries,
    }
    found["run"] = {
        "experiment": SPEC.id,
        "examples": EXAMPLES,
        "epochs": SPEC.epochs,
        "steps": ours[0].subject.steps,
        "checkpoint_every": EVERY,
        "seconds": round(by_kind[False].seconds, 2),
    }
    found |= {"machine": provenance.machine(), "versions": provenance.versions()}
    write_json(given.json, found)
    notes.unlink(missing_ok=True)
    for subject, counts in (("ours", found), ("BackupAndRestore", found["backup_and_restore"])):
        print(
            f"{subject}: {counts['kills']} kills, {counts['resumed']} resumed, "
            f"{counts['identical']} identical, {counts['epochs_lost']} epochs lost"
        )
    print(f"{time.perf_counter() - began:.0f} s; {given.json}")
    return 0 if found["kills"] == found["resumed"] == found["identical"] else 1


if __name__ == "__main__":
    sys.exit(main())
