"""TODO."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_fmnist.claims.ranking import rank_readings
from keras_fmnist.cli.arguments import check_records_folder
from keras_fmnist.records.record import Record, read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, Spec

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue


def print_ranking(catalogue: "Catalogue", out: str = STUDY) -> None:
    """Prints every reading that has been run, nearest to its printed row first."""
    check_records_folder(out)
    ranked = format_ranking(catalogue.questions, read_records(out))
    print(ranked or f"no reading has been run under {out}: keras-fmnist study 'assumptions/*'")


COLUMNS = ("reading", "epochs", "as it ran", "evaluated", "validation", "off by")


def format_ranking(
    questions: Mapping[AutoencoderSpec | ClassifierSpec, Sequence[Spec]],
    records: Sequence[Record],
) -> str:
    """Lines of Markdown: for each printed row its readings, nearest first.

    Args:
        questions: `{spec of the printed row: readings}`.
        records: of any experiments.
    """
    lines = []
    for row, readings in questions.items():
        ranks = rank_readings(row, readings, records)
        if not ranks:
            continue
        printed = f"{row.published['train_eval_loss']:.4f} / {row.published['val_loss']:.4f}"
        run = sum(one.spec != row for one in ranks)
        lines += [
            f"`{row.id}`, printed {printed}; {run} of {len(readings)} other readings run:",
            "",
        ]
        lines += ["| " + " | ".join(COLUMNS) + " |", "| --- " + "| ---: " * 5 + "|"]
        lines += ["| " + " | ".join(_cells(row, one)) + " |" for one in ranks]
        lines.append("")
    return "\n".join(lines).rstrip()


def _cells(row, one):
    metrics = one.metrics
    off = f"{one.factor:.2f} ({one.training})"
    return (
        f"`{row.id}`" if one.spec == row else one.spec.summary,
        str(one.epochs),
        f"{metrics['loss']:.4f}",
        f"{metrics['train_eval_loss']:.4f}",
        f"{metrics['val_loss']:.4f}",
        f"{off}, undercut" if one.undercut else off,
    )
