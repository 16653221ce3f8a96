"""Every claim with records made up for each verdict, and what may decide a claim at all."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from experiments import manolucos, manolucos_claims, manolucos_classifier_claims, mansilla
from experiments.__main__ import CATALOGUE
from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.claims.criteria import (
    CONSISTENT,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    VARIES,
)
from keras_fmnist.cli.commands.claims import format_claims
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import pack_images
from keras_fmnist.reporting import tables
from keras_fmnist.specs import ClassifierSpec, override, settings
from tests.helpers.processes import run_python

SPECS = {spec.id: spec for spec in CATALOGUE.specs}


# --- curves, as functions of the number of epochs ---


def falling(last):
    return lambda n: np.linspace(2 * last, last, n)


def rising(n):
    return np.linspace(0.5, 0.9, n)


def stepping(curve):
    """With a step against its trend."""
    return lambda n: np.where(np.arange(n) == n // 2, curve(n)[0], curve(n))


def turning(share):
    """Lowest after this share of the epochs."""
    return lambda n: 0.4 + 0.4 * abs(np.linspace(0, 1, n) - share)


def wobbling(size, curve=lambda n: np.full(n, 0.5)):
    return lambda n: curve(n) + size * (-1.0) ** np.arange(n)


def rising_later(n):
    """Down to epoch 5, and slightly up after it, with a wobble."""
    up = 0.01 * np.maximum(np.arange(n) - 4, 0)
    return np.maximum(np.linspace(0.6, 0.6 - 0.02 * (n - 1), n), 0.52) + up


def settling(n):
    return np.minimum(np.linspace(0.5, 1.4, n), 0.8) + 0.01 * (-1.0) ** np.arange(n)


# --- what a run shows ---


def both(curve, metric="loss"):
    return {f"train_eval_{metric}": curve, f"val_{metric}": curve}


def losses(train, val):
    return {"train_eval_loss": train, "val_loss": val}


def accuracies(train, val):
    return {"train_eval_accuracy": train, "val_accuracy": val}


def explaining(share, fine=None):
    """Ten pictures whose reconstructions explain these shares of coarse shapes and fine detail."""
    fine = share if fine is None else fine
    coarse = np.full((10, 28, 28, 1), -0.1)
    coarse[::2] = 0.1
    stripes = np.tile([0.1, -0.1], 14)[:, None] * np.ones((28, 28, 1)) * np.sign(coarse)
    originals = 0.5 + coarse + stripes
    rebuilt = 0.5 + (1 - (1 - share) ** 0.5) * coarse + (1 - (1 - fine) ** 0.5) * stripes
    packed = {"originals": originals, "reconstructions": rebuilt}
    packed = {name: pack_images(images) for name, images in packed.items()}
    return {"images": packed | {"test_rows": list(range(10))}}


def matrix(right=900, errors=(), **other):
    """A confusion matrix: how many are right, but of `other` classes; and true shirts' errors."""
    counts = np.ones((10, 10), int)
    np.fill_diagonal(counts, right)
    for word, count in other.items():
        counts[index(word), index(word)] = count
    for word, count in dict(errors).items():
        counts[index("shirt"), index(word)] = count
    return {"confusion_matrix": counts.tolist()}


def index(word):
    """Of the class whose name begins so, in any case."""
    return next(k for k, name in enumerate(CLASS_NAMES) if name.lower().startswith(word))


def printed(spec, times=1.0):
    return {name: times * value for name, value in spec.published.items()}


def taking(cpu):
    return {"seconds": {"total": 900.0, "cpu": cpu, "per_epoch": [30.0] * 30}}


def val_losses(**values):
    return {name: {"val_loss": value} for name, value in values.items()}


def val_accuracies(**values):
    return {name: {"val_accuracy": value} for name, value in values.items()}


MEAN_IMAGE = 0.08  # its loss


@pytest.fixture(scope="session")
def run(make_record):
    """`run(spec, seed, **shown)`: a record of all epochs; seeds differ by a thousandth."""

    def make(spec, seed, examples=60_000, **shown):
        classifies = isinstance(spec, ClassifierSpec)
        metrics = ("loss", "accuracy") if classifies else ("loss",)
        names = [prefix + metric for metric in metrics for prefix in ("", "train_eval_", "val_")]
        history = {}
        for name in names:
            curve, n = shown.pop(name, 0.5), max(spec.epochs, 1)
            values = curve(n) if callable(curve) else np.full(n, curve)
            history[name] = (values * (1 + 0.001 * (seed % 3))).tolist()
        metrics = {name: curve[-1] for name, curve in history.items()}
        if not classifies:
            metrics["mean_image_loss"] = MEAN_IMAGE
        plain = matrix() if classifies else explaining(0.5)
        return make_record(
            spec,
            seed,
            examples=examples,
            metrics=metrics,
            history=history if spec.epochs else {},
            **plain | shown,
        )

    return make


