"""A run: one experiment, one seed, one machine. It knows its files and its command."""

import shlex
from pathlib import Path

from keras_fmnist.specs import Spec

RUNS = "runs"  # where a user's own runs go
STUDY = "results"  # the study that is published with the code


def run_path(out: Path | str, experiment_id: str, seed: int, backend: str, device: str) -> Path:
    """Where the record of a run lies; its weights lie beside it, see `weights_path`."""
    return Path(out) / experiment_id / f"seed{seed}-{backend}-{device}.json"


def weights_path(record_path: Path) -> Path:
    """The safetensors file beside a record."""
    return record_path.with_suffix(".safetensors")


def checkpoint_path(record_path: Path) -> Path:
    """What a run goes on from lies beside its record until the record is there."""
    return record_path.with_suffix(".checkpoint")


def lock_path(record_path: Path) -> Path:
    """The file beside a record that is there while a process runs it."""
    return record_path.with_suffix(".lock")


def latent_path(out: Path | str, experiment_id: str) -> Path:
    """Where the latent space of an autoencoder lies, from which its figures are drawn."""
    folder = Path(out) / experiment_id
    return folder / f"{folder.name}_latent.json"


def run_command(spec: Spec, seed: int, device: str, **more: int | None) -> str:
    """What to type for this run, with `more` flags; without backend and folder of results."""
    flags = spec.changes | {"seed": seed, "device": device}
    flags |= {name: value for name, value in more.items() if value}
    words = ["python", "-m", f"experiments.{spec.report}", spec.name]
    for name, value in flags.items():
        text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        words += [f"--{name}", text]
    return shlex.join(words)
