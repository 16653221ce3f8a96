"""`keras-fmnist claims`: what the reports claim, and what the records say."""

import shutil
from collections.abc import Sequence

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.claim import Verdict, count_verdicts, judge_claims
from keras_fmnist.cli.arguments import JsonFile, RecordsFolder, check_records_folder, check_target
from keras_fmnist.cli.output import format_table
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
    verdicts = judge_claims(catalogue.claims, read_records(out))
    print(format_claims(verdicts, shutil.get_terminal_size().columns))
    if json is not None:
        write_json(json, [verdict.to_json() for verdict in verdicts])


def format_claims(verdicts: Sequence[Verdict], width: int) -> str:
    """Lines of text: each claim's name over four columns, and the verdicts counted.

    Args:
        verdicts: what `judge_claims` returned.
        width: characters a line, taken for at least 80 and at most 200.
    """
    room = min(max(width, NARROWEST), WIDEST) - 2 * (len(SHARES) - 1)
    widths = [int(share * room) for share in SHARES]
    cells = []
    for verdict in verdicts:
        claim = f"{verdict.claim.id}\n{verdict.claim.claim.english}"
        ours = "\n".join(text.english for text in verdict.describe_ours())
        why = (verdict.describe_why(), *verdict.describe_beside())
        said = "\n".join([verdict.word, *(text.english for text in why)])
        cells.append((claim, verdict.describe_published().english, ours, said))
        cells.append(("",) * len(COLUMNS))
    return f"{format_table(cells, COLUMNS, widths=widths)}\n{count_verdicts(verdicts).english}"
