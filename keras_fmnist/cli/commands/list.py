"""TODO."""

from collections.abc import Sequence

from keras_fmnist.cli.arguments import check_records_folder
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.specs import Spec


def list_experiments(specs: Sequence[Spec], out: str = STUDY) -> None:
    """Prints every experiment and how many runs of it lie under `out`."""
    check_records_folder(out)
    counts = {}
    for record in read_records(out):
        counts[record.id] = counts.get(record.id, 0) + 1
    width = max(len(spec.id) for spec in specs)
    for spec in specs:
        count = counts.get(spec.id, 0)
        print(f"{spec.id:{width}}  {count} run{'s' * (count != 1):1}  {spec.summary}")
