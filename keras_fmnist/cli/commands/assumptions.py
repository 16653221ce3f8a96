"""`keras-fmnist assumptions`: what a report leaves open, and which reading explains it best."""

from collections.abc import Mapping, Sequence

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.ranking import Rank, rank_readings
from keras_fmnist.cli.arguments import RecordsFolder, find_records_folder, say_where_records_are
from keras_fmnist.cli.output import format_table
from keras_fmnist.records.record import Record, read_records
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, Spec

COLUMNS = ("reading", "epochs", "as it ran", "evaluated", "validation", "off by")


def print_ranking(catalogue: Catalogue, *, out: RecordsFolder = None) -> None:
    """Ranks the readings of what a report leaves open by how near they come to its numbers."""
    out = find_records_folder(out)
    say_where_records_are(out)
    ranking = format_ranking(catalogue.questions, read_records(out))
    print(ranking or f"no reading has been run under {out}: keras-fmnist study 'assumptions/*'")


def format_ranking(
    questions: Mapping[AutoencoderSpec | ClassifierSpec, Sequence[Spec]],
    records: Sequence[Record],
) -> str:
    """Lines of text: for each printed row its readings, nearest first.

    Args:
        questions: `{spec of the printed row: readings}`.
        records: of any experiments.
    """
    parts = []
    for row, readings in questions.items():
        ranks = rank_readings(row, readings, records)
        if not ranks:
            continue
        printed = f"{row.published['train_eval_loss']:.4f} / {row.published['val_loss']:.4f}"
        run = sum(rank.spec != row for rank in ranks)
        title = f"{row.id}, printed {printed}; {run} of {len(readings)} other readings run:"
        table = format_table([_format_rank(row, rank) for rank in ranks], COLUMNS, range(1, 6))
        parts.append(f"{title}\n\n{table}")
    return "\n\n".join(parts)


def _format_rank(row: Spec, rank: Rank) -> tuple[str, ...]:
    off_by = f"{rank.factor:.2f} ({rank.training})"
    return (
        row.id if rank.spec == row else rank.spec.summary,
        str(rank.epochs),
        f"{rank.metrics['loss']:.4f}",
        f"{rank.metrics['train_eval_loss']:.4f}",
        f"{rank.metrics['val_loss']:.4f}",
        f"{off_by}, undercut" if rank.undercut else off_by,
    )
