"""What the commands do that hold ours to native PyTorch: compare, convert, bench."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from json import dumps
from pathlib import Path

from keras_fmnist import checks, formats, provenance
from keras_fmnist.files import write_json
from keras_fmnist.settings import SpecError, shown
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec

CONVERTED = (".safetensors", ".pt", ".pth", ".keras")  # what `convert` writes


def compare(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiment: str,
    seeds: int = 5,
    epochs: int = 3,
    examples: int = 6000,
    json: str | None = None,
) -> None:
    """Prints ours beside native PyTorch; fails where a layer is over its tolerance.

    Raises:
        SpecError: an argument is wrong.
        RuntimeError: a row is over its tolerance; the message names the first.
    """
    spec = checks.experiment(specs, experiment)
    checks.whole("seeds", seeds, 2, 1000)
    checks.whole("epochs", epochs, 1, 10_000)
    checks.whole("examples", examples, 1, TRAIN_IMAGES)
    if json is not None:
        checks.target("json", json, ".json")
    checks.device("cpu")
    from tqdm import tqdm

    from keras_fmnist import compare, data, parity

    dataset = data.load()
    print(f"{spec.id} on {checks.backend()} beside native PyTorch, same weights, same images")
    rows = parity.measure(spec, dataset)
    print(*compare.table(rows), sep="\n")
    rounding = parity.rounding(spec, dataset)
    print(
        f"100 adam steps in float32, not judged: ours and native end {rounding['ours']:.2g} apart, "
        f"native and native with each batch in another order {rounding['native']:.2g}"
    )
    print(f"\nTrained side by side with dropout: {seeds} seeds, {epochs} epochs, {examples} images")
    result = compare.equivalence(
        spec,
        dataset,
        seeds=seeds,
        epochs=epochs,
        examples=examples,
        progress=lambda seeds: tqdm(seeds, desc="seeds", disable=None),
    )
    print(*compare.describe(result), sep="\n")
    defaults = compare.defaults()
    print("\nWhere Keras and PyTorch differ by default")
    for row in defaults:
        print(f"{row['what']:40} {row['keras']:24} {row['pytorch']:24} {row['ours']}")
    failed = [row for row in rows if not row.passed]
    if json is not None:
        content = {
            "experiment": spec.id,
            "backend": checks.backend(),
            "passed": not failed,
            "rows": [asdict(row) for row in rows],
            "rounding": rounding,
            "equivalence": asdict(result),
            "defaults": defaults,
        }
        write_json(json, content)
    if failed:
        worst = failed[0]
        raise RuntimeError(
            f"{worst.name}, {worst.kind}: differs by {worst.max_abs:.2g}, "
            f"tolerance {worst.tolerance:.2g}"
        )


def convert(
    specs: Sequence[AutoencoderSpec | ClassifierSpec], source: str, target: str, experiment: str
) -> None:
    """Turns weights of an experiment's net from one format into another.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the source does not hold the weights of this net.
    """
    spec = checks.experiment(specs, experiment)
    checks.target("target", target, *CONVERTED)
    if not isinstance(source, str) or Path(source).suffix not in (".pt", ".pth", ".safetensors"):
        raise SpecError(f"source must end in .pt, .pth or .safetensors, not {shown(source)}")
    if not os.path.isfile(source):
        raise SpecError(f"source {source} does not exist")
    checks.device("cpu")
    from keras_fmnist import models, weights

    model = models.build(spec)
    if Path(source).suffix == ".safetensors":
        arrays = weights.load(source)
    else:
        arrays = weights.from_native(weights.load_native(source), weights.variables(model))
    weights.set_arrays(model, arrays)
    print(f"{target}: {formats.write(target, model, spec.darkest)} of {spec.id}")


def bench(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    usual: Sequence[AutoencoderSpec | ClassifierSpec],
    experiments: Sequence[str] = (),
    steps: int = 30,
    rounds: int = 9,
    whole: bool = False,
    json: str | None = None,
) -> None:
    """Times a training step of every variant, in turns, and prints the ratios.

    Of `usual` where no experiment is named. Each variant has a process of its own, and on torch
    without a GPU so has stock Keras on every other backend that is installed. With `whole` epochs
    of whole runs follow, evaluations and checkpoints included, and what `bench.growth` and
    `bench.peak_memory` find.

    Raises:
        SpecError: an argument is wrong.
    """
    chosen = [checks.experiment(specs, name) for name in experiments] or usual
    checks.whole("steps", steps, 1, 600)
    checks.whole("rounds", rounds, 2, 1000)
    checks.flag("whole", whole)
    if json is not None:
        checks.target("json", json, ".json")
    checks.device("auto")
    from tqdm import tqdm

    from keras_fmnist import bench, data, turns

    dataset = data.load()
    others = turns.rivals(checks.installed_backends())
    content = {
        "machine": provenance.machine() | turns.kernels(),
        "versions": provenance.versions(),
        "backend": checks.backend(),
        "experiments": {},
    }
    if whole:
        content["runs"] = {}
    for spec in chosen:
        for kind in ("steps", "runs") if whole else ("steps",):
            variants = turns.processes(spec, dataset, others, kind)
            bar = partial(tqdm, desc=f"{spec.id}, {kind}", unit="round", disable=None)
            settings = {"steps": steps, "rounds": rounds, "progress": bar}
            taken = turns.measure(kind, variants, spec, dataset, **settings)
            found = bench.summarize(taken)
            content["experiments" if kind == "steps" else kind][spec.id] = found
            print(f"{spec.id}, {kind}", *bench.table(found), sep="\n", flush=True)
    if whole:
        content["growth"] = bench.growth(chosen[0], dataset, rounds=rounds)
        content["peak_memory_mib"] = bench.peak_memory(chosen[0], dataset)
        print(dumps({name: content[name] for name in ("growth", "peak_memory_mib")}, indent=1))
    if json is not None:
        write_json(json, content)