# --- for each claim what its experiments show where it holds, and where it does not ---

BEST = dict.fromkeys(("trouser", "sandal", "sneaker", "bag", "ankle"), 950)
SHIRTS = {"shirt": 713, "t-shirt": 142, "pullover": 60}
MANSILLA_CASES = {
    "untrained_blind": ({"untrained": explaining(-0.5)}, {"untrained": explaining(0.3)}),
    "base_first_fall": ({"base": both(falling(0.4))}, {"base": losses(falling(0.4), rising)}),
    "base_rises": ({"base": both(rising_later)}, {"base": losses(falling(0.4), rising_later)}),
    "base_wobbles": (
        {"base": both(wobbling(0.01))},
        {"base": losses(falling(0.4), wobbling(0.01))},
    ),
    "base_reconstructs": ({"base": explaining(0.6, 0.2)}, {"base": explaining(0.4, 0.6)}),
    "base_poor": ({"base": explaining(0.6, 0.4)}, {"base": explaining(0.4, 0.6)}),
    "base_low_error": (
        {"base": {"val_loss": 0.4 * MEAN_IMAGE}},
        {"base": {"val_loss": 0.6 * MEAN_IMAGE}},
    ),
    "dropout_01_steadier": (
        val_losses(dropout_01=wobbling(0.01), base=wobbling(0.02)),
        val_losses(dropout_01=wobbling(0.02), base=wobbling(0.01)),
    ),
    "dropout_01_alike": (
        val_losses(dropout_01=0.031, base=0.030),
        val_losses(dropout_01=0.026, base=0.030),
    ),
    "dropout_01_reconstructs": (
        {"dropout_01": explaining(0.6, 0.2)},
        {"dropout_01": explaining(0.4, 0.6)},
    ),
    "dropout_01_loses_detail": (
        {"dropout_01": explaining(0.6, 0.4)},
        {"dropout_01": explaining(0.4, 0.6)},
    ),
    "latent_256_better": (
        val_losses(latent_256=0.02, dropout_01=0.03, base=0.03),
        val_losses(latent_256=0.02, dropout_01=0.014, base=0.03),
    ),
    "latent_256_much_better": (
        val_losses(latent_256=0.02, dropout_01=0.05, base=0.05),
        val_losses(latent_256=0.02, dropout_01=0.032, base=0.05),
    ),
    "latent_256_falls": (
        {"latent_256": both(falling(0.1))},
        {"latent_256": losses(falling(0.1), stepping(falling(0.1)))},
    ),
    "latent_256_gap": (
        {"latent_256": losses(0.0200, 0.0202), "dropout_01": losses(0.0300, 0.0301)},
        {"latent_256": losses(0.0200, 0.0232), "dropout_01": losses(0.0300, 0.0301)},
    ),
    "latent_256_detail": (
        {"dropout_01": explaining(0.7, 0.4), "latent_256": explaining(0.7, 0.6)},
        {"dropout_01": explaining(0.7, 0.6), "latent_256": explaining(0.7, 0.4)},
    ),
    "sgd_falls": (
        {"sgd": both(falling(0.1))},
        {"sgd": losses(falling(0.1), wobbling(0.01, falling(0.1)))},
    ),
    "sgd_worse": (
        val_losses(sgd=0.04, base=0.03, dropout_01=0.03, latent_256=0.02),
        val_losses(sgd=0.02, base=0.03, dropout_01=0.01, latent_256=0.01),
    ),
    "sgd_much_worse": (
        val_losses(sgd=0.09, base=0.03, dropout_01=0.03, latent_256=0.02),
        val_losses(sgd=0.04, base=0.03, dropout_01=0.03, latent_256=0.01),
    ),
    "sgd_blind": ({"sgd": explaining(-0.5)}, {"sgd": explaining(0.3)}),
    "full_falls": (
        {"classifier_full": both(wobbling(0.01, falling(0.3)))},
        {"classifier_full": losses(falling(0.3), turning(0.4))},
    ),
    "full_low_error": (
        {"classifier_full": {"val_loss": 0.9}},
        {"classifier_full": {"val_loss": 1.4}},
    ),
    "full_rises": (
        {"classifier_full": both(rising, "accuracy")},
        {"classifier_full": accuracies(rising, stepping(rising))},
    ),
    "full_mostly_right": (
        {"classifier_full": matrix(shirt=600)},
        {"classifier_full": matrix(shirt=400)},
    ),
    "full_best_classes": (
        {"classifier_full": matrix(**BEST)},
        {"classifier_full": matrix(**BEST, shirt=990)},
    ),
    "full_shirts": (
        {"classifier_full": matrix(errors=SHIRTS)},
        {"classifier_full": matrix(errors=SHIRTS | {"shirt": 500})},
    ),
    "full_hard_classes": (
        {"classifier_full": matrix(shirt=700, coat=800)},
        {"classifier_full": matrix(shirt=700, coat=990)},
    ),
    "full_upper_errors": (
        {"classifier_full": matrix(errors={"coat": 150})},
        {"classifier_full": matrix(errors={"bag": 150})},
    ),
    "frozen_falls": (
        {"classifier_frozen": both(falling(0.8))},
        {"classifier_frozen": losses(falling(0.8), rising)},
    ),
    "frozen_larger": (
        val_losses(classifier_frozen=0.4, classifier_full=0.3),
        val_losses(classifier_frozen=0.2, classifier_full=0.3),
    ),
    "frozen_much_larger": (
        val_losses(classifier_frozen=0.8, classifier_full=0.3),
        val_losses(classifier_frozen=0.4, classifier_full=0.3),
    ),
    "frozen_rises": (
        {"classifier_frozen": both(rising, "accuracy")},
        {"classifier_frozen": accuracies(rising, lambda n: rising(n)[::-1])},
    ),
    "frozen_settles": (
        {"classifier_frozen": both(settling, "accuracy")},
        {"classifier_frozen": accuracies(rising, settling)},
    ),
    "frozen_wobbles": (
        {"classifier_frozen": both(settling, "accuracy")},
        {"classifier_frozen": accuracies(rising, settling)},
    ),
    "frozen_diagonal": (
        {"classifier_frozen": matrix(700), "classifier_full": matrix(900)},
        {"classifier_frozen": matrix(700, shirt=990), "classifier_full": matrix(900)},
    ),
    "complex_better": (
        val_losses(latent_256=0.02, dropout_01=0.03)
        | val_accuracies(classifier_frozen=0.7, classifier_full=0.9),
        val_losses(latent_256=0.02, dropout_01=0.03)
        | val_accuracies(classifier_frozen=0.7, classifier_full=0.6),
    ),
    "gap_grows": (
        {
            "dropout_01": losses(0.03, 0.031),
            "latent_256": losses(0.02, 0.022),
            "classifier_frozen": losses(0.8, 0.81),
            "classifier_full": losses(0.2, 0.3),
        },
        {
            "dropout_01": losses(0.03, 0.032),
            "latent_256": losses(0.02, 0.021),
            "classifier_frozen": losses(0.8, 0.81),
            "classifier_full": losses(0.2, 0.3),
        },
    ),
}
SERIES = manolucos_claims.AUTOENCODERS
CLASSIFIERS = manolucos_classifier_claims.CLASSIFIERS
ORDER = {"baseline": 9, "no_dropout": 8, "batchnorm": 7, "avg_pooling": 6, "wide": 5}


