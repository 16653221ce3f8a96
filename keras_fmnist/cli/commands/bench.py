"""`keras-fmnist bench`: what a training step costs."""

from functools import partial
from json import dumps
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
    whole: Annotated[bool, "also whole runs, batch sizes, numbers of images, memory"] = False,
    json: JsonFile = None,
) -> None:
    """Times a training step: ours, stock Keras and native PyTorch, taking turns.

    Each variant has a process of its own, and on torch without a GPU so has stock Keras on every
    other backend that is installed.

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
    from keras_fmnist.pytorch import benchmark, turns

    dataset = data.load()
    content = {
        "machine": provenance.machine() | turns.kernels(),
        "versions": provenance.versions(),
        "backend": backends.get_backend(),
        "experiments": {},
    }
    others = turns.rivals(backends.list_installed())
    if whole:
        content["runs"] = {}
    for spec in chosen:
        for kind in ("steps", "runs") if whole else ("steps",):
            variants = turns.processes(spec, dataset, others, kind)
            bar = partial(tqdm, desc=f"{spec.id}, {kind}", unit="round", disable=None)
            settings = {"steps": steps, "rounds": rounds, "progress": bar}
            taken = turns.measure(kind, variants, spec, dataset, **settings)
            found = benchmark.summarize(taken)
            content["experiments" if kind == "steps" else kind][spec.id] = found
            print(f"{spec.id}, {kind}", format_summary(found), sep="\n", flush=True)
    if whole:
        content["growth"] = benchmark.growth(chosen[0], dataset, rounds=rounds)
        content["peak_memory_mib"] = benchmark.peak_memory(chosen[0], dataset)
        print(dumps({name: content[name] for name in ("growth", "peak_memory_mib")}, indent=1))
    if json is not None:
        write_json(json, content)


def format_summary(summary: dict[str, dict]) -> str:
    """What `summarize` gives as a table: milliseconds a step, then ratios with their quartiles."""
    rows = [(name, f"{ms:.2f}", "ms a step") for name, ms in summary["ms_per_step"].items()]
    for name, ratio in summary["ratios"].items():
        low, _, high = summary["quartiles"][name]
        rows.append((name, f"{ratio:.2f}", f"[{low:.2f}, {high:.2f}]"))
    return format_table(rows, numbers=(1,))
