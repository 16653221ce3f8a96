"""Keras on torch beside the other backends: paired by seed, and judged as the protocol says."""

import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.records.intervals import judge_equivalence, paired_interval
from keras_fmnist.reporting.backend_tables import format_backends


def make_pairs(make_record, spec, name, ours, theirs, backend="pytorch"):
    return [
        make_record(spec, seed, backend=side, metrics={name: value})
        for side, values in (("torch", ours), (backend, theirs))
        for seed, value in enumerate(values)
    ]


def read_row(table):
    return [cell.strip() for cell in table.splitlines()[2].strip("|").split("|")]


def test_the_difference_is_of_pairs_and_small_beside_what_a_seed_changes(make_record):
    theirs = [0.030, 0.040, 0.050]
    ours = [0.0303, 0.0402, 0.0501]
    table = format_backends([BASE], make_pairs(make_record, BASE, "val_loss", ours, theirs))
    assert read_row(table) == [
        "`mansilla/base`",
        "native PyTorch",
        "loss",
        "3",
        "0.0402 ± 0.0246",
        "0.0400 ± 0.0248",
        "0.0002 (0.0000 to 0.0004)",
        "0.0040",
        "equivalent",
    ]


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        ([0.88, 0.89, 0.87], "equivalent"),
        ([0.80, 0.81, 0.79], "different"),
        ([0.80, 0.99, 0.87], "undecided"),
        ([0.88], "undecided"),
    ],
)
def test_accuracies_are_held_to_five_points(make_record, theirs, verdict):
    ours = [0.88, 0.90, 0.87]
    records = make_pairs(make_record, CLASSIFIER_FULL, "val_accuracy", ours, theirs, "jax")
    row = read_row(format_backends([CLASSIFIER_FULL], records))
    assert row[1:4] == ["Keras on JAX", "accuracy", str(len(theirs))]
    assert row[-2:] == ["5.00%", verdict]


def test_runs_with_fewer_images_are_left_out(make_record):
    records = [make_record(BASE, 0), make_record(BASE, 0, backend="pytorch", examples=100)]
    assert format_backends([BASE], records) == "Nothing was run on another backend yet."


def test_the_interval_of_pairs_is_students():
    # Differences 1, 2, 3: mean 2, standard error 1/√3, t(2) at 95 % is 2.92.
    assert paired_interval([2, 4, 6], [1, 2, 3]) == pytest.approx(
        (2 - 1.6859, 2 + 1.6859), abs=1e-4
    )


def test_an_interval_that_reaches_the_margin_decides_nothing():
    assert judge_equivalence(-0.1, 0.05, 0.1) == "undecided"
    assert judge_equivalence(-0.09, 0.05, 0.1) == "equivalent"
    assert judge_equivalence(0.11, 0.2, 0.1) == "different"
