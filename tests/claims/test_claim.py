"""A claim: which records count, and what is said of them."""

from dataclasses import replace

import pytest

from experiments import manolucos, mansilla
from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.claims.criteria import REPRODUCED, UNDECIDED
from keras_fmnist.specs import override, settings
from tests.helpers.claim_cases import ALIKE, CASES, CLAIMS, DETAIL, RISES, SPECS
from tests.helpers.worlds import UP, explaining


def changed(record, **history):
    return replace(record, history=record.history | history)


def test_only_runs_with_the_declared_settings_and_every_image_count(show_run):
    few = [show_run(mansilla.BASE, seed, examples=59_999, **UP) for seed in range(5)]
    assert judge_claims([RISES], few)[0]["n"] == 0
    for change in ({"epochs": 1}, {"dropout": 0.21}, {"learning_rate": 2e-3}):
        other = override(mansilla.BASE, change)
        records = [show_run(other, seed, **UP) for seed in range(5)]
        assert {record.id for record in records} == {"mansilla/base"}
        assert judge_claims([RISES], records)[0]["n"] == 0
        records.append(show_run(mansilla.BASE, 0, **UP))
        assert judge_claims([RISES], records)[0]["n"] == 1


def test_a_classifier_on_another_autoencoder_does_not_count(show_run):
    full = next(claim for claim in CLAIMS if claim.name == "full_falls")
    other = override(mansilla.CLASSIFIER_FULL, {"autoencoder_epochs": 1})
    assert judge_claims([full], [show_run(other, seed) for seed in range(5)])[0]["n"] == 0
    assert judge_claims([full], [show_run(mansilla.CLASSIFIER_FULL, 0)])[0]["n"] == 1


def test_a_run_of_another_experiment_with_the_same_settings_does_not_count(show_run):
    twin = replace(mansilla.BASE, name="twin")
    assert settings(twin) == settings(mansilla.BASE)
    assert judge_claims([RISES], [show_run(twin, seed, **UP) for seed in range(5)])[0]["n"] == 0


def test_a_record_that_lacks_what_is_read_does_not_count(show_run):
    whole = show_run(mansilla.BASE, 0, **UP)
    for broken in (
        changed(whole, val_loss=[0.1] * 3),
        replace(whole, history={}),
        replace(whole, metrics={"val_loss": 0.1}),
        replace(whole, images=None),
    ):
        assert judge_claims([RISES], [broken])[0]["n"] == 0
    classifier = show_run(mansilla.CLASSIFIER_FULL, 0)
    full = next(claim for claim in CLAIMS if claim.name == "full_rises")
    assert judge_claims([full], [classifier])[0]["n"] == 1
    no_accuracy = {k: v for k, v in classifier.metrics.items() if k != "val_accuracy"}
    assert judge_claims([full], [replace(classifier, metrics=no_accuracy)])[0]["n"] == 0
    assert judge_claims([full], [replace(classifier, confusion_matrix=None)])[0]["n"] == 0


def test_only_records_that_belong_together_are_averaged(show_run):
    on_torch = [show_run(manolucos.BASELINE, seed, **explaining(0.5)) for seed in range(4)]
    on_jax = [show_run(manolucos.BASELINE, seed, **explaining(0.9)) for seed in range(3)]
    on_jax = [replace(record, backend="jax") for record in on_jax]
    row = judge_claims([DETAIL], on_jax + on_torch)[0]
    assert row["ours"]["baseline explained variance of ten images"] == pytest.approx(0.5, abs=0.01)
    wide = [show_run(manolucos.WIDE, seed) for seed in range(6)]
    assert judge_claims([DETAIL], on_jax + on_torch + wide)[0]["n"] == 4  # of the fewest
    row = judge_claims([DETAIL], on_jax + on_torch[:2])[0]
    assert row["ours"]["baseline explained variance of ten images"] == pytest.approx(0.9, abs=0.01)


def test_what_a_training_took_is_not_read_off_a_run_on_a_gpu(show_run):
    slower = next(claim for claim in CLAIMS if claim.name == "wide_slower")
    holds, _ = CASES[slower.id]
    records = [
        show_run(SPECS[f"manolucos/{name}"], seed, **shown)
        for seed in range(3)
        for name, shown in holds.items()
    ]
    assert judge_claims([slower], records)[0]["verdict"] == REPRODUCED
    assert judge_claims([slower], [replace(r, device="gpu") for r in records])[0]["n"] == 0


def test_seeds_are_paired_only_on_one_backend_and_device(show_run):
    base = [show_run(mansilla.BASE, seed) for seed in range(4)]
    other = [show_run(mansilla.DROPOUT_01, seed) for seed in range(1, 6)]
    assert judge_claims([ALIKE], base + other)[0]["n"] == 3
    for change in ({"backend": "jax"}, {"device": "gpu"}):
        assert judge_claims([ALIKE], base + [replace(r, **change) for r in other])[0]["n"] == 0


def test_overlapping_intervals_refuse_a_ranking_though_every_seed_has_the_same_order(show_run):
    worse = next(claim for claim in CLAIMS if claim.name == "full_gains")
    full, random = SPECS["mansilla/classifier_full"], SPECS["transfer/random_full"]
    values = (0.88, 0.89, 0.90, 0.91, 0.92)
    records = [show_run(full, 3 * k, val_accuracy=v + 0.005) for k, v in enumerate(values)]
    records += [show_run(random, 3 * k, val_accuracy=v) for k, v in enumerate(values)]
    row = judge_claims([worse], records)[0]
    assert row["verdict"] == UNDECIDED
    assert row["why"] == "random_full and classifier_full: intervals overlap, no ranking"
    # t(0.975, 4) = 2.776445, times the standard deviation 0.0158114 / √5
    half = 2.776445 * 0.0158114 / 5**0.5
    assert row["ours"] == pytest.approx(
        {"random_full val_accuracy": 0.9, "classifier_full val_accuracy": 0.905}
    )
    for label, mean in row["ours"].items():
        assert row["interval"][label] == pytest.approx([mean - half, mean + half], abs=1e-6)
