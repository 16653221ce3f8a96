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
        its loss it does not depend on the range of the pixels; `pca_explained` is that of PCA with
        as many numbers an image. Older records say neither.
        """
        if name not in EXPLAINED:
            return self.metrics.get(name)
        loss, mean_image = (self.metrics.get(n) for n in (EXPLAINED[name], "mean_image_loss"))
        return 1 - loss / mean_image if mean_image and loss is not None else None

    def files(self, out: Path | str) -> RunFiles:
        """Its files in the folder of records `out`."""
        return find_files(out, self.id, self.seed, self.backend, self.device)


def read_record(path: Path | str) -> Record:
    """Reads a record, whoever made it.

    Raises:
        RecordError: no JSON, a field missing or wrong (see `schema`), or one that nobody knows.
    """
    values = read_object(path)
    known = {f.name: f for f in dataclasses.fields(Record)}
    if unknown := sorted(values.keys() - known.keys()):
        raise RecordError(f"{path} has a field that no record has: {unknown[0]}")
    for name, f in known.items():
        optional = f.default is None or f.default_factory is not dataclasses.MISSING
        if name not in values and not optional:
            raise RecordError(f"{path} lacks the field {name}")
    return Record(**schema.check_fields(values, path))


def _read_in_place(path):
    """Reads a record that must be of the run whose place it has."""
    record = read_record(path)
    place = record.files("").record
    if path.parts[-3:] != place.parts:
        raise RecordError(f"{path} holds the record that belongs at {place}")
    return record


def find_record(run: Run, out: Path | str) -> Record | None:
    """The record of a run that is finished, or None.

    Raises:
        RecordError: the file there is damaged, or the record of another run.
        SpecError: the file there is of a run with other settings.
    """
    path = run.files(out).record
    if not path.exists():
        return None
    record = _read_in_place(path)
    require_settings(record, path, run.spec, run.examples)
    return record


def require_settings(record: Record, path: Path, spec: Spec, examples: int = TRAIN_IMAGES) -> None:
    """Raises SpecError where the record at a path is of other settings or images."""
    wanted = settings(spec) | {"examples": examples}
    if differ := differences(record.spec | {"examples": record.examples}, wanted):
        raise SpecError(
            f"{path} holds a run with {'; '.join(differ)}: "
            "choose another --out, or replace it with --force"
        )


def read_records(out: Path | str) -> list[Record]:
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