def ordered(metric, high, middle, low):
    """The three classifiers, by where a metric of theirs ends."""
    names = ("classifier_baseline", "classifier_fc_adam", "classifier_fc_sgd")
    return {name: {metric: value} for name, value in zip(names, (high, middle, low), strict=True)}


def ran(spec, times=1.0):
    """As printed, but as it ran during the epoch."""
    return {
        name.removeprefix("train_eval_"): times * value
        for name, value in spec.published.items()
        if name.startswith("train_eval_")
    }


MANOLUCOS_CASES = {
    **{
        f"{spec.name}_row": (
            {spec.name: printed(spec)},
            {spec.name: printed(spec) | {"val_loss": 1.2 * spec.published["val_loss"]}},
        )
        for spec in (*SERIES, *CLASSIFIERS)
    },
    **{
        f"{spec.name}_running": ({spec.name: ran(spec)}, {spec.name: ran(spec, 0.8)})
        for spec in (*SERIES, *CLASSIFIERS)
    },
    "order": (val_losses(**ORDER), val_losses(**ORDER | {"avg_pooling": 7.5})),
    "order_training": tuple(
        {name: {"train_eval_loss": value} for name, value in world.items()}
        for world in (ORDER, ORDER | {"avg_pooling": 7.5})
    ),
    "baseline_below_10": (
        {"baseline": losses(0.08, 0.07)},
        {"baseline": losses(0.12, 0.07)},
    ),
    "no_dropout_better": (
        val_losses(no_dropout=0.03, baseline=0.04),
        val_losses(no_dropout=0.03, baseline=0.02),
    ),
    "no_dropout_halves": (
        val_losses(no_dropout=0.03, baseline=0.07),
        val_losses(no_dropout=0.03, baseline=0.05),
    ),
    "dropout_ratio": (
        {"baseline": {"loss": 0.0858, "val_loss": 0.0726}},
        {"baseline": {"loss": 0.0726, "val_loss": 0.0726}},
    ),
    "baseline_acceptable": (
        {"baseline": explaining(0.6, 0.2)},
        {"baseline": explaining(0.4, 0.6)},
    ),
    "baseline_omits_detail": (
        {"baseline": explaining(0.6, 0.4)},
        {"baseline": explaining(0.4, 0.6)},
    ),
    "wide_most_detail": ({"wide": explaining(0.4, 0.6)}, {"wide": explaining(0.6, 0.4)}),
    "wide_detail": (
        {"baseline": explaining(0.5, 0.4), "wide": explaining(0.5, 0.6)},
        {"baseline": explaining(0.5, 0.6), "wide": explaining(0.5, 0.4)},
    ),
    "wide_contrast": ({"wide": explaining(1, 0.9)}, {"wide": explaining(0.9, 1)}),
    "wide_slower": (
        {"avg_pooling": taking(100), "wide": taking(500)},
        {"avg_pooling": taking(500), "wide": taking(100)},
    ),
    "avg_pooling_smooths": (
        {"batchnorm": explaining(0.9), "avg_pooling": explaining(0.9, 0.5)},
        {"batchnorm": explaining(0.9, 0.5), "avg_pooling": explaining(0.9)},
    ),
    "avg_pooling_contrast": (
        {"batchnorm": explaining(0.9), "avg_pooling": explaining(0.9, 0.5)},
        {"batchnorm": explaining(0.9, 0.5), "avg_pooling": explaining(0.9)},
    ),
    "table_4_training": (
        ordered("train_eval_accuracy", 0.98, 0.97, 0.94),
        ordered("train_eval_accuracy", 0.97, 0.98, 0.94),
    ),
    "table_4_validation": (
        ordered("val_accuracy", 0.91, 0.90, 0.92),
        ordered("val_accuracy", 0.91, 0.92, 0.93),
    ),
    "table_5_training": (
        ordered("train_eval_loss", 0.05, 0.04, 0.1),
        ordered("train_eval_loss", 0.05, 0.06, 0.1),
    ),
    "table_5_validation": (
        ordered("val_loss", 0.3, 0.4, 0.2),
        ordered("val_loss", 0.3, 0.2, 0.1),
    ),
    "above_90": (
        ordered("val_accuracy", 0.91, 0.91, 0.91),
        ordered("val_accuracy", 0.91, 0.89, 0.91),
    ),
    "baseline_overfits": (
        val_losses(classifier_baseline=turning(0.3)),
        val_losses(classifier_baseline=falling(0.3)),
    ),
    "baseline_turns_halfway": (
        val_losses(classifier_baseline=turning(0.5)),
        val_losses(classifier_baseline=turning(0.1)),
    ),
    "fc_faster": (
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.1)},
            "classifier_baseline": {"train_eval_loss": falling(0.2)},
        },
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.2)},
            "classifier_baseline": {"train_eval_loss": falling(0.1)},
        },
    ),
    "fc_lower": (
        {
            "classifier_fc_adam": {"train_eval_loss": 0.1},
            "classifier_baseline": {"train_eval_loss": 0.2},
        },
        {
            "classifier_fc_adam": {"train_eval_loss": 0.2},
            "classifier_baseline": {"train_eval_loss": 0.1},
        },
    ),
    "fc_more_accurate": (
        val_accuracies(classifier_fc_adam=0.92, classifier_baseline=0.91),
        val_accuracies(classifier_fc_adam=0.91, classifier_baseline=0.92),
    ),
    "fc_more_accurate_training": (
        {
            "classifier_fc_adam": {"train_eval_accuracy": 0.99},
            "classifier_baseline": {"train_eval_accuracy": 0.98},
        },
        {
            "classifier_fc_adam": {"train_eval_accuracy": 0.98},
            "classifier_baseline": {"train_eval_accuracy": 0.99},
        },
    ),
    "fc_wobbles": (
        val_losses(classifier_fc_adam=wobbling(0.02), classifier_baseline=wobbling(0.01)),
        val_losses(classifier_fc_adam=wobbling(0.01), classifier_baseline=wobbling(0.02)),
    ),
    "fc_overfits": (
        val_losses(classifier_fc_adam=turning(0.3)),
        val_losses(classifier_fc_adam=falling(0.3)),
    ),
    "fc_adam_keeps": (
        val_losses(classifier_fc_adam=falling(0.3)),
        val_losses(classifier_fc_adam=turning(0.3)),
    ),
    "sgd_keeps": (
        val_losses(classifier_fc_sgd=falling(0.3)),
        val_losses(classifier_fc_sgd=turning(0.3)),
    ),
    "sgd_rises": (
        {"classifier_fc_sgd": both(rising, "accuracy")},
        {"classifier_fc_sgd": accuracies(stepping(rising), rising)},
    ),
    "sgd_steadier": (
        val_losses(classifier_fc_sgd=wobbling(0.01), classifier_fc_adam=wobbling(0.02)),
        val_losses(classifier_fc_sgd=wobbling(0.02), classifier_fc_adam=wobbling(0.01)),
    ),
    "sgd_equal": (
        {"classifier_fc_sgd": accuracies(0.920, 0.915)},
        {"classifier_fc_sgd": accuracies(0.9465, 0.9148)},
    ),
    "adam_faster": (
        val_accuracies(classifier_fc_adam=rising, classifier_fc_sgd=0.7),
        val_accuracies(classifier_fc_adam=0.6, classifier_fc_sgd=0.7),
    ),
    "shirt_confused": (
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "coat": 50})},
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "dress": 50})},
    ),
    "shirt_little_confused": (
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "coat": 50})},
        {"classifier_fc_adam": matrix(errors={"t-shirt": 120, "pullover": 60, "coat": 50})},
    ),
    "fc_adam_clear": (
        {"classifier_fc_adam": matrix(700, errors={"coat": 300})},
        {"classifier_fc_adam": matrix(700, errors={"coat": 400})},
    ),
}
TRANSFER_CASES = {
    "full_gains": (
        val_accuracies(classifier_full=0.90, random_full=0.89),
        val_accuracies(classifier_full=0.89, random_full=0.90),
    ),
    "head_gains": (
        val_accuracies(classifier_frozen=0.75, random_head=0.70),
        val_accuracies(classifier_frozen=0.70, random_head=0.75),
    ),
}
CASES = {
    f"{name}/{claim}": worlds
    for name, cases in (
        ("mansilla", MANSILLA_CASES),
        ("manolucos", MANOLUCOS_CASES),
        ("transfer", TRANSFER_CASES),
    )
    for claim, worlds in cases.items()
}
CLAIMS = CATALOGUE.claims
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=[claim.id for claim in CLAIMS])


