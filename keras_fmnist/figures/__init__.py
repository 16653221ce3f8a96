"""Figures from records, as PNG and SVG: the only room that knows matplotlib.

Column width is 3.4 inches and type 8 points, so that a figure can go into a report as it is.
Colours are Okabe and Ito's, which people with any colour vision can tell apart; lines differ in
dashes too.
"""

import base64
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np

from keras_fmnist import grouping, latent, results
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.files import write_whole
from keras_fmnist.results import Record
from keras_fmnist.specs import Spec

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from keras_fmnist.figures import overview, prediction, spaces
from keras_fmnist.figures.images import show

if TYPE_CHECKING:
    from keras_fmnist.prediction import Prediction

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
KINDS = ("loss", "accuracy", "confusion", "reconstructions", "latent", "line")
CURVES = (  # history name, label, colour, dashes
    ("{}", "training, as it ran", ORANGE, (0, (1, 1))),
    ("train_eval_{}", "training, evaluated", BLUE, "-"),
    ("val_{}", "validation", GREEN, (0, (5, 1.5))),
)
STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "keras-fmnist",  # without it every drawing has other ids
}
INNER_PNG = re.compile(rb"(?<=data:image/png;base64,)[A-Za-z0-9+/=\s]+")
# Without dates and versions inside, the same records give the same bytes.
METADATA = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}


def draw(out: Path | str, experiment_id: str) -> list[Path]:
    """Draws every figure of one experiment from the records under `out`, and writes them.

    Returns:
        The paths of the PNG files; an SVG of the same name lies beside each.

    Raises:
        RecordError: there is no record of this experiment, or one is damaged.
    """
    records = [r for r in results.read_all(out) if r.id == experiment_id]
    if not records:
        raise results.RecordError(f"{out} holds no record of {experiment_id}")
    drawn = render(out, records)
    for path, content in drawn.items():
        write_whole(path, content)
    return [path for path in drawn if path.suffix == ".png"]


def render(out: Path | str, records: Sequence[Record]) -> dict[Path, bytes]:
    """Every figure of one experiment, from its records, as `{path under out: bytes}`."""
    records = grouping.leading(records)
    first = records[0]
    pictures = {}
    with matplotlib.rc_context(STYLE):
        if first.history:
            loss = "cross entropy" if first.is_classifier else "mean squared error"
            pictures["loss"] = curves(records, "loss", loss)
        if first.is_classifier:
            if first.history:
                pictures["accuracy"] = curves(records, "accuracy", "accuracy")
            pictures["confusion"] = confusion(first)
        elif first.images is not None:  # an older record has none
            pictures["reconstructions"] = reconstructions(first)
            if space := latent.find(out, records):
                pictures["latent"] = spaces.maps(space)
                pictures["line"] = spaces.lines(space)
        folder = results.path_of(out, first).parent
        drawn = {}
        for name, figure in pictures.items():
            drawn |= _files(figure, folder / f"{first.experiment}_{name}")
        return drawn


def drawn(out: Path | str, spec: Spec) -> list[Path]:
    """The files under `out` that have the name of a figure of an experiment."""
    paths = (
        Path(out, spec.id, f"{spec.name}_{kind}.{ending}") for kind in KINDS for ending in METADATA
    )
    return [path for path in paths if path.exists()]


def render_overview(out: Path | str, records: Sequence[Record]) -> dict[Path, bytes]:
    """One picture of all autoencoders, as `{path under out: bytes}`; of none where none has images.

    Args:
        out: the folder of the study.
        records: one for each experiment, in the order of the rows.
    """
    pictured = [record for record in records if record.images is not None]
    if not pictured:
        return {}
    with matplotlib.rc_context(STYLE):
        return _files(overview.rows(pictured), Path(out, "overview"))


def same(path: Path, content: bytes) -> bool:
    """Whether a file holds what was drawn: the same bytes but for pictures, which count by pixels.

    How tightly pixels are packed depends on the processor, where zlib-ng does it. An SVG and the
    page have such pictures inside.
    """
    if not path.exists():
        return False
    found = path.read_bytes()
    if found == content:
        return True
    if path.suffix == ".png":
        return _same_pixels(found, content)
    inside, expected = (INNER_PNG.findall(text) for text in (found, content))
    return (
        INNER_PNG.sub(b"", found) == INNER_PNG.sub(b"", content)
        and len(inside) == len(expected)
        and all(map(_same_inner_pixels, inside, expected))
    )


