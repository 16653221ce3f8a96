"""`keras-fmnist assumptions`: which reading of a report's gaps fits its numbers best."""

from collections.abc import Mapping, Sequence

from keras_fmnist.claims.alternatives import Alternatives
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.ranking import rank_readings
from keras_fmnist.cli.arguments import RecordsFolder, find_records_folder, say_where_records_are
from keras_fmnist.cli.output import format_table
from keras_fmnist.records.record import Record, read_records
from keras_fmnist.reporting.tables import (
    RANK_COLUMNS,
    describe_question,
    describe_rank,
    list_alternatives,
)
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, Spec


def print_ranking(catalogue: Catalogue, *, out: RecordsFolder = None) -> None:
    """Ranks the readings of what a report leaves open by how near they come to its numbers.

    Where no number is printed, it counts on how many seeds each statement of the report holds.
    """
    out = find_records_folder(out)
    say_where_records_are(out)
    records = read_records(out)
    ranking = format_ranking(catalogue.questions, records)
    print(ranking or f"no reading has been run under {out}: keras-fmnist study 'assumptions/*'")
    if catalogue.alternatives:
        print(f"\n{format_alternatives(catalogue.alternatives, records)}")


def format_ranking(
    questions: Mapping[AutoencoderSpec | ClassifierSpec, Sequence[Spec]],
    records: Sequence[Record],
) -> str:
    """Formats a table for each printed row: its readings, the nearest first.

    Args:
        questions: `{spec of the printed row: readings}`.
        records: of any experiments.
    """
    parts = []
    for row, readings in questions.items():
        ranks = rank_readings(row, readings, records)
        if not ranks:
            continue
        rows = [describe_rank(row, rank) for rank in ranks]
        table = format_table(rows, RANK_COLUMNS, range(1, len(RANK_COLUMNS)))
        parts.append(f"{describe_question(row, readings, ranks)}:\n\n{table}")
    return "\n\n".join(parts)


def format_alternatives(alternatives: Alternatives, records: Sequence[Record]) -> str:
    """Formats a table: on how many seeds each statement holds for each alternative, and sums."""
    columns, rows = list_alternatives(alternatives, records)
    title = f"{alternatives.gap}, seeds on which what is said holds:"
    return f"{title}\n\n{format_table(rows, columns)}"
