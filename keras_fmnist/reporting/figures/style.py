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
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from keras_fmnist.records.record import Record

matplotlib.use("Agg")  # no window, whatever the machine has

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


def title_axes(records: Sequence[Record]) -> str:
    """Returns the title of a figure: experiment, seeds and backend."""
    first = records[0]
    who = f"seed {first.seed}" if len(records) == 1 else f"mean of {len(records)} seeds"
    return f"{first.id}, {who} on {first.backend}"


def render_files(figure: Figure, stem: Path) -> dict[Path, bytes]:
    """Returns a figure as `{path: bytes}` of an SVG and a PNG, and closes it to free memory."""
    drawn = {
        stem.with_suffix(f".{ending}"): render_figure(figure, ending) for ending in ("svg", "png")
    }
    plt.close(figure)
    return drawn


def render_figure(figure: Figure, ending: str) -> bytes:
    """Returns a figure as the bytes of a file; `ending` is png or svg."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, dpi=200, metadata=METADATA[ending])
    return buffer.getvalue()
