"""Reads what is measured besides the runs: parity, speed, reliability."""

from pathlib import Path

from keras_fmnist.records.json_files import RecordError, read_object

# What `compare`, `bench` and `benchmarks/kill.py` write: the names of the files, and the fields that
# each must have. `benchmarks/models.py` leaves another file beside those of `bench`.
MEASUREMENTS = {
    "parity": ("*.json", {"experiment", "backend", "rows", "equivalence", "defaults"}),
    "benchmarks": ("[cg]pu*.json", {"machine", "versions", "experiments"}),
    "reliability": (
        "*.json",
        {"kills", "resumed", "identical", "epochs_lost", "backup_and_restore"},
    ),
}


def read_measurements(out: Path | str, kind: str) -> dict[str, dict]:
    """Reads measurements: `{name: content}` of the files `<out>/<kind>/<name>.json`.

    Args:
        out: the folder of the records.
        kind: one of `MEASUREMENTS`.

    Raises:
        RecordError: a file is not a JSON object, or lacks a field.
    """
    found = {}
    names, fields = MEASUREMENTS[kind]
    for path in sorted(Path(out, kind).glob(names)):
        found[path.stem] = read_object(path)
        if missing := sorted(fields - found[path.stem].keys()):
            raise RecordError(f"{path} lacks the field {missing[0]}")
    return found
