"""A run: one training of an experiment. It knows its files, its command and what it needs.

results/<report>/<experiment>/seed<k>-<backend>-<device>.json and .safetensors
"""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec

RUNS = "runs"  # where a user's own runs go
STUDY = "results"  # the study that is published with the code


@dataclass(frozen=True)
class RunFiles:
    """The files of one run: its record, and beside it those of the same name.

    Args:
        record: path of the JSON file.
    """

    record: Path

    @property
    def weights(self) -> Path:
        """The trained weights, a safetensors file."""
        return self.record.with_suffix(".safetensors")

    @property
    def checkpoint(self) -> Path:
        """What an interrupted run goes on from; it is removed when the record is written."""
        return self.record.with_suffix(".checkpoint")

    @property
    def lock(self) -> Path:
        """Locked while a process runs it."""
        return self.record.with_suffix(".lock")

    @property
    def log(self) -> Path:
        """What a study's process prints, until it has succeeded."""
        return self.record.with_suffix(".log")


@dataclass(frozen=True)
class Run:
    """One training of an experiment.

    Args:
        spec: the experiment, every setting included.
        seed: of the initial weights, the order of the images and dropout.
        backend: torch, jax or tensorflow.
        device: cpu or gpu.
        examples: train on the first so many images.
    """

    spec: AutoencoderSpec | ClassifierSpec
    seed: int
    backend: str
    device: str
    examples: int = TRAIN_IMAGES

    @property
    def title(self) -> str:
        """`mansilla/base seed 0`."""
        return f"{self.spec.id} seed {self.seed}"

    @property
    def needs(self) -> "Run | None":
        """The run of the autoencoder that a pretrained classifier starts from."""
        return replace(self, spec=self.spec.needs) if self.spec.needs else None

    def files(self, out: Path | str) -> RunFiles:
        """Its files in the folder of records `out`."""
        return find_files(out, self.spec.id, self.seed, self.backend, self.device)

    def command(self, deterministic: bool = False) -> str:
        """What to type for this run; the backend and the folder of records are not in it."""
        flags = self.spec.changes | {"seed": self.seed, "device": self.device}
        if self.examples != TRAIN_IMAGES:
            flags["examples"] = self.examples
        if deterministic:
            flags["deterministic"] = True
        words = ["python", "-m", f"experiments.{self.spec.report}", self.spec.name]
        for name, value in flags.items():
            text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            words += [f"--{name}", text]
        return shlex.join(words)


def find_files(
    out: Path | str, experiment_id: str, seed: int, backend: str, device: str
) -> RunFiles:
    """The files of a run in the folder of records `out`."""
    return RunFiles(Path(out, experiment_id, f"seed{seed}-{backend}-{device}.json"))


def locate_latent_space(out: Path | str, experiment_id: str) -> Path:
    """Where the latent space of an autoencoder lies, from which its figures are drawn."""
    folder = Path(out) / experiment_id
    return folder / f"{folder.name}_latent.json"
