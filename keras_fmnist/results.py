"""A run's record: what was run, on what, and what came out. The only room that knows the folders.

    results/<report>/<experiment>/seed<k>-<backend>-<device>.json and .safetensors

Tables, figures and the page are drawn from records alone, without a framework.
"""

import base64
import dataclasses
import json
import math
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_fmnist.files import write_whole
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, differences, settings, with_defaults

RUNS = "runs"  # where a user's own runs go
STUDY = "results"  # the study that is published with the code


class RecordError(ValueError):
    """A record that cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run. Losses are means over images, seconds are wall-clock, metrics are the last epoch's.

    `history` holds one number an epoch: `loss` and `accuracy` as they ran during training (dropout
    on, weights moving), `train_eval_*` and `val_*` in evaluation mode after the epoch, over every
    image. `confusion_matrix` counts test images, rows true and columns predicted. `images` holds
    ten test images, one a class, and what an autoencoder and, but for older records, a PCA of the
    same size made of them; the metrics `pca_loss` and `mean_image_loss` are over all test images.
    """

    report: str
    experiment: str
    spec: dict
    seed: int
    examples: int
    backend: str
    device: str
    versions: dict
    commit: str | None
    command: str
    started: str
    seconds: dict
    parameters: dict
    data_sha256: str
    weights_sha256: dict
    history: dict
    metrics: dict
    confusion_matrix: list | None = None
    images: dict | None = None
    resumed_at: list = field(default_factory=list)

    @property
    def id(self):
        """`report/experiment`."""
        return f"{self.report}/{self.experiment}"

    @property
    def is_classifier(self):
        """Whether the run trained a classifier rather than an autoencoder."""
        return self.confusion_matrix is not None


def run_path(out, experiment_id, seed, backend, device):
    """Where the record of a run lies; its weights lie beside it, see `weights_path`."""
    return Path(out) / experiment_id / f"seed{seed}-{backend}-{device}.json"


def weights_path(record_path):
    """The safetensors file beside a record."""
    return record_path.with_suffix(".safetensors")


def write(path, record):
    """Writes a record as JSON with sorted keys, whole or not at all."""
    text = json.dumps(dataclasses.asdict(record), sort_keys=True, indent=1, allow_nan=False)
    write_whole(path, (_fold_numbers(text) + "\n").encode())


def _fold_numbers(text):
    """Puts lists of numbers on one line each: a confusion matrix should look like one."""
    lines, row = [], None
    for line in text.splitlines():
        bare = line.strip()
        if row is None:
            if bare.endswith("["):
                row = [line]
            else:
                lines.append(line)
        elif bare.endswith("["):  # a list of lists: its rows are folded, itself is not
            lines += row
            row = [line]
        elif bare.startswith("]"):
            lines.append(row[0] + " ".join(row[1:]) + bare)
            row = None
        else:
            row.append(bare)
    return "\n".join(lines)


def read(path):
    """Reads a record.

    Raises:
        RecordError: no JSON, a field missing or of the wrong type, or one that nobody knows.
    """
    values = _read_object(path)
    known = {f.name: f for f in dataclasses.fields(Record)}
    if unknown := sorted(values.keys() - known.keys()):
        raise RecordError(f"{path} has a field that no record has: {unknown[0]}")
    for name, f in known.items():
        optional = f.default is None or f.default_factory is not dataclasses.MISSING
        if name not in values and not optional:
            raise RecordError(f"{path} lacks the field {name}")
        if name in values and not isinstance(values[name], f.type):
            raise RecordError(f"{path}: {name} must be {f.type}, not {values[name]!r:.60}")
    return Record(**values | {"spec": with_defaults(values["spec"])})


def _read_object(path):
    try:
        values = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is no JSON ({error})") from None
    if not isinstance(values, dict):
        raise RecordError(f"{path} must hold a JSON object, not a {type(values).__name__}")
    return values


def find(path, spec, examples=TRAIN_IMAGES):
    """The record of a finished run of a spec, or None.

    Raises:
        SpecError: the file there is of a run with other settings.
    """
    if not path.exists():
        return None
    record = read(path)
    differ = differences(
        record.spec | {"examples": record.examples}, settings(spec) | {"examples": examples}
    )
    if differ:
        raise SpecError(
            f"{path} holds a run with {'; '.join(differ)}: "
            "choose another --out, or replace it with --force"
        )
    return record


def read_all(out):
    """Every record under a folder, ordered by experiment, backend, device and seed."""
    records = [read(path) for path in Path(out).glob("*/*/seed*-*-*.json")]
    return sorted(records, key=lambda r: (r.id, r.backend, r.device, r.seed))


# What `compare --json` and `bench --json` write beside the records, and what it must hold.
MEASUREMENTS = {
    "parity": {"experiment", "backend", "rows", "equivalence", "defaults"},
    "benchmarks": {"machine", "versions", "experiments"},
}


def read_measurements(out, kind):
    """What was measured beside native PyTorch: `{name: content}` of `<out>/<kind>/<name>.json`.

    Raises:
        RecordError: a file is no JSON object, or lacks what it must hold.
    """
    found = {}
    for path in sorted(Path(out, kind).glob("*.json")):
        found[path.stem] = _read_object(path)
        if missing := sorted(MEASUREMENTS[kind] - found[path.stem].keys()):
            raise RecordError(f"{path} lacks the field {missing[0]}")
    return found


def group(records):
    """Records that differ in nothing but the seed: what may be averaged."""
    groups = {}
    for record in records:
        spec = json.dumps(record.spec, sort_keys=True)
        key = (record.id, record.backend, record.device, record.examples, spec)
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def mean_interval(values):
    """Mean and half the width of its 95 % confidence interval (Student's t), None for one value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    # scipy.stats takes half a second more to import; one seed needs neither.
    from scipy.special import stdtrit

    spread = statistics.stdev(values) / math.sqrt(len(values))
    return mean, float(stdtrit(len(values) - 1, 0.975)) * spread


def pack_images(images):
    """Pixels in [0, 1], `(n, 28, 28, 1)`, as text for a record: eight bits a pixel."""
    pixels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode()


def unpack_images(text):
    """`(n, 28, 28)` uint8 from what `pack_images` made."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)


def leading_group(records):
    """Of one experiment's records those that stand for it: the group with most seeds."""
    groups = group(records)
    return max(groups, key=lambda g: (len(g), g[0].backend == "torch", g[0].device == "gpu"))
