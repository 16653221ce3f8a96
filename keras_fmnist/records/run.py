"""A run: one training of an experiment. It knows its files, its command and what it needs.

results/<report>/<experiment>/seed<k>-<backend>-<device>.json and .safetensors
"""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec

RUNS = "runs"  # where a user's own runs go
STUDY = "results"  # the study that is published with the code
NATIVE = "pytorch"  # the backend of a run without Keras, see `pytorch.train`


@dataclass(frozen=True)
class RunFiles:
    """The files of one run: its record, and the others of the same name beside it.

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
        """The saved state of an unfinished run; it is removed when the record is written."""
        return self.record.with_suffix(".checkpoint")

    @property
    def lock(self) -> Path:
        """Locked while a process trains the run."""
        return self.record.with_suffix(".lock")

    @property
    def log(self) -> Path:
        """What the process of a study printed; it is removed when the run has succeeded."""
        return self.record.with_suffix(".log")


@dataclass(frozen=True)
class Run:
    """One training of an experiment.

    Args:
        spec: the experiment, every setting included.
        seed: of the initial weights, the order of the images and dropout.
        backend: torch, jax or tensorflow, or pytorch for the same net without Keras.
        device: cpu or gpu.
        examples: how many training images, from the first on.

    Example:
        >>> from experiments.mansilla import BASE
        >>> run = Run(BASE, seed=0, backend="torch", device="cpu")
        >>> run.files("runs").record.as_posix()
        'runs/mansilla/base/seed0-torch-cpu.json'
        >>> run.command()
        'python -m experiments.mansilla base --seed 0 --device cpu'
    """

    spec: AutoencoderSpec | ClassifierSpec
    seed: int
    backend: str
    device: str
    examples: int = TRAIN_IMAGES

    @property
    def title(self) -> str:
        """The run in messages: `mansilla/base seed 0`."""
        return f"{self.spec.id} seed {self.seed}"

    @property
    def keras_backend(self) -> str:
        """The backend of Keras in the process of the run."""
        return find_keras_backend(self.backend)

    @property
    def needs(self) -> "Run | None":
        """The run of the autoencoder that a pretrained classifier starts from."""
        return replace(self, spec=self.spec.needs) if self.spec.needs else None

    def files(self, out: Path | str) -> RunFiles:
        """Returns the paths of its files in the folder of records `out`."""
        return find_files(out, self.spec.id, self.seed, self.backend, self.device)

    def command(self, deterministic: bool = False) -> str:
        """Returns what to type for this run, without Keras's backend and the folder of records."""
        flags = self.spec.changes | {"seed": self.seed, "device": self.device}
        if self.examples != TRAIN_IMAGES:
            flags["examples"] = self.examples
        if deterministic:
            flags["deterministic"] = True
        if self.backend == NATIVE:
            flags["backend"] = NATIVE
        words = ["python", "-m", f"experiments.{self.spec.report}", self.spec.name]
        for name, value in flags.items():
            text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            words += [f"--{name}", text]
        return shlex.join(words)


def find_keras_backend(backend: str) -> str:
    """Returns the backend of Keras where a run is trained with `backend`: torch for `NATIVE`."""
    return "torch" if backend == NATIVE else backend


def find_published(name: str = STUDY) -> Path | None:
    """Returns the folder of the published study in a clone; None if there is none."""
    folder = Path(__file__).parents[2] / name
    return folder if folder.is_dir() else None


def find_files(
    out: Path | str, experiment_id: str, seed: int, backend: str, device: str
) -> RunFiles:
    """Returns the paths of the files of a run in the folder of records `out`."""
    return RunFiles(Path(out, experiment_id, f"seed{seed}-{backend}-{device}.json"))


def locate_latent_space(out: Path | str, experiment_id: str) -> Path:
    """Returns the path of the latent space of an autoencoder, from which its figures are drawn."""
    folder = Path(out) / experiment_id
    return folder / f"{folder.name}_latent.json"