@pytest.fixture
def verdict(run):
    """`verdict(claim, *worlds)`: what is said of it where each seed shows one of the worlds."""

    def judged(claim, *worlds):
        specs = {spec.name: spec for spec in claim.holds.specs}
        records = [
            run(specs[name], seed, **shown)
            for seed, world in enumerate(worlds)
            for name, shown in world.items()
        ]
        (found,) = judge_claims([claim], records)
        return found

    return judged


ENGLISH = re.compile(
    r"\b(a|and|apart|at|both|every|from|higher|in|interval|is|loss|lower|needed|of|only|over|part|"
    r"run|seeds?|share|than|the|times|too|val_\w+|train_eval_\w+|with)\b"
)


def test_every_claim_has_its_cases_and_every_case_its_claim():
    assert CASES.keys() == {claim.id for claim in CLAIMS}
    assert len(CASES) == len(CLAIMS) >= 60
    for claim in CLAIMS:
        there = {spec.name for spec in claim.holds.specs}
        for world in CASES[claim.id]:
            assert world.keys() == there, claim.id


def why(found):
    return found.describe_why().english


@each_claim
def test_a_claim_is_reproduced_where_all_seeds_show_it(claim, verdict):
    found = verdict(claim, *claim.seeds * [CASES[claim.id][0]])
    assert (found.word, found.n) == (REPRODUCED, claim.seeds), why(found)
    row = found.to_json()
    assert None not in row["ours"].values()
    assert None not in row["interval"].values()
    # Of fewer than five later seeds no vote is taken, but means are.
    assert row["later"] == REPRODUCED


