"""A run's record: what was run, on what, and what came out. The only room that knows the folders.

    results/<report>/<experiment>/seed<k>-<backend>-<device>.json and .safetensors

Tables, figures and the page are drawn from records alone, without a framework.
"""

import base64
import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist import schema
from keras_fmnist.files import write_whole
from keras_fmnist.schema import RecordError
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, Spec, differences, settings

if TYPE_CHECKING:
    from keras_fmnist.latent import LatentSpace

RUNS = "runs"  # where a user's own runs go
STUDY = "results"  # the study that is published with the code


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run. Losses are means over images, metrics are those of the last epoch.

    `history` holds one number an epoch: `loss` and `accuracy` as they ran during training (dropout
    on, weights moving), `train_eval_*` and `val_*` in evaluation mode after the epoch, over every
    image. `confusion_matrix` counts test images, rows true and columns predicted. `images` holds
    ten test images, one a class, and what an autoencoder and, but for older records, a PCA of the
    same size made of them; the metrics `pca_loss` and `mean_image_loss` are over all test images.
    `seconds` are wall-clock; `cpu` among them, which older records lack, is the processors' time.
    `resumed_at` says how many epochs were complete each time the run went on after an interruption.
    """

    report: str
    experiment: str
    spec: dict
    seed: int
    examples: int
    backend: str
    device: str
    versions: dict[str, str]
    commit: str | None
    command: str
    started: str
    seconds: dict
    parameters: dict[str, int]
    data_sha256: str
    weights_sha256: dict[str, str]
    history: dict[str, list[float]]
    metrics: dict[str, float]
    confusion_matrix: list[list[int]] | None = None
    images: dict | None = None
    resumed_at: list[int] = field(default_factory=list)

    @property
    def id(self) -> str:
        """`report/experiment`."""
        return f"{self.report}/{self.experiment}"

    @property
    def is_classifier(self) -> bool:
        """Whether the run trained a classifier rather than an autoencoder."""
        return self.confusion_matrix is not None

    def measured(self, name: str) -> float | None:
        """A metric by its name, or None where the run has none.

        `explained` is the share of the test images' variance that an autoencoder explains: unlike
        its loss it does not depend on the range of the pixels. Older records do not say it.
        """
        if name != "explained":
            return self.metrics.get(name)
        mean_image = self.metrics.get("mean_image_loss")
        return 1 - self.metrics["val_loss"] / mean_image if mean_image else None


def run_path(out: Path | str, experiment_id: str, seed: int, backend: str, device: str) -> Path:
    """Where the record of a run lies; its weights lie beside it, see `weights_path`."""
    return Path(out) / experiment_id / f"seed{seed}-{backend}-{device}.json"


def path_of(out: Path | str, record: Record) -> Path:
    """Where a record lies."""
    return run_path(out, record.id, record.seed, record.backend, record.device)


def weights_path(record_path: Path) -> Path:
    """The safetensors file beside a record."""
    return record_path.with_suffix(".safetensors")


def checkpoint_path(record_path: Path) -> Path:
    """What a run goes on from lies beside its record until the record is there."""
    return record_path.with_suffix(".checkpoint")


def lock_path(record_path: Path) -> Path:
    """The file beside a record that is there while a process runs it."""
    return record_path.with_suffix(".lock")


def latent_path(out: Path | str, experiment_id: str) -> Path:
    """Where the latent space of an autoencoder lies, from which its figures are drawn."""
    folder = Path(out) / experiment_id
    return folder / f"{folder.name}_latent.json"


def write(path: Path | str, record: "Record | LatentSpace") -> None:
    """Writes a record, or a `latent.LatentSpace`, as JSON with sorted keys, whole or not at all."""
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


def read(path: Path | str) -> Record:
    """Reads a record, whoever made it.

    Raises:
        RecordError: no JSON, a field missing or wrong (see `schema`), or one that nobody knows.
    """
    values = schema.read_object(path)
    known = {f.name: f for f in dataclasses.fields(Record)}
    if unknown := sorted(values.keys() - known.keys()):
        raise RecordError(f"{path} has a field that no record has: {unknown[0]}")
    for name, f in known.items():
        optional = f.default is None or f.default_factory is not dataclasses.MISSING
        if name not in values and not optional:
            raise RecordError(f"{path} lacks the field {name}")
    return Record(**schema.check(values, path))


def _read_in_place(path):
    """Reads a record that must be of the run whose place it has."""
    record = read(path)
    place = path_of("", record)
    if path.parts[-3:] != place.parts:
        raise RecordError(f"{path} holds the record that belongs at {place}")
    return record


def find(path: Path, spec: Spec, examples: int = TRAIN_IMAGES) -> Record | None:
    """The record of a finished run of a spec, or None.

    Raises:
        RecordError: the file there is damaged, or the record of another run.
        SpecError: the file there is of a run with other settings.
    """
    if not path.exists():
        return None
    record = _read_in_place(path)
    require(record, path, spec, examples)
    return record


def require(record: Record, path: Path, spec: Spec, examples: int = TRAIN_IMAGES) -> None:
    """Raises SpecError where the record at a path is of other settings or images."""
    wanted = settings(spec) | {"examples": examples}
    if differ := differences(record.spec | {"examples": record.examples}, wanted):
        raise SpecError(
            f"{path} holds a run with {'; '.join(differ)}: "
            "choose another --out, or replace it with --force"
        )


def read_all(out: Path | str) -> list[Record]:
    """Every record under a folder, ordered by experiment, backend, device and seed.

    Raises:
        RecordError: one is damaged, in a place where it does not belong, or behind a link that
            leads out of the folder.
    """
    records = []
    for path in Path(out).glob("*/*/seed*-*-*.json"):
        if not path.resolve().is_relative_to(Path(out).resolve()):
            raise RecordError(f"{path} leads out of {out}")
        records.append(_read_in_place(path))
    return sorted(records, key=lambda r: (r.id, r.backend, r.device, r.seed))


# What `compare`, `bench` and `benchmarks/kill.py` write beside the records, and what it must hold.
MEASUREMENTS = {
    "parity": {"experiment", "backend", "rows", "equivalence", "defaults"},
    "benchmarks": {"machine", "versions", "experiments"},
    "reliability": {"kills", "resumed", "identical", "epochs_lost", "backup_and_restore"},
}


def read_measurements(out: Path | str, kind: str) -> dict[str, dict]:
    """What was measured beside native PyTorch: `{name: content}` of `<out>/<kind>/<name>.json`.

    Raises:
        RecordError: a file is no JSON object, or lacks what it must hold.
    """
    found = {}
    for path in sorted(Path(out, kind).glob("*.json")):
        found[path.stem] = schema.read_object(path)
        if missing := sorted(MEASUREMENTS[kind] - found[path.stem].keys()):
            raise RecordError(f"{path} lacks the field {missing[0]}")
    return found


def pack_images(images: np.ndarray) -> str:
    """Pixels in [0, 1], `(n, 28, 28, 1)`, as text for a record: eight bits a pixel."""
    pixels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(pixels.tobytes()).decode()


def unpack_images(text: str) -> np.ndarray:
    """`(n, 28, 28)` uint8 from what `pack_images` made."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)
