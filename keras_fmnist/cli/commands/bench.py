"""`keras-fmnist bench`: what a training step costs."""

import os
import subprocess
import sys
import tempfile
from functools import partial
from json import dumps, loads
from pathlib import Path
from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    JsonFile,
    check_flag,
    check_int,
    check_target,
    find_experiment,
)
from keras_fmnist.cli.output import format_table
from keras_fmnist.files import write_json
from keras_fmnist.records import provenance


def bench(
    catalogue: Catalogue,
    *experiments: Annotated[str, "such as mansilla/base; four where none is given"],
    steps: Annotated[int, "steps an epoch"] = 30,
    rounds: Annotated[int, "epochs of each variant that count"] = 9,
    whole: Annotated[bool, "also over batch sizes and numbers of images, and memory"] = False,
    json: JsonFile = None,
) -> None:
    """Times a training step: ours, stock Keras and native PyTorch, taking turns.

    On torch the other backends that are installed follow, each in a process of its own.

    Raises:
        SpecError: an argument is wrong.
    """
    chosen = [find_experiment(catalogue.specs, name) for name in experiments]
    chosen = chosen or list(catalogue.benched)
    check_int("steps", steps, 1, 600)
    check_int("rounds", rounds, 2, 1000)
    check_flag("whole", whole)
    if json is not None:
        check_target("json", json, ".json")
    backends.select_device("auto")
    from tqdm import tqdm

    from keras_fmnist import data
    from keras_fmnist.pytorch import benchmark

    dataset = data.load()
    content = {
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "backend": backends.get_backend(),
        "experiments": {},
    }
    for spec in chosen:
        bar = partial(tqdm, desc=spec.id, unit="round", disable=None)
        taken = benchmark.measure(spec, dataset, steps=steps, rounds=rounds, progress=bar)
        content["experiments"][spec.id] = benchmark.summarize(taken)
        print(spec.id, format_summary(content["experiments"][spec.id]), sep="\n", flush=True)
    if whole:
        content["growth"] = benchmark.growth(chosen[0], dataset, rounds=rounds)
        content["peak_memory_mib"] = benchmark.peak_memory(chosen[0], dataset)
        print(dumps({name: content[name] for name in ("growth", "peak_memory_mib")}, indent=1))
    if backends.get_backend() == "torch":
        others = [name for name in backends.list_installed() if name != "torch"]
        found = {n: _bench_elsewhere(n, [s.id for s in chosen], steps, rounds) for n in others}
        content["backends"] = {name: one for name, one in found.items() if one}
    if json is not None:
        write_json(json, content)


def _bench_elsewhere(backend, experiments, steps, rounds):
    """The `experiments` part of a bench on another backend, which needs another process.

    None where that fails: its error has been printed, and the numbers of torch are not lost.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.json")
        words = [sys.executable, "-m", "experiments", "bench", *experiments]
        words += ["--steps", str(steps), "--rounds", str(rounds), "--json", str(path)]
        print(f"\n{backend}", flush=True)
        ended = subprocess.run(words, env=os.environ | {"KERAS_BACKEND": backend}, check=False)
        if ended.returncode:
            print(f"{backend} is left out", flush=True)
            return None
        return loads(path.read_bytes())["experiments"]


def format_summary(summary: dict[str, dict]) -> str:
    """What `summarize` gives as a table: milliseconds a step, then ratios with their quartiles."""
    rows = [(name, f"{ms:.2f}", "ms a step") for name, ms in summary["ms_per_step"].items()]
    for name, ratio in summary["ratios"].items():
        low, _, high = summary["quartiles"][name]
        rows.append((name, f"{ratio:.2f}", f"[{low:.2f}, {high:.2f}]"))
    return format_table(rows, numbers=(1,))
