"""What is measured beside the study: parity, speed, reliability."""

from pathlib import Path

from keras_fmnist.records.json_files import RecordError, read_object

# What `compare`, `bench` and `benchmarks/kill.py` write beside the records, and what it must hold.
MEASUREMENTS = {
    "parity": {"experiment", "backend", "rows", "equivalence", "defaults"},
    "benchmarks": {"machine", "versions", "experiments"},
    "reliability": {"kills", "resumed", "identical", "epochs_lost", "backup_and_restore"},
}


def read_measurements(out: Path | str, kind: str) -> dict[str, dict]:
    """What was measured beside native PyTorch: `{name: content}` of `<out>/<kind>/<name>.json`.

    Raises:
        RecordError: a file is no JSON object, or lacks what it must hold.
    """
    found = {}
    for path in sorted(Path(out, kind).glob("*.json")):
        found[path.stem] = read_object(path)
        if missing := sorted(MEASUREMENTS[kind] - found[path.stem].keys()):
            raise RecordError(f"{path} lacks the field {missing[0]}")
    return found
