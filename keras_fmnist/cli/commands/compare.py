"""What the commands do that hold ours to native PyTorch: compare, convert, bench."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from keras_fmnist import backends
from keras_fmnist.cli.arguments import check_int, check_target, find_experiment
from keras_fmnist.files import write_json
from keras_fmnist.pytorch.equivalence import Equivalence
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec

if TYPE_CHECKING:
    from keras_fmnist.pytorch.parity import Row


def format_rows(rows: "Sequence[Row]") -> list[str]:
    """Lines of text: every row, and which are over their tolerance."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'':{width}}  {'max |Δ|':>9}  {'mean |Δ|':>9}  tolerance"]
    kind = None
    for row in rows:
        if row.kind != kind:
            lines.append(row.kind)
            kind = row.kind
        mark = "" if row.passed else "  OVER"
        numbers = f"{row.max_abs:9.2g}  {row.mean_abs:9.2g}  {row.tolerance:9.2g}"
        lines.append(f"{row.name:{width}}  {numbers}{mark}")
    return lines


def format_equivalence(result: Equivalence) -> list[str]:
    """Lines of text for an `Equivalence`."""
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
    spec = find_experiment(specs, experiment)
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
    print(*format_rows(rows), sep="\n")
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
    for row in defaults:
        print(f"{row['what']:40} {row['keras']:24} {row['pytorch']:24} {row['ours']}")
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
