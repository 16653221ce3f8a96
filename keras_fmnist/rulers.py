"""What the commands do that hold ours to native PyTorch: compare, convert, bench."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from json import dumps, loads
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

    Of `usual` where no experiment is named. On torch the other backends that are installed follow,
    each in a process of its own.

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

    from keras_fmnist import bench, data

    dataset = data.load()
    content = {
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "backend": checks.backend(),
        "experiments": {},
    }
    for spec in chosen:
        bar = partial(tqdm, desc=spec.id, unit="round", disable=None)
        taken = bench.measure(spec, dataset, steps=steps, rounds=rounds, progress=bar)
        content["experiments"][spec.id] = bench.summarize(taken)
        print(spec.id, *bench.table(content["experiments"][spec.id]), sep="\n", flush=True)
    if whole:
        content["growth"] = bench.growth(chosen[0], dataset, rounds=rounds)
        content["peak_memory_mib"] = bench.peak_memory(chosen[0], dataset)
        print(dumps({name: content[name] for name in ("growth", "peak_memory_mib")}, indent=1))
    if checks.backend() == "torch":
        others = [name for name in checks.installed_backends() if name != "torch"]
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
