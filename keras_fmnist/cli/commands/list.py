"""`keras-fmnist list`: lists every experiment."""

from collections import Counter

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import RecordsFolder, find_records_folder, say_where_records_are
from keras_fmnist.cli.output import format_table
from keras_fmnist.records.record import read_records


def list_experiments(catalogue: Catalogue, *, out: RecordsFolder = None) -> None:
    """Lists every experiment, and how many seeds of it have been run."""
    out = find_records_folder(out)
    say_where_records_are(out)
    counts = Counter(record.id for record in read_records(out))
    rows = [
        (spec.id, f"{counts[spec.id]} run{'s' * (counts[spec.id] != 1)}", spec.summary)
        for spec in catalogue.specs
    ]
    print(format_table(rows))
