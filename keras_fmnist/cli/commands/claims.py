"""`keras-fmnist claims`: what the reports claim, and what the records say."""

import shutil
import textwrap
from collections.abc import Sequence

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.claim import (
    Verdict,
    count_verdicts,
    describe_expected_errors,
    judge_claims,
)
from keras_fmnist.cli.arguments import (
    JsonFile,
    RecordsFolder,
    check_target,
    find_records_folder,
    say_where_records_are,
)
from keras_fmnist.cli.output import format_table, wrap_cell
from keras_fmnist.files import write_json
from keras_fmnist.records.record import read_records
from keras_fmnist.settings import SpecError

COLUMNS = ("claim", "published", "ours", "verdict and why")
SHARES = (0.26, 0.2, 0.28, 0.26)  # of a line
NARROWEST, WIDEST = 80, 200  # characters a line


def print_claims(
    catalogue: Catalogue,
    *,
    json: JsonFile = None,
    out: RecordsFolder = None,
) -> None:
    """What each report claims, what the records say, and whether that is the same.

    Raises:
        SpecError: an argument is wrong; nothing was written.
    """
    out = find_records_folder(out)
    if json is not None:
        check_target("json", json, ".json")
    records = read_records(out)
    if not records:
        raise SpecError(f"{out} holds no records: every claim would be undecided")
    say_where_records_are(out)
    verdicts = judge_claims(catalogue.claims, records)
    print(format_claims(verdicts, shutil.get_terminal_size().columns))
    if json is not None:
        write_json(json, [verdict.to_json() for verdict in verdicts])


def format_claims(verdicts: Sequence[Verdict], width: int) -> str:
    """Text: below each claim's name what belongs to it in four columns, and the verdicts counted.

    Args:
        verdicts: what `judge_claims` returned.
        width: characters a line, taken for at least 80 and at most 200.
    """
    width = min(max(width, NARROWEST), WIDEST)
    widths = [int(share * (width - 2 * (len(SHARES) - 1))) for share in SHARES]
    cells = []
    for verdict in verdicts:
        ours = "\n".join(text.english for text in verdict.describe_ours())
        reasons = (verdict.describe_why(), *verdict.describe_beside())
        why = "\n".join([verdict.word, *(text.english for text in reasons)])
        texts = (verdict.claim.claim.english, verdict.describe_published().english, ours, why)
        cells.append(list(map(wrap_cell, texts, widths)))
    head, *lines = format_table(cells, COLUMNS).splitlines()
    shown = [head, ""]
    for verdict, texts in zip(verdicts, cells, strict=True):
        height = 1 + max(text.count("\n") for text in texts)
        shown += [verdict.claim.id, *lines[:height], ""]
        del lines[:height]
    errors = describe_expected_errors([verdict.claim for verdict in verdicts])
    below = (errors.english + ".", count_verdicts(verdicts).english)
    return "\n".join([*shown, "\n\n".join(textwrap.fill(line, width) for line in below)])