@each_claim
def test_a_claim_is_not_reproduced_where_all_seeds_show_the_contrary(claim, verdict):
    found = verdict(claim, *claim.seeds * [CASES[claim.id][1]])
    assert (found.word, found.n) == (NOT_REPRODUCED, claim.seeds), why(found)
    assert why(found)
    assert found.later.verdict == NOT_REPRODUCED


@each_claim
def test_a_claim_varies_where_half_of_the_seeds_show_it_and_half_the_contrary(claim, verdict):
    holds, fails = CASES[claim.id]
    half = claim.seeds // 2
    found = verdict(claim, *half * [holds], *(claim.seeds - half) * [fails])
    assert found.word in (VARIES, CONSISTENT), why(found)
    # A printed number is held to one more run, and lies among runs so far apart.
    is_printed = claim.name.endswith(("_row", "_running", "_shirts", "_ratio"))
    assert (found.word == CONSISTENT) is is_printed


@each_claim
def test_no_verdict_is_read_off_before_the_last_seed(claim, verdict):
    for worlds in CASES[claim.id]:
        found = verdict(claim, *(claim.seeds - 1) * [worlds])
        assert (found.word, found.n) == (UNDECIDED, claim.seeds - 1)
        assert f"{claim.seeds - 1} of {claim.seeds} seeds" in why(found)
    (found,) = judge_claims([claim], [])
    assert (found.word, found.n) == (UNDECIDED, 0)
    row = found.to_json()
    assert set(row["ours"].values()) == set(row["interval"].values()) == {None}


@each_claim
def test_a_seed_beyond_the_fixed_number_does_not_count(claim, verdict):
    holds, fails = CASES[claim.id]
    found = verdict(claim, *claim.seeds * [holds], *20 * [fails])
    assert (found.word, found.n) == (REPRODUCED, claim.seeds)


