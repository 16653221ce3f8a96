"""Draws the figures of records and writes them as PNG and SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_fmnist.files import write_whole
from keras_fmnist.records.groups import select_largest
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.latent_space import find_latent_space
from keras_fmnist.records.record import Record, read_records
from keras_fmnist.reporting.figures.confusion import draw_confusion
from keras_fmnist.reporting.figures.curves import draw_curves
from keras_fmnist.reporting.figures.dead_logits import draw_dead_logits
from keras_fmnist.reporting.figures.latent import draw_lines, draw_maps
from keras_fmnist.reporting.figures.overview import draw_overview
from keras_fmnist.reporting.figures.prediction import draw_predictions
from keras_fmnist.reporting.figures.reconstructions import draw_reconstructions
from keras_fmnist.reporting.figures.style import METADATA, hold_style, render_figure, render_files
from keras_fmnist.specs import Spec

if TYPE_CHECKING:
    from keras_fmnist.inference.prediction import Prediction


KINDS = ("loss", "accuracy", "confusion", "reconstructions", "latent", "line")


def draw(out: Path | str, experiment_id: str) -> list[Path]:
    """Draws every figure of one experiment from the records under `out`, and writes them.

    Returns:
        The paths of the PNG files; an SVG of the same name is beside each.

    Raises:
        RecordError: there is no record of this experiment, or one is damaged.
    """
    records = [r for r in read_records(out) if r.id == experiment_id]
    if not records:
        raise RecordError(f"{out} holds no record of {experiment_id}")
    drawn = render(out, records)
    for path, content in drawn.items():
        write_whole(path, content)
    return [path for path in drawn if path.suffix == ".png"]


def render(out: Path | str, records: Sequence[Record]) -> dict[Path, bytes]:
    """Draws every figure of one experiment.

    Args:
        out: the folder of the records.
        records: of one experiment.

    Returns:
        `{path under out: content of the file}`.
    """
    records = select_largest(records)
    first = records[0]
    with hold_style():
        pictures = _draw_records(records)
        if "reconstructions" in pictures and (space := find_latent_space(out, records)):
            pictures["latent"] = draw_maps(space)
            pictures["line"] = draw_lines(space)
        folder = first.files(out).record.parent
        drawn = {}
        for name, figure in pictures.items():
            drawn |= render_files(figure, folder / f"{first.experiment}_{name}")
        return drawn


def render_record(record: Record) -> list[bytes]:
    """Draws the figures of one run, as PNGs."""
    with hold_style():
        return [render_figure(figure, "png") for figure in _draw_records([record]).values()]


def _draw_records(records):
    """Draws `{kind: figure}` from the records of one experiment alone."""
    first, pictures = records[0], {}
    if first.history:
        loss = "cross entropy" if first.is_classifier else "mean squared error"
        pictures["loss"] = draw_curves(records, "loss", loss)
    if first.is_classifier:
        if first.history:
            pictures["accuracy"] = draw_curves(records, "accuracy", "accuracy")
        pictures["confusion"] = draw_confusion(first)
    elif first.images is not None:  # older records have none
        pictures["reconstructions"] = draw_reconstructions(first)
    return pictures


def list_drawn(out: Path | str, spec: Spec) -> list[Path]:
    """Lists the files under `out` that are named like a figure of an experiment."""
    paths = (
        Path(out, spec.id, f"{spec.name}_{kind}.{ending}") for kind in KINDS for ending in METADATA
    )
    return [path for path in paths if path.exists()]


def render_overview(out: Path | str, records: Sequence[Record]) -> dict[Path, bytes]:
    """Draws one picture of all autoencoders, as `{path under out: content of the file}`.

    Empty if no record has images.

    Args:
        out: the folder of the study.
        records: one for each experiment, in the order of the rows.
    """
    pictured = [record for record in records if record.images is not None]
    if not pictured:
        return {}
    with hold_style():
        return render_files(draw_overview(pictured), Path(out, "overview"))


def render_dead_logits(out: Path | str, records: Sequence[Record]) -> dict[Path, bytes]:
    """Draws accuracy against dead logits, as `{path under out: content of the file}`.

    Empty if no record counts them.

    Args:
        out: the folder of the study.
        records: of classifiers.
    """
    counted = [record for record in records if "dead_logits" in record.metrics]
    if not counted:
        return {}
    with hold_style():
        return render_files(draw_dead_logits(counted), Path(out, "dead_logits"))


def write_predictions(path: Path | str, predictions: "Sequence[Prediction]") -> None:
    """Draws what `prediction.predict` returned, as a PNG."""
    with hold_style():
        figure = draw_predictions(predictions)
        write_whole(path, render_figure(figure, "png"))
