"""`keras-fmnist bench`: what a training step costs."""

from functools import partial
from json import dumps
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
from keras_fmnist.records.json_files import read_object
from keras_fmnist.settings import SpecError

PARTS = {"steps": "experiments", "runs": "runs"}  # of a file, by what is measured


def bench(
    catalogue: Catalogue,
    *experiments: Annotated[str, "such as mansilla/base; four where none is given"],
    steps: Annotated[int, "steps an epoch"] = 30,
    rounds: Annotated[int, "epochs of each variant that count"] = 9,
    whole: Annotated[bool, "also whole runs: evaluation, metrics, a checkpoint an epoch"] = False,
    growth: Annotated[bool, "also by batch size and number of images, and the memory"] = False,
    json: JsonFile = None,
) -> None:
    """Times a training step: ours, stock Keras and native PyTorch, taking turns.

    Each variant has a process of its own, and on torch without a GPU so has stock Keras on every
    other backend that is installed. A file that has been measured on the same machine, with the
    same versions, is added to, after each table.

    Raises:
        SpecError: an argument is wrong.
    """
    chosen = [find_experiment(catalogue.specs, name) for name in experiments]
    chosen = chosen or list(catalogue.benched)
    check_int("steps", steps, 1, 600)
    check_int("rounds", rounds, 2, 1000)
    check_flag("whole", whole)
    check_flag("growth", growth)
    if json is not None:
        check_target("json", json, ".json")
    backends.select_device("auto")
    from tqdm import tqdm

    from keras_fmnist import data
    from keras_fmnist.pytorch import benchmark, turns

    dataset = data.load()
    content = _read_measured(
        json,
        {
            "machine": provenance.machine() | turns.kernels(),
            "versions": provenance.versions(),
            "backend": backends.get_backend(),
        },
    )

    def save():
        if json is not None:
            write_json(json, content)

    others = turns.rivals(backends.list_installed())
    for spec in chosen:
        for kind in turns.KINDS if whole else ("steps",):
            variants = turns.processes(spec, dataset, others, kind)
            bar = partial(tqdm, desc=f"{spec.id}, {kind}", unit="round", disable=None)
            settings = {"steps": steps, "rounds": rounds, "progress": bar}
            taken = turns.measure(kind, variants, spec, dataset, **settings)
            found = benchmark.summarize(taken) | {"rounds": rounds}
            content.setdefault(PARTS[kind], {})[spec.id] = found
            print(f"{spec.id}, {kind}", format_summary(found), sep="\n", flush=True)
            save()
    if growth:
        content["growth"] = benchmark.growth(chosen[0], dataset, rounds=rounds)
        content["peak_memory_mib"] = benchmark.peak_memory(chosen[0], dataset)
        print(dumps({name: content[name] for name in ("growth", "peak_memory_mib")}, indent=1))
        save()


def _read_measured(path, setting):
    """What a file holds, if it was measured in the same setting, else the setting alone."""
    if path is None or not Path(path).exists():
        return setting
    found = read_object(path)
    changed = [name for name, value in setting.items() if found.get(name) != value]
    if changed:
        raise SpecError(f"json {path} has another {changed[0]} than this one: choose another file")
    return found


def format_summary(summary: dict[str, dict]) -> str:
    """What `summarize` gives as a table: milliseconds a step, then ratios with their quartiles."""
    rows = [(name, f"{ms:.2f}", "ms a step") for name, ms in summary["ms_per_step"].items()]
    for name, ratio in summary["ratios"].items():
        low, _, high = summary["quartiles"][name]
        rows.append((name, f"{ratio:.2f}", f"[{low:.2f}, {high:.2f}]"))
    return format_table(rows, numbers=(1,))
