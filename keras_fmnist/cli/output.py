"""What commands print: metrics in a line, tables, and how to go on after an interruption."""

import contextlib
import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate


def format_metrics(metrics: dict[str, float]) -> str:
    """Metrics in one line: `loss 0.0412, val_loss 0.0370`."""
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))


def format_table(
    rows: Sequence[Sequence[object]],
    columns: Sequence[str] = (),
    numbers: Sequence[int] = (),
) -> str:
    """Rows as lines of text, in columns.

    Args:
        rows: cells are text; one with line breaks takes several lines.
        columns: headings, or none.
        numbers: which columns are set to the right.
    """
    count = max([len(columns), *map(len, rows)])
    table = tabulate(
        rows,
        headers=columns,
        tablefmt="plain",
        colalign=["right" if k in numbers else "left" for k in range(count)] if rows else None,
        disable_numparse=True,
    )
    return "\n".join(line.rstrip() for line in table.splitlines())


def wrap_cell(text: str, width: int) -> str:
    """The lines of a cell, each at most so many characters wide."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width))


@contextlib.contextmanager
def say_how_to_go_on(remedy: str) -> Iterator[None]:
    """Has an interrupt, and a file that cannot be written, say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: {remedy}") from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise RuntimeError(f"nobody reads the output any longer: {remedy}") from None
        if error.filename is None:
            raise
        raise RuntimeError(
            f"{error.filename} cannot be written ({error.strerror}); once it can, {remedy}"
        ) from None
