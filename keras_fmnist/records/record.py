"""A run's record: what was run, on what, and what came out.

Tables, figures and the page are drawn from records alone, without a framework.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from keras_fmnist.records import schema
from keras_fmnist.records.json_files import RecordError, read_object
from keras_fmnist.records.run import Run, RunFiles, find_files
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, Spec, differences, settings

EXPLAINED = {"explained": "val_loss", "pca_explained": "pca_loss"}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run. Losses are means over images; `metrics` are those of the last epoch.

    `history` holds one number an epoch: `loss` and `accuracy` as measured during training (dropout
    on, weights changing), `train_eval_*` and `val_*` in evaluation mode after the epoch, over every
    image. `confusion_matrix` counts test images, rows true and columns predicted. `images` holds
    ten test images, one of each class, and their reconstructions by an autoencoder and by a PCA of
    the same size, which older records lack. The metrics `pca_loss` and `mean_image_loss` are over
    all test images. `seconds` are wall-clock, but for `cpu`, the processor time, which older
    records lack. `resumed_at` lists how many epochs were complete each time the run was resumed.
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
        """Returns a metric by its name, or None if the run does not have it.

        `explained` is the share of the variance of the test images that an autoencoder explains.
        Unlike the loss it does not depend on the range of the pixels. `pca_explained` is the same
        for a PCA with as many numbers an image. Older records lack both.
        """
        if name not in EXPLAINED:
            return self.metrics.get(name)
        loss, mean_image = (self.metrics.get(n) for n in (EXPLAINED[name], "mean_image_loss"))
        return 1 - loss / mean_image if mean_image and loss is not None else None

    def files(self, out: Path | str) -> RunFiles:
        """Returns the paths of its files in the folder of records `out`."""
        return find_files(out, self.id, self.seed, self.backend, self.device)


def read_record(path: Path | str) -> Record:
    """Reads and checks a record, which may come from a stranger.

    Raises:
        RecordError: the file is not JSON, or a field is missing, unknown or wrong (see `schema`).
    """
    values = read_object(path)
    known = {f.name: f for f in dataclasses.fields(Record)}
    if unknown := sorted(values.keys() - known.keys()):
        raise RecordError(f"{path} has an unknown field: {unknown[0]}")
    for name, f in known.items():
        optional = f.default is None or f.default_factory is not dataclasses.MISSING
        if name not in values and not optional:
            raise RecordError(f"{path} lacks the field {name}")
    return Record(**schema.check_fields(values, path))


def _read_in_place(path):
    """Reads a record and checks that it is at the path of its run."""
    record = read_record(path)
    place = record.files("").record
    if path.parts[-3:] != place.parts:
        raise RecordError(f"{path} holds the record that belongs at {place}")
    return record


def find_record(run: Run, out: Path | str) -> Record | None:
    """Returns the record of a run, or None if the run is not finished.

    Raises:
        RecordError: the file is damaged, or holds the record of another run.
        SpecError: the file holds a run with other settings.
    """
    path = run.files(out).record
    if not path.exists():
        return None
    record = _read_in_place(path)
    require_settings(record, path, run.spec, run.examples)
    return record


def require_settings(record: Record, path: Path, spec: Spec, examples: int = TRAIN_IMAGES) -> None:
    """Raises SpecError if the record at a path has other settings or training images."""
    wanted = settings(spec) | {"examples": examples}
    if differ := differences(record.spec | {"examples": record.examples}, wanted):
        raise SpecError(
            f"{path} holds a run with {'; '.join(differ)}: "
            "choose another --out, or replace it with --force"
        )


def read_records(out: Path | str) -> list[Record]:
    """Reads every record under a folder, ordered by experiment, backend, device and seed.

    Raises:
        RecordError: a record is damaged, at the path of another run, or behind a link that leads
            out of the folder.

    Example:
        >>> for record in read_records("results"):
        ...     print(record.id, record.seed, record.metrics["val_loss"])
    """
    records = []
    for path in Path(out).glob("*/*/seed*-*-*.json"):
        if not path.resolve().is_relative_to(Path(out).resolve()):
            raise RecordError(f"{path} leads out of {out}")
        records.append(_read_in_place(path))
    return sorted(records, key=lambda r: (r.id, r.backend, r.device, r.seed))
