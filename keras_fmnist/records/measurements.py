"""Reads what is measured besides the runs: parity, speed, reliability."""

from pathlib import Path

from keras_fmnist.records.json_files import RecordError, read_object

# What `compare`, `bench`, `benchmarks/models.py` and `benchmarks/kill.py` write: the files in the
# folder of the records, and the fields that each must have.
MEASUREMENTS = {
    "parity": ("parity/*.json", {"experiment", "backend", "rows", "equivalence", "defaults"}),
    "benchmarks": ("benchmarks/[cg]pu*.json", {"machine", "versions", "experiments"}),
    "models": ("benchmarks/models.json", {"processor", "versions", "models"}),
    "reliability": (
        "reliability/*.json",
        {"kills", "resumed", "identical", "epochs_lost", "backup_and_restore"},
    ),
}


def read_measurements(out: Path | str, kind: str) -> dict[str, dict]:
    """Reads measurements: `{name: content}` of its files `<name>.json`.

    Args:
        out: the folder of the records.
        kind: one of `MEASUREMENTS`.

    Raises:
        RecordError: a file is not a JSON object, or lacks a field.
    """
    found = {}
    names, fields = MEASUREMENTS[kind]
    for path in sorted(Path(out).glob(names)):
        found[path.stem] = read_object(path)
        if missing := sorted(fields - found[path.stem].keys()):
            raise RecordError(f"{path} lacks the field {missing[0]}")
    return found
