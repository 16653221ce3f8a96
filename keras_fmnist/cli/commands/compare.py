"""`keras-fmnist compare`: compares an experiment with native PyTorch."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import JsonFile, check_int, check_target, find_experiment
from keras_fmnist.cli.output import format_table
from keras_fmnist.files import write_json
from keras_fmnist.specs import TRAIN_IMAGES

if TYPE_CHECKING:
    from keras_fmnist.pytorch.equivalence import Equivalence
    from keras_fmnist.pytorch.parity import Row


def compare(
    catalogue: Catalogue,
    experiment: Annotated[str, "such as mansilla/base"],
    *,
    seeds: Annotated[int, "trainings a side"] = 5,
    epochs: Annotated[int, "passes over the training images"] = 3,
    examples: Annotated[int, "so many training images"] = 6000,
    json: JsonFile = None,
) -> None:
    """Compares an experiment with native PyTorch, layer by layer and trained side by side.

    Raises:
        SpecError: an argument is wrong.
        RuntimeError: a difference is over its tolerance; the message names the first.
    """
    spec = find_experiment(catalogue.specs, experiment)
    check_int("seeds", seeds, 2, 1000)
    check_int("epochs", epochs, 1, 10_000)
    check_int("examples", examples, 1, TRAIN_IMAGES)
    if json is not None:
        check_target("json", json, ".json")
    backends.select_device("cpu")
    from tqdm import tqdm

    from keras_fmnist import data
    from keras_fmnist.pytorch import equivalence, parity
    from keras_fmnist.pytorch.defaults import list_defaults

    dataset = data.load()
    print(f"{spec.id} on {backends.get_backend()} beside native PyTorch, same weights, same images")
    rows = parity.measure(spec, dataset)
    print(format_rows(rows))
    rounding = parity.rounding(spec, dataset)
    print(
        f"100 adam steps in float32, not judged: ours and native end {rounding['ours']:.2g} apart, "
        f"native and native with each batch in another order {rounding['native']:.2g}"
    )
    print(f"\nTrained side by side with dropout: {seeds} seeds, {epochs} epochs, {examples} images")
    result = equivalence.measure_equivalence(
        spec,
        dataset,
        seeds=seeds,
        epochs=epochs,
        examples=examples,
        progress=lambda seeds: tqdm(seeds, desc="seeds", disable=None),
    )
    print(*format_equivalence(result), sep="\n")
    defaults = list_defaults()
    print("\nWhere Keras and PyTorch differ by default")
    print(format_table([list(row.values()) for row in defaults], list(defaults[0])))
    failed = [row for row in rows if not row.passed]
    if json is not None:
        content = {
            "experiment": spec.id,
            "backend": backends.get_backend(),
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


def format_rows(rows: "Sequence[Row]") -> str:
    """Formats the comparisons as a table that marks those over their tolerance."""
    cells, kind = [], None
    for row in rows:
        if row.kind != kind:
            cells.append((row.kind, "", "", "", ""))
            kind = row.kind
        numbers = (f"{value:.2g}" for value in (row.max_abs, row.mean_abs, row.tolerance))
        cells.append((row.name, *numbers, "" if row.passed else "OVER"))
    return format_table(cells, ("", "max |Δ|", "mean |Δ|", "tolerance", ""), numbers=(1, 2, 3))


def format_equivalence(result: "Equivalence") -> list[str]:
    """Formats an `Equivalence` as lines of text."""
    lines = [
        f"{side}: "
        + ", ".join(f"{name} {m['mean']:.4f} (sd {m['sd']:.4f})" for name, m in values.items())
        for side, values in (("ours", result.ours), ("native", result.native))
    ]
    low, high = result.interval
    lines.append(
        f"difference of the mean losses, 90 % interval: {low:+.4f} to {high:+.4f}; "
        f"margin ±{result.margin:.4f}: {result.verdict}"
    )
    return lines