@each_claim
def test_what_is_said_of_a_claim_is_said_in_spanish_too(verdict, claim):
    good, bad = CASES[claim.id]
    n = claim.seeds
    for worlds in (n * [good], n * [bad], (n // 2) * [good] + (n - n // 2) * [bad], [good]):
        found = verdict(claim, *worlds)
        texts = (*found.describe_ours(), found.describe_why(), *found.describe_beside())
        for said in (*texts, claim.claim, claim.published, claim.where.words):
            assert ENGLISH.findall(said.spanish) == [], said
            assert not re.search(r"\bval_|\btrain_eval_", said.english)


# --- what counts ---

RISES = next(claim for claim in CLAIMS if claim.name == "base_rises")
ALIKE = next(claim for claim in CLAIMS if claim.name == "dropout_01_alike")
DETAIL = next(claim for claim in CLAIMS if claim.name == "wide_detail")
UP = both(turning(0.3))


def changed(record, **history):
    return replace(record, history=record.history | history)


def test_only_runs_with_the_declared_settings_and_every_image_count(run):
    few = [run(mansilla.BASE, seed, examples=59_999, **UP) for seed in range(5)]
    assert judge_claims([RISES], few)[0].n == 0
    for change in ({"epochs": 1}, {"dropout": 0.21}, {"learning_rate": 2e-3}):
        other = override(mansilla.BASE, change)
        records = [run(other, seed, **UP) for seed in range(5)]
        assert {record.id for record in records} == {"mansilla/base"}
        assert judge_claims([RISES], records)[0].n == 0
        records.append(run(mansilla.BASE, 0, **UP))
        assert judge_claims([RISES], records)[0].n == 1


def test_a_classifier_on_another_autoencoder_does_not_count(run):
    full = next(claim for claim in CLAIMS if claim.name == "full_falls")
    other = override(mansilla.CLASSIFIER_FULL, {"autoencoder_epochs": 1})
    assert judge_claims([full], [run(other, seed) for seed in range(5)])[0].n == 0
    assert judge_claims([full], [run(mansilla.CLASSIFIER_FULL, 0)])[0].n == 1


def test_a_run_of_another_experiment_with_the_same_settings_does_not_count(run):
    twin = replace(mansilla.BASE, name="twin")
    assert settings(twin) == settings(mansilla.BASE)
    assert judge_claims([RISES], [run(twin, seed, **UP) for seed in range(5)])[0].n == 0


def test_a_record_that_lacks_what_is_read_does_not_count(run):
    whole = run(mansilla.BASE, 0, **UP)
    for broken in (
        changed(whole, val_loss=[0.1] * 3),
        replace(whole, history={}),
        replace(whole, metrics={"val_loss": 0.1}),
        replace(whole, images=None),
    ):
        assert judge_claims([RISES], [broken])[0].n == 0
    classifier = run(mansilla.CLASSIFIER_FULL, 0)
    full = next(claim for claim in CLAIMS if claim.name == "full_rises")
    assert judge_claims([full], [classifier])[0].n == 1
    no_accuracy = {k: v for k, v in classifier.metrics.items() if k != "val_accuracy"}
    assert judge_claims([full], [replace(classifier, metrics=no_accuracy)])[0].n == 0
    assert judge_claims([full], [replace(classifier, confusion_matrix=None)])[0].n == 0


def first_value(found):
    return found.judgement.measures[0].value


def test_only_records_that_belong_together_are_averaged(run):
    on_torch = [run(manolucos.BASELINE, seed, **explaining(0.5)) for seed in range(4)]
    on_jax = [run(manolucos.BASELINE, seed, **explaining(0.9)) for seed in range(3)]
    on_jax = [replace(record, backend="jax") for record in on_jax]
    (found,) = judge_claims([DETAIL], on_jax + on_torch)
    assert first_value(found) == pytest.approx(0.5, abs=0.05)
    wide = [run(manolucos.WIDE, seed) for seed in range(6)]
    assert judge_claims([DETAIL], on_jax + on_torch + wide)[0].n == 4  # of the fewest
    (found,) = judge_claims([DETAIL], on_jax + on_torch[:2])
    assert first_value(found) == pytest.approx(0.9, abs=0.05)


def test_what_a_training_took_is_not_read_off_a_run_on_a_gpu(run):
    slower = next(claim for claim in CLAIMS if claim.name == "wide_slower")
    holds, _ = CASES[slower.id]
    records = [
        run(SPECS[f"manolucos/{name}"], seed, **shown)
        for seed in range(slower.seeds)
        for name, shown in holds.items()
    ]
    assert judge_claims([slower], records)[0].word == REPRODUCED
    assert judge_claims([slower], [replace(r, device="gpu") for r in records])[0].n == 0


def test_seeds_are_paired_only_on_one_backend_and_device(run):
    base = [run(mansilla.BASE, seed) for seed in range(4)]
    other = [run(mansilla.DROPOUT_01, seed) for seed in range(1, 6)]
    assert judge_claims([ALIKE], base + other)[0].n == 3
    for change in ({"backend": "jax"}, {"device": "gpu"}):
        assert judge_claims([ALIKE], base + [replace(r, **change) for r in other])[0].n == 0


def test_a_ranking_is_paired_by_seed(run):
    gains = next(claim for claim in CLAIMS if claim.name == "full_gains")
    full, random = SPECS["mansilla/classifier_full"], SPECS["transfer/random_full"]
    values = (0.83, 0.84, 0.85, 0.86, 0.87, 0.88, 0.89, 0.90)
    records = [run(full, k, val_accuracy=v + 0.005) for k, v in enumerate(values)]
    records += [run(random, k, val_accuracy=v) for k, v in enumerate(values)]
    # Intervals of the means overlap, those of the differences are far above zero.
    (found,) = judge_claims([gains], records)
    assert found.word == REPRODUCED
    one, other, difference = found.judgement.measures
    assert one.interval[1] > other.interval[0]
    assert difference.value == pytest.approx(0.005, rel=0.01)
    shuffled = [run(full, 7 - k, val_accuracy=v + 0.005) for k, v in enumerate(values)]
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


# --- what is printed ---


def test_printed_numbers_come_from_the_specs():
    rows = {found.claim.id: found.describe_published().english for found in judge_claims(CLAIMS, [])}
    assert rows["manolucos/baseline_row"] == "8.58%, 7.26% (table 3)"
    assert rows["manolucos/baseline_running"] == "8.58% (table 3)"
    assert rows["manolucos/classifier_fc_sgd_row"].startswith("94.65%, 91.48%, 15.29%, 24.63%")
    assert rows["manolucos/order"].startswith("7.26%, 3.12%, 2.83%, 2.31%, 1.75%")
    assert rows["manolucos/table_5_validation"].startswith("41.82%, 33.12%, 24.63%")
    assert rows["manolucos/dropout_ratio"] == "1.18 (table 3)"
    assert rows["mansilla/full_shirts"].startswith("713 as Shirt, 142 as T-shirt/top, 60 as Pul")


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.name.startswith("table_")])
def test_an_order_is_the_one_that_the_table_prints(claim):
    numbers = re.findall(r"[\d.]+(?=%)", claim.published.english)
    assert numbers == sorted(numbers, key=float, reverse=True)