def _same_inner_pixels(*texts):
    try:
        return _same_pixels(*map(base64.b64decode, texts))
    except ValueError:  # no base64
        return False


def _same_pixels(*pngs):
    try:
        return np.array_equal(*(plt.imread(io.BytesIO(png), format="png") for png in pngs))
    except (OSError, SyntaxError):  # Pillow calls a broken PNG one or the other
        return False


def draw_predictions(path: Path | str, predictions: "Sequence[Prediction]") -> None:
    """Draws what `prediction.predict` gives, as a PNG."""
    with matplotlib.rc_context(STYLE):
        figure = prediction.rows(predictions)
        write_whole(path, _render(figure, "png"))
    plt.close(figure)


def curves(records: Sequence[Record], metric: str, label: str) -> Figure:
    """The three curves an epoch; for several seeds their mean, and a band from least to most."""
    figure, axes = plt.subplots(figsize=(3.4, 2.4))
    for pattern, words, colour, dashes in CURVES:
        values = np.array([record.history[pattern.format(metric)] for record in records])
        epochs = np.arange(1, values.shape[1] + 1)
        markers = "o" if len(epochs) == 1 else ""  # one epoch makes no line
        axes.plot(
            epochs, values.mean(axis=0), color=colour, linestyle=dashes, marker=markers, label=words
        )
        if len(records) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.set_title(_title(records), fontsize=8, loc="left")
    axes.legend(fontsize=7)
    return figure


def reconstructions(record: Record) -> Figure:
    """Ten test images above what the autoencoder made of them, and PCA where the record has it."""
    kept = {"originals": "original", "reconstructions": "rebuilt", "pca": "PCA"}
    rows = {words: record.images[key] for key, words in kept.items() if key in record.images}
    figure, grid = plt.subplots(len(rows), len(CLASS_NAMES), figsize=(6.9, 0.35 + 0.7 * len(rows)))
    for row, (words, packed) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(row, results.unpack_images(packed), strict=True):
            show(axes, image)
        row[0].set_ylabel(words)
    for axes, name in zip(grid[0], CLASS_NAMES, strict=True):
        axes.set_title(name, fontsize=7)
    title = f"{_title([record])}, validation MSE {record.metrics['val_loss']:.4f}"
    if "pca" in record.images:
        mean, pca = record.metrics["mean_image_loss"], record.metrics["pca_loss"]
        pca = f"{pca:.4f}" if pca else "exact"  # the code is as long as the image, or longer
        title += f"; PCA of the same size {pca}, mean image {mean:.4f}"
    figure.suptitle(title, fontsize=8, x=0.01, ha="left")
    return figure


def confusion(record: Record) -> Figure:
    """Counts of test images: rows are the true classes, columns the predicted ones."""
    counts = np.array(record.confusion_matrix)
    figure, axes = plt.subplots(figsize=(4.4, 4.2))
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=counts.sum(axis=1).max())
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if count > counts.max() * 0.6 else "black"
        shown = "·" if count == 0 else str(count)
        axes.text(column, row, shown, ha="center", va="center", fontsize=6.5, color=colour)
    places = range(len(CLASS_NAMES))
    axes.set_xticks(places, CLASS_NAMES, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, CLASS_NAMES)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.grid(visible=False)
    accuracy = np.trace(counts) / counts.sum()
    axes.set_title(f"{_title([record])}, accuracy {accuracy:.2%}", fontsize=8, loc="left")
    return figure


def _title(records):
    first = records[0]
    who = f"seed {first.seed}" if len(records) == 1 else f"mean of {len(records)} seeds"
    return f"{first.id}, {who} on {first.backend}"


def _files(figure, stem):
    """A figure as `{path: bytes}`, and closed: a study of many would fill the memory."""
    drawn = {stem.with_suffix(f".{ending}"): _render(figure, ending) for ending in ("svg", "png")}
    plt.close(figure)
    return drawn


def _render(figure, ending):
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, dpi=200, metadata=METADATA[ending])
    return buffer.getvalue()
