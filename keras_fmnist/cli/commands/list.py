"""`keras-fmnist list`: lists every experiment."""

from collections import Counter

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import RecordsFolder, check_records_folder
from keras_fmnist.cli.output import format_table
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY


def list_experiments(catalogue: Catalogue, *, out: RecordsFolder = STUDY) -> None:
    """Lists every experiment, and how many seeds of it have been run."""
    check_records_folder(out)
    counts = Counter(record.id for record in read_records(out))
    rows = [
        (spec.id, f"{counts[spec.id]} run{'s' * (counts[spec.id] != 1)}", spec.summary)
        for spec in catalogue.specs
    ]
    print(format_table(rows))
