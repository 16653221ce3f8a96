"""TODO."""

import shutil
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from keras_fmnist.claims.claim import count_verdicts, describe_ours, judge_claims
from keras_fmnist.cli.arguments import check_records_folder, check_target
from keras_fmnist.files import write_json
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue


def print_claims(catalogue: "Catalogue", out: str = STUDY, json: str | None = None) -> None:
    """Prints what each report claims, what the records under `out` say, and the verdict.

    Raises:
        SpecError: an argument is wrong; nothing was written.
    """
    check_records_folder(out)
    if json is not None:
        check_target("json", json, ".json")
    rows = judge_claims(catalogue.claims, read_records(out))
    print(*format_claims(rows, shutil.get_terminal_size().columns), sep="\n")
    if json is not None:
        write_json(json, rows)


COLUMNS = (0.26, 0.2, 0.28, 0.26)  # claim, published, ours, verdict: shares of a line


def format_claims(rows: Sequence[dict], width: int) -> list[str]:
    """Lines of text: each claim's name and four columns, and the verdicts counted.

    Args:
        rows: what `judge` returned.
        width: characters a line, taken for at least 80 and at most 200.
    """
    shown = _wrap_cells([["claim"], ["published"], ["ours"], ["verdict and why"]], width)
    for row in rows:
        verdict = [row["verdict"], row["why"]]
        cells = [[row["claim"]], [row["published"]], describe_ours(row), verdict]
        shown += [row["id"], *_wrap_cells(cells, width)]
    return [*shown, count_verdicts(rows)]


def _wrap_cells(cells, width):
    """Cells side by side, each a list of texts that begin on a new line; then an empty line."""
    room = min(max(width, 80), 200) - 2 * (len(COLUMNS) - 1)
    columns = [int(share * room) for share in COLUMNS]
    broken = [
        [line for text in cell for line in textwrap.wrap(text, column)]
        for cell, column in zip(cells, columns, strict=True)
    ]
    lines = []
    for parts in zip_longest(*broken, fillvalue=""):
        padded = (f"{part:{column}}" for part, column in zip(parts, columns, strict=True))
        lines.append("  ".join(padded).rstrip())
    return [*lines, ""]
