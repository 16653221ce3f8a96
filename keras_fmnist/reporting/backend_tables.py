"""Sets Keras on torch beside native PyTorch and Keras's other backends, from records of the study.

docs/protocol.md says how equivalence is judged.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean

from keras_fmnist.records.groups import group_alike, is_declared
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


def format_backends(specs: Iterable[Spec], records: Iterable[Record]) -> str:
    """Formats a Markdown table: last epochs on torch beside those elsewhere, paired by seed.

    Losses of autoencoders and accuracies of classifiers are judged, by the 90 % interval of the
    mean difference. Where nothing was run elsewhere it says so.
    """
    records = list(records)
    lines = [row for spec in specs for row in _compare(spec, records)]
    if not lines:
        return "Nothing was run on another backend yet."
    heading = [format_row(COLUMNS), format_row(["---"] * 4 + ["---:"] * 4 + ["---"])]
    return "\n".join(heading + lines)


def _compare(spec, records):
    """Yields a row for each other backend on which an experiment was run on a CPU, as declared."""
    groups = {
        group[0].backend: {record.seed: record for record in group}
        for group in group_alike(r for r in records if is_declared(r, spec) and r.device == "cpu")
    }
    ours = groups.get("torch", {})
    for backend in NAMES:
        theirs = groups.get(backend, {})
        if seeds := sorted(ours.keys() & theirs.keys()):
            yield _make_row(spec, backend, [ours[s] for s in seeds], [theirs[s] for s in seeds])


def _make_row(spec: Spec, backend: str, ours: Sequence[Record], theirs: Sequence[Record]) -> str:
    name = "val_accuracy" if spec.is_classifier else "val_loss"
    one, other = ([r.metrics[name] for r in records] for records in (ours, theirs))
    margin = ACCURACY_MARGIN if spec.is_classifier else LOSS_MARGIN * fmean(other)
    difference, verdict = format_number(fmean(one) - fmean(other), name), "undecided"
    if len(ours) > 1:
        low, high = paired_interval(one, other)
        difference += f" ({format_number(low, name)} to {format_number(high, name)})"
        verdict = judge_equivalence(low, high, margin)
    cells = [format_cell(ours, name), format_cell(theirs, name), difference]
    return format_row(
        [
            f"`{spec.id}`",
            NAMES[backend],
            "accuracy" if spec.is_classifier else "loss",
            str(len(ours)),
            *cells,
            format_number(margin, name),
            verdict,
        ]
    )
