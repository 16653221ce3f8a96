"""`keras-fmnist claims`: what the reports claim, and what the records say."""

import shutil
from collections.abc import Sequence

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.claim import count_verdicts, describe_ours, judge_claims
from keras_fmnist.cli.arguments import JsonFile, RecordsFolder, check_records_folder, check_target
from keras_fmnist.cli.output import format_table, wrap_cell
from keras_fmnist.files import write_json
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY

COLUMNS = ("claim", "published", "ours", "verdict and why")
SHARES = (0.26, 0.2, 0.28, 0.26)  # of a line
NARROWEST, WIDEST = 80, 200  # characters a line


def print_claims(
    catalogue: Catalogue,
    *,
    json: JsonFile = None,
    out: RecordsFolder = STUDY,
) -> None:
    """What each report claims, what the records say, and whether that is the same.

    Raises:
        SpecError: an argument is wrong; nothing was written.
    """
    check_records_folder(out)
    if json is not None:
        check_target("json", json, ".json")
    rows = judge_claims(catalogue.claims, read_records(out))
    print(format_claims(rows, shutil.get_terminal_size().columns))
    if json is not None:
        write_json(json, rows)


def format_claims(rows: Sequence[dict], width: int) -> str:
    """Lines of text: each claim's name over four columns, and the verdicts counted.

    Args:
        rows: what `judge_claims` returned.
        width: characters a line, taken for at least 80 and at most 200.
    """
    room = min(max(width, NARROWEST), WIDEST) - 2 * (len(SHARES) - 1)
    widths = [int(share * room) for share in SHARES]
    cells = []
    for row in rows:
        ours, verdict = "\n".join(describe_ours(row)), f"{row['verdict']}\n{row['why']}"
        texts = (row["claim"], row["published"], ours, verdict)
        cells.append(list(map(wrap_cell, texts, widths)))
    head, *lines = format_table(cells, COLUMNS).splitlines()
    shown = [head, ""]
    for row, texts in zip(rows, cells, strict=True):
        height = 1 + max(text.count("\n") for text in texts)
        shown += [row["id"], *lines[:height], ""]
        del lines[:height]
    return "\n".join([*shown, count_verdicts(rows)])
