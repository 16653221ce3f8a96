"""The style of the figures, and their conversion to bytes.

Column width is 3.4 inches and type 8 points, so that a figure can go into a report as it is.
Colours are Okabe and Ito's, which people with any colour vision can tell apart; lines differ in
dashes too.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_fmnist.records.record import Record

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "keras-fmnist",  # without it ids change with every drawing
}
# Without dates and versions inside, the same records give the same bytes.
METADATA = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}


@contextlib.contextmanager
def hold_style() -> Iterator[None]:
    """A context with `STYLE` over matplotlib's defaults, whatever the user has configured."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def make_subplots(
    rows: int = 1, columns: int = 1, figsize: tuple[float, float] | None = None, **grid: object
) -> tuple[Figure, Axes | np.ndarray]:
    """Makes a figure and its axes as `pyplot.subplots` does, without pyplot.

    Pyplot would keep the figure, and would need a window or change how a notebook shows figures.

    Args:
        rows: of axes.
        columns: of axes.
        figsize: inches.
        grid: what `Figure.subplots` takes; `width_ratios`, for example.
    """
    figure = Figure(figsize=figsize)
    return figure, figure.subplots(rows, columns, **grid)


def title_axes(records: Sequence[Record]) -> str:
    """Returns the title of a figure: experiment, seeds and backend."""
    first = records[0]
    who = f"seed {first.seed}" if len(records) == 1 else f"mean of {len(records)} seeds"
    return f"{first.id}, {who} on {first.backend}"


def render_files(figure: Figure, stem: Path) -> dict[Path, bytes]:
    """Returns a figure as `{path: bytes}` of an SVG and a PNG."""
    return {
        stem.with_suffix(f".{ending}"): render_figure(figure, ending) for ending in ("svg", "png")
    }


def render_figure(figure: Figure, ending: str) -> bytes:
    """Returns a figure as the bytes of a file; `ending` is png or svg."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, dpi=200, metadata=METADATA[ending])
    return buffer.getvalue()
