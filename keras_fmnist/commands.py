"""What the commands do, once the command line knows that every argument is right.

Keras is imported here and not before, so that help and errors come at once.
"""

import importlib.util
import os
from pathlib import Path

from keras_fmnist import results
from keras_fmnist.settings import SpecError

BACKENDS = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow"}
DEVICES = ("auto", "cpu", "gpu")


def run_experiments(
    specs, seed=0, seeds=1, device="auto", out=results.RUNS, examples=None, force=False
):
    """Runs experiments one after the other, draws their figures and says where everything is.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
    """
    _check_whole("seed", seed, 0, 2**31 - 1)
    _check_whole("seeds", seeds, 1, 1000)
    if examples is not None:
        _check_whole("examples", examples, 1, 60_000)
    _flag("force", force)
    _check_folder(out)
    _choose_device(device)
    from keras_fmnist import figures, train

    if device == "gpu" and train.device() != "gpu":
        raise SpecError(f"device gpu: {_backend()} finds no GPU here; leave it out, or say cpu")
    for spec in specs:
        for number in range(seed, seed + seeds):
            record = train.run(spec, number, out, examples=examples, force=force)
            print(f"{record.id} seed {record.seed}: {_words(record.metrics)}", flush=True)
        pictures = figures.draw(out, record.id)
        print(f"  {pictures[0].parent}: record, weights and {len(pictures)} figures", flush=True)


def _words(metrics):
    shown = (f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
    return ", ".join(shown)


def _check_whole(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def _flag(name, value):
    if not isinstance(value, bool):
        raise SpecError(f"{name} takes no value, not {value!r}")
    return value


def _check_folder(out):
    """Holds `out` to be a folder, or a name that can become one."""
    if not isinstance(out, str) or not out.strip() or "\0" in out:
        raise SpecError(f"out must name a folder, such as runs, not {out!r}")
    there = Path(out).absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise SpecError(f"out {out}: {there} is a file, not a folder")
    if not os.access(there, os.W_OK):
        raise SpecError(f"out {out}: {there} cannot be written")


def _backend():
    backend = os.environ["KERAS_BACKEND"]
    if backend not in BACKENDS:
        raise SpecError(f"KERAS_BACKEND must be {', '.join(BACKENDS)}, not {backend!r}")
    if importlib.util.find_spec(BACKENDS[backend]) is None:
        raise SpecError(f"{backend} is not installed: pip install 'keras-fmnist[{backend}]'")
    return backend


def _choose_device(device):
    """Hides the GPUs where the CPU is asked for; must come before the backend is imported."""
    if device not in DEVICES:
        raise SpecError(f"device must be {', '.join(DEVICES)}, not {device!r}")
    _backend()
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"


def list_experiments(specs, out=results.STUDY):
    """Prints every experiment and how many runs of it lie under `out`."""
    counts = {}
    for record in results.read_all(out):
        counts[record.id] = counts.get(record.id, 0) + 1
    width = max(len(spec.id) for spec in specs)
    for spec in specs:
        print(f"{spec.id:{width}}  {counts.get(spec.id, 0)} runs  {spec.summary}")


def prepare_data(force=False):
    """Prepares the data where they are not, and prints what they are."""
    from keras_fmnist import data

    data.prepare(force=_flag("force", force))
    for name, value in data.describe().items():
        print(f"{name:7} {value}")


def write_report(specs, out=results.STUDY):
    """Draws the figures of every experiment that has records; renews README.md for the study."""
    from keras_fmnist import figures, report

    records = results.read_all(out)
    for experiment_id in dict.fromkeys(record.id for record in records):
        for picture in figures.draw(out, experiment_id):
            print(picture)
    readme = Path(__file__).parent.parent / "README.md"
    if Path(out).resolve() == (readme.parent / results.STUDY).resolve():
        report.write_readme(readme, specs, out)
        print(readme)
    else:
        print(report.results_table(specs, records))
