"""Formats what commands print: metrics, tables, and how to continue after an interruption."""

import contextlib
import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate


def format_metrics(metrics: dict[str, float]) -> str:
    """Formats metrics in one line: `loss 0.0412, val_loss 0.0370`."""
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))


def format_table(
    rows: Sequence[Sequence[object]],
    columns: Sequence[str] = (),
    numbers: Sequence[int] = (),
) -> str:
    """Formats rows as a text table.

    Args:
        rows: rows of cells; a cell with line breaks takes several lines.
        columns: headings, if any.
        numbers: the columns to align to the right.
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
    """Breaks the text of a cell into lines of at most `width` characters."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width))


def make_printable(text: str) -> str:
    """Escapes characters that would control the terminal, since the text may be a stranger's."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


@contextlib.contextmanager
def say_how_to_go_on(remedy: str) -> Iterator[None]:
    """Adds how to continue to the error of an interrupt or of a file that cannot be written.

    Args:
        remedy: what to type or do, such as `the same command goes on`.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: {remedy}") from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise RuntimeError(f"the output was closed: {remedy}") from None
        if error.filename is None:
            raise
        raise RuntimeError(
            f"{error.filename} cannot be written ({error.strerror}); once it can, {remedy}"
        ) from None