def test_every_claim_says_what_it_means_and_where_it_stands():
    assert len({claim.id for claim in CLAIMS}) == len({c.claim for c in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.name.isidentifier()
        assert claim.published.english
        assert not claim.claim.english.endswith(".")
        assert any(word in claim.where.words.english for word in ("section", "figure", "table"))


def test_every_rule_is_registered_as_it_stands():
    assert [claim.id for claim in CLAIMS if claim.registered is None] == []
    known = {(name, digest) for rules in REGISTERED.values() for name, digest in rules.items()}
    assert known == {(claim.id, digest_rule(claim)) for claim in CLAIMS}
    assert all(re.fullmatch("[0-9a-f]{40}", commit) for commit in REGISTERED)


def test_the_protocol_says_what_the_claims_do():
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    wrong = count_expected_errors(CLAIMS)
    assert f"Over all {len(CLAIMS)} claims that makes {wrong:.1f} wrong verdicts" in text
    rows = {("8", "0, 1, 2"): {"mansilla", "transfer"}, ("5", "0"): {"manolucos"}}
    for (seeds, seen), reports in rows.items():
        assert f"| {', '.join(sorted(reports))} | {seeds}: 0 to {int(seeds) - 1} | {seen} |" in text
        for claim in CLAIMS:
            if claim.report in reports:
                assert (claim.seeds, claim.seen) == (int(seeds), len(seen.split(", ")))
    thresholds = {claim.threshold for claim in CLAIMS} - {None}
    assert thresholds == {2, 0.10, 0.05, 0.01}


@pytest.fixture
def out(tmp_path, run, put_record):
    """A folder of records that reproduce one claim, refute one and decide nothing else."""
    for seed in range(8):
        shown = {"val_loss": 0.03} | both(rising_later) | explaining(0.3)
        put_record(tmp_path / "out", run(mansilla.BASE, seed, **shown))
    return str(tmp_path / "out")


def test_the_command_prints_every_claim_and_counts_the_verdicts(run_command, out):
    status, shown, err = run_command("claims", "--out", out)
    assert (status, err) == (0, "")
    for claim in CLAIMS:
        assert f"\n{claim.id}\n" in shown
    counted = shown.splitlines()[-1]
    assert counted.startswith(f"{len(CLAIMS)} claims: 4 reproduced, 0 consistent with one run, ")
    assert counted.endswith(f"2 not reproduced, {len(CLAIMS) - 6} undecided")


def test_the_json_file_holds_what_was_judged(run_command, out, tmp_path):
    assert run_command("claims", "--out", out, "--json", "claims.json")[0] == 0
    rows = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == [claim.id for claim in CLAIMS]
    for row in rows:
        assert list(row) == [
            *("id", "report", "claim", "published", "ours", "interval", "n", "verdict", "why"),
            *("seeds", "seen", "later", "threshold", "elsewhere", "registered"),
        ]
        assert row["id"].startswith(row["report"] + "/")
        assert all(isinstance(row[name], str) and row[name] for name in ("claim", "published"))
        assert row["ours"].keys() == row["interval"].keys() != set()
        for label, value in row["ours"].items():
            interval = row["interval"][label]
            assert value is None or isinstance(value, (int, float))
            assert interval is None or interval[0] <= value <= interval[1]
        assert {row["verdict"], row["later"], *row["elsewhere"].values()} <= set(VERDICTS)
        assert row["why"]
        assert row["registered"] in REGISTERED
    decided = {row["id"]: (row["verdict"], row["n"]) for row in rows if row["n"] == 8}
    assert decided["mansilla/base_rises"] == (REPRODUCED, 8)
    assert decided["mansilla/base_reconstructs"] == (NOT_REPRODUCED, 8)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--jsn", "a.json"], "--jsn is no flag; did you mean json?"),
        (["--json", "a.txt"], "json must end in .json, not 'a.txt'"),
        (["--json"], "json must end in .json, not True"),
        (["--out", "3"], "out must name a folder"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_request_writes_nothing(run_command, tmp_path, words, complaint):
    status, shown, err = run_command("claims", *words)
    assert (status, shown, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert list(tmp_path.iterdir()) == []


def columns(lines):
    """What stands in each column, given its title, line by line."""
    starts = [lines[0].index(title) for title in ("claim", "published", "ours", "verdict and why")]
    ends = [*starts[1:], None]
    return [[line[a:b] for line in lines] for a, b in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("width", [40, 80, 100, 200, 500])
def test_the_table_fits_the_terminal_and_drops_nothing(verdict, width):
    for claim in CLAIMS:
        found = verdict(claim, *5 * [CASES[claim.id][0]])
        lines = format_claims([found], width)
        assert max(map(len, lines)) <= min(max(width, 80), 200)
        assert not any(line.endswith(" ") for line in lines)
        assert lines[1:3] == ["", row["id"]]
        assert lines[-2] == ""
        meant, published, ours, verdict_and_why = columns([lines[0], *lines[3:-2]])
        cells = (
            (meant, row["claim"]),
            (published, row["published"]),
            (verdict_and_why, row["verdict"] + row["why"]),
        )
        for column, text in cells:
            assert "".join("".join(column[1:]).split()) == "".join(text.split())
        for label in row["ours"]:
            assert "".join(label.split()) in "".join("".join(ours).split())


def test_a_cell_is_wrapped_in_its_own_column(verdict):
    lines = format_claims([verdict(RISES, *5 * [CASES[RISES.id][0]])], 120)
    *_, ours, verdict_and_why = columns([lines[0], *lines[3:7]])
    assert verdict_and_why == [
        "verdict and why",
        "reproduced",
        "both losses higher at epoch",
        "15 than at 5: 5 of 5 seeds",
        "",
    ]
    # One-sided Clopper-Pearson of 5 of 5: 0.05 ** (1 / 5)
    shown = "base both losses higher at epoch 15 than at 5 (share of seeds): 1 [0.549, 1] n = 5"
    assert " ".join(part.strip() for part in ours[1:]) == shown


def test_the_readme_table_has_a_row_a_claim(run):
    records = [run(mansilla.BASE, seed, **UP) for seed in range(5)]
    text = tables.format_claims([RISES, ALIKE, DETAIL], records)
    count, _, *folded = text.splitlines()
    assert count == "3 claims: 1 reproduced, 0 not reproduced, 2 undecided."
    assert folded[:3] == ["<details>", "<summary>Each of them</summary>", ""]
    assert folded[-2:] == ["", "</details>"]
    lines = folded[3:]
    assert lines[0] == "| claim | published | ours | verdict |"
    assert [line.count("|") for line in lines[:5]] == [5] * 5
    assert lines[2].startswith(f"| {RISES.claim} | {RISES.published} ({RISES.where}) |")
    assert lines[2].endswith(
        "| base both losses higher at epoch 15 than at 5 (share of seeds): 1 [0.549, 1]<br>n = 5 "
        "| reproduced |"
    )
    assert lines[3].endswith("| not run yet | undecided |")


def test_the_published_records_are_judged_without_a_framework_or_a_plot():
    script = """
import sys
from experiments import __main__
sys.argv = ["keras-fmnist", "claims"]
status = __main__.main()
heavy = {"keras", "torch", "jax", "tensorflow", "tensorflow_datasets", "matplotlib"}
print(status, sorted(heavy & set(sys.modules)))
"""
    done = run_python("-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    *_, counted, last = done.stdout.splitlines()
    assert last == "0 []"
    assert counted.startswith(f"{len(CLAIMS)} claims: ")
