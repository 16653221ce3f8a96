"""A claim: which records count, and what is said of them."""

from dataclasses import replace

import pytest

from experiments import manolucos, mansilla
from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.claims.criteria import NOT_REPRODUCED, REPRODUCED, VARIES
from keras_fmnist.specs import override, settings
from tests.helpers.claim_cases import ALIKE, CASES, CLAIMS, DETAIL, RISES, SPECS
from tests.helpers.worlds import UP, both, explaining, rising, val_losses


def changed(record, **history):
    return replace(record, history=record.history | history)


def test_only_runs_with_the_declared_settings_and_every_image_count(show_run):
    few = [show_run(mansilla.BASE, seed, examples=59_999, **UP) for seed in range(5)]
    assert judge_claims([RISES], few)[0].n == 0
    for change in ({"epochs": 1}, {"dropout": 0.21}, {"learning_rate": 2e-3}):
        other = override(mansilla.BASE, change)
        records = [show_run(other, seed, **UP) for seed in range(5)]
        assert {record.id for record in records} == {"mansilla/base"}
        assert judge_claims([RISES], records)[0].n == 0
        records.append(show_run(mansilla.BASE, 0, **UP))
        assert judge_claims([RISES], records)[0].n == 1


def test_a_classifier_on_another_autoencoder_does_not_count(show_run):
    full = next(claim for claim in CLAIMS if claim.name == "full_falls")
    other = override(mansilla.CLASSIFIER_FULL, {"autoencoder_epochs": 1})
    assert judge_claims([full], [show_run(other, seed) for seed in range(5)])[0].n == 0
    assert judge_claims([full], [show_run(mansilla.CLASSIFIER_FULL, 0)])[0].n == 1


def test_a_run_of_another_experiment_with_the_same_settings_does_not_count(show_run):
    twin = replace(mansilla.BASE, name="twin")
    assert settings(twin) == settings(mansilla.BASE)
    assert judge_claims([RISES], [show_run(twin, seed, **UP) for seed in range(5)])[0].n == 0


def test_a_record_that_lacks_what_is_read_does_not_count(show_run):
    whole = show_run(mansilla.BASE, 0, **UP)
    for broken in (
        changed(whole, val_loss=[0.1] * 3),
        replace(whole, history={}),
        replace(whole, metrics={"val_loss": 0.1}),
        replace(whole, images=None),
    ):
        assert judge_claims([RISES], [broken])[0].n == 0
    classifier = show_run(mansilla.CLASSIFIER_FULL, 0, **both(rising, "accuracy"))
    full = next(claim for claim in CLAIMS if claim.name == "full_rises")
    assert judge_claims([full], [classifier])[0].n == 1
    no_accuracy = {k: v for k, v in classifier.metrics.items() if k != "val_accuracy"}
    assert judge_claims([full], [replace(classifier, metrics=no_accuracy)])[0].n == 0
    assert judge_claims([full], [replace(classifier, confusion_matrix=None)])[0].n == 0


def first_value(found):
    """The first mean that is behind a verdict."""
    return found.judgement.measures[0].value


def test_only_records_that_belong_together_are_averaged(show_run):
    on_torch = [show_run(manolucos.BASELINE, seed, **explaining(0.5)) for seed in range(4)]
    on_jax = [show_run(manolucos.BASELINE, seed, **explaining(0.9)) for seed in range(3)]
    on_jax = [replace(record, backend="jax") for record in on_jax]
    (found,) = judge_claims([DETAIL], on_jax + on_torch)
    assert first_value(found) == pytest.approx(0.5, abs=0.05)
    wide = [show_run(manolucos.WIDE, seed) for seed in range(6)]
    assert judge_claims([DETAIL], on_jax + on_torch + wide)[0].n == 4  # of the fewest
    (found,) = judge_claims([DETAIL], on_jax + on_torch[:2])
    assert first_value(found) == pytest.approx(0.9, abs=0.05)


def test_what_a_training_took_is_not_read_off_a_run_on_a_gpu(show_run):
    slower = next(claim for claim in CLAIMS if claim.name == "wide_slower")
    holds, _ = CASES[slower.id]
    records = [
        show_run(SPECS[f"manolucos/{name}"], seed, **shown)
        for seed in range(slower.seeds)
        for name, shown in holds.items()
    ]
    assert judge_claims([slower], records)[0].word == REPRODUCED
    assert judge_claims([slower], [replace(r, device="gpu") for r in records])[0].n == 0


def test_seeds_are_paired_only_on_one_backend_and_device(show_run):
    base = [show_run(mansilla.BASE, seed) for seed in range(4)]
    other = [show_run(mansilla.DROPOUT_01, seed) for seed in range(1, 6)]
    assert judge_claims([ALIKE], base + other)[0].n == 3
    for change in ({"backend": "jax"}, {"device": "gpu"}):
        assert judge_claims([ALIKE], base + [replace(r, **change) for r in other])[0].n == 0


def test_a_ranking_is_paired_by_seed(show_run):
    gains = next(claim for claim in CLAIMS if claim.name == "full_gains")
    full, random = SPECS["mansilla/classifier_full"], SPECS["transfer/random_full"]
    values = (0.83, 0.84, 0.85, 0.86, 0.87, 0.88, 0.89, 0.90)
    records = [show_run(full, k, val_accuracy=v + 0.005) for k, v in enumerate(values)]
    records += [show_run(random, k, val_accuracy=v) for k, v in enumerate(values)]
    # Intervals of the means overlap, those of the differences are far above zero.
    (found,) = judge_claims([gains], records)
    assert found.word == REPRODUCED
    one, other, difference = found.judgement.measures
    assert one.interval[1] > other.interval[0]
    assert difference.value == pytest.approx(0.005, rel=0.01)
    shuffled = [show_run(full, 7 - k, val_accuracy=v + 0.005) for k, v in enumerate(values)]
    assert judge_claims([gains], shuffled + records[8:])[0].word == VARIES


def test_later_seeds_are_judged_alone(verdict):
    claim = next(claim for claim in CLAIMS if claim.name == "frozen_larger")
    holds, fails = CASES[claim.id]
    assert claim.seen == 3
    found = verdict(claim, *3 * [holds], *5 * [fails])
    assert (found.word, found.later.verdict) == (VARIES, NOT_REPRODUCED)
    assert "seeds 3 to 7 alone: not reproduced" in [t.english for t in found.describe_beside()]


def test_a_word_with_a_number_has_its_verdict_at_half_and_double(verdict):
    claim = next(claim for claim in CLAIMS if claim.name == "frozen_much_larger")
    world = val_losses(classifier_frozen=0.9, classifier_full=0.3)
    found = verdict(claim, *8 * [world])
    assert found.claim.threshold == 2
    assert found.word == REPRODUCED
    assert found.elsewhere == {"half": REPRODUCED, "double": NOT_REPRODUCED}
    assert "half of 2: reproduced; double: not reproduced" in [
        text.english for text in found.describe_beside()
    ]
    weighed = {claim.name for claim in CLAIMS if claim.threshold is not None}
    for name in ("latent_256_much_better", "dropout_01_alike", "sgd_rises", "wide_row"):
        assert name in weighed
