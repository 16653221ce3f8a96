"""Sets Keras on torch beside native PyTorch and Keras's other backends, from records of the study.

docs/protocol.md says how equivalence is judged.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from keras_fmnist.records.groups import group_alike, group_by_experiment, is_declared
from keras_fmnist.records.intervals import judge_equivalence, paired_interval
from keras_fmnist.records.record import Record
from keras_fmnist.records.run import NATIVE
from keras_fmnist.reporting.tables import format_cell, format_number, format_row
from keras_fmnist.specs import Spec

LOSS_MARGIN = 0.10  # of the other side's mean loss
ACCURACY_MARGIN = 0.05  # 5 points, less than half of what freezing the encoder costs
COLUMNS = ("experiment", "beside", "validation", "seeds", "Keras on torch", "the other")
COLUMNS += ("difference", "margin", "verdict")
NAMES = {NATIVE: "native PyTorch", "jax": "Keras on JAX", "tensorflow": "Keras on TensorFlow"}


@dataclass(frozen=True)
class Comparison:
    """An experiment on torch beside the same on another backend, last epochs, paired by seed.

    Attributes:
        experiment: its id.
        other: the name of the other side.
        measure: loss for an autoencoder, accuracy for a classifier; of the test images.
        seeds: those that both sides have.
        ours: mean and 95 % interval on torch.
        theirs: the same of the other side.
        difference: ours minus theirs, with its 90 % interval where there are two seeds.
        margin: within which both count as equivalent.
        verdict: equivalent, different or undecided.
    """

    experiment: str
    other: str
    measure: str
    seeds: int
    ours: str
    theirs: str
    difference: str
    margin: str
    verdict: str


def compare_backends(specs: Iterable[Spec], records: Iterable[Record]) -> list[Comparison]:
    """Compares each experiment that was run as declared, on torch and elsewhere, on a CPU."""
    by_id = group_by_experiment(records)
    return [found for spec in specs for found in _compare(spec, by_id.get(spec.id, []))]


def format_backends(specs: Iterable[Spec], records: Iterable[Record]) -> str:
    """Formats what `compare_backends` finds as a Markdown table, or says that there is nothing."""
    found = compare_backends(specs, records)
    if not found:
        return "Nothing was run on another backend yet."
    lines = [format_row(COLUMNS), format_row(["---"] * 3 + ["---:"] * 5 + ["---"])]
    for one in found:
        cells = [f"`{one.experiment}`", one.other, one.measure, str(one.seeds), one.ours]
        lines.append(format_row([*cells, one.theirs, one.difference, one.margin, one.verdict]))
    return "\n".join(lines)


def _compare(spec, records) -> Iterator[Comparison]:
    groups = {
        group[0].backend: {record.seed: record for record in group}
        for group in group_alike(r for r in records if is_declared(r, spec) and r.device == "cpu")
    }
    ours = groups.get("torch", {})
    for backend in NAMES:
        theirs = groups.get(backend, {})
        if ours.keys() & theirs.keys():
            yield _judge(spec, backend, ours, theirs)


def _judge(
    spec: Spec, backend: str, ours: Mapping[int, Record], theirs: Mapping[int, Record]
) -> Comparison:
    seeds = sorted(ours.keys() & theirs.keys())
    sides = [[side[seed] for seed in seeds] for side in (ours, theirs)]
    name = "val_accuracy" if spec.is_classifier else "val_loss"
    one, other = ([record.metrics[name] for record in side] for side in sides)
    margin = ACCURACY_MARGIN if spec.is_classifier else LOSS_MARGIN * fmean(other)
    difference, verdict = format_number(fmean(one) - fmean(other), name), "undecided"
    if len(seeds) > 1:
        low, high = paired_interval(one, other)
        difference += f" ({format_number(low, name)} to {format_number(high, name)})"
        verdict = judge_equivalence(low, high, margin)
    return Comparison(
        experiment=spec.id,
        other=NAMES[backend],
        measure="accuracy" if spec.is_classifier else "loss",
        seeds=len(seeds),
        ours=format_cell(sides[0], name),
        theirs=format_cell(sides[1], name),
        difference=difference,
        margin=format_number(margin, name),
        verdict=verdict,
    )
