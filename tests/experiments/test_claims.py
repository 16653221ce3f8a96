"""Every claim with records made up for each verdict, and what may decide a claim at all."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from experiments import manolucos, manolucos_claims, mansilla
from experiments.__main__ import CATALOGUE
from keras_fmnist.claims.claim import describe_ours, judge_claims
from keras_fmnist.claims.criteria import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from keras_fmnist.cli.commands.claims import format_claims
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.images import pack_images
from keras_fmnist.reporting import tables
from keras_fmnist.reporting.page.translations import in_both
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


def settling(n):
    return np.minimum(np.linspace(0.5, 1.4, n), 0.8) + 0.01 * (-1.0) ** np.arange(n)


# --- what a run shows ---


def both(curve, metric="loss"):
    return {f"train_eval_{metric}": curve, f"val_{metric}": curve}


def losses(train, val):
    return {"train_eval_loss": train, "val_loss": val}


def accuracies(train, val):
    return {"train_eval_accuracy": train, "val_accuracy": val}


def explaining(share):
    """Ten pictures whose reconstructions explain this share of their variance."""
    originals = np.full((10, 28, 28, 1), 0.4)
    originals[::2] = 0.6  # their mean is 0.5
    rebuilt = originals + (1 - share) ** 0.5 * (0.5 - originals)
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
        plain = matrix() if classifies else explaining(0.5)
        return make_record(
            spec,
            seed,
            examples=examples,
            metrics={name: curve[-1] for name, curve in history.items()},
            history=history if spec.epochs else {},
            **plain | shown,
        )

    return make


# --- for each claim what its experiments show where it holds, and where it does not ---

BEST = dict.fromkeys(("trouser", "sandal", "sneaker", "bag", "ankle"), 950)
SHIRTS = {"shirt": 713, "t-shirt": 142, "pullover": 60}
MANSILLA_CASES = {
    "untrained_blind": ({"untrained": explaining(-0.5)}, {"untrained": explaining(0.3)}),
    "base_rises": (
        {"base": both(turning(0.3))},
        {"base": losses(falling(0.4), turning(0.3))},
    ),
    "base_reconstructs": ({"base": explaining(0.6)}, {"base": explaining(-0.5)}),
    "dropout_01_steadier": (
        val_losses(dropout_01=wobbling(0.01), base=wobbling(0.02)),
        val_losses(dropout_01=wobbling(0.02), base=wobbling(0.01)),
    ),
    "dropout_01_alike": (
        val_losses(dropout_01=0.031, base=0.030),
        val_losses(dropout_01=0.026, base=0.030),
    ),
    "latent_256_better": (
        val_losses(latent_256=0.02, dropout_01=0.05, base=0.05),
        val_losses(latent_256=0.02, dropout_01=0.03, base=0.05),
    ),
    "latent_256_detail": (
        {"dropout_01": explaining(0.6), "latent_256": explaining(0.8)},
        {"dropout_01": explaining(0.8), "latent_256": explaining(0.6)},
    ),
    "dropout_01_reconstructs": (
        {"dropout_01": explaining(0.6)},
        {"dropout_01": explaining(-0.5)},
    ),
    "latent_256_falls": (
        {"latent_256": both(falling(0.1))},
        {"latent_256": losses(falling(0.1), stepping(falling(0.1)))},
    ),
    "latent_256_gap": (
        {"latent_256": losses(0.0200, 0.0202), "dropout_01": losses(0.0300, 0.0301)},
        {"latent_256": losses(0.0200, 0.0232), "dropout_01": losses(0.0300, 0.0301)},
    ),
    "sgd_falls": (
        {"sgd": both(falling(0.1))},
        {"sgd": losses(stepping(falling(0.1)), falling(0.1))},
    ),
    "sgd_worse": (
        val_losses(sgd=0.07, base=0.03, dropout_01=0.03, latent_256=0.02),
        val_losses(sgd=0.05, base=0.03, dropout_01=0.03, latent_256=0.02),
    ),
    "sgd_blind": ({"sgd": explaining(-0.5)}, {"sgd": explaining(0.3)}),
    "full_falls": (
        {"classifier_full": both(wobbling(0.01, falling(0.3)))},
        {"classifier_full": losses(falling(0.3), turning(0.4))},
    ),
    "full_rises": (
        {"classifier_full": both(rising, "accuracy")},
        {"classifier_full": accuracies(rising, stepping(rising))},
    ),
    "full_best_classes": (
        {"classifier_full": matrix(**BEST)},
        {"classifier_full": matrix(**BEST, shirt=960)},
    ),
    "full_shirts": (
        {"classifier_full": matrix(errors=SHIRTS)},
        {"classifier_full": matrix(errors=SHIRTS | {"shirt": 638})},
    ),
    "full_hard_classes": (
        {"classifier_full": matrix(shirt=700, coat=800, errors={"coat": 150})},
        {"classifier_full": matrix(shirt=700, coat=800, errors={"bag": 150})},
    ),
    "frozen_loss": (
        {"classifier_full": {"val_loss": 0.3}, "classifier_frozen": both(falling(0.8))},
        {"classifier_full": {"val_loss": 0.3}, "classifier_frozen": both(falling(0.5))},
    ),
    "frozen_flattens": (
        {"classifier_frozen": both(settling, "accuracy")},
        {"classifier_frozen": accuracies(rising, settling)},
    ),
    "frozen_diagonal": (
        {"classifier_frozen": matrix(700), "classifier_full": matrix(900)},
        {"classifier_frozen": matrix(700, shirt=910), "classifier_full": matrix(900)},
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
ORDER = {"baseline": 9, "no_dropout": 8, "batchnorm": 7, "avg_pooling": 6, "wide": 5}
ROWS = (*manolucos_claims.AUTOENCODERS, *manolucos_claims.CLASSIFIERS)
MANOLUCOS_CASES = {
    **{
        f"{spec.name}_row": (
            {spec.name: printed(spec)},
            {spec.name: printed(spec) | {"val_loss": 1.2 * spec.published["val_loss"]}},
        )
        for spec in ROWS
    },
    "order": (val_losses(**ORDER), val_losses(**ORDER | {"avg_pooling": 7.5})),
    "baseline_below_10": (
        {"baseline": losses(0.08, 0.07)},
        {"baseline": losses(0.12, 0.07)},
    ),
    "wide_slower": (
        {"avg_pooling": taking(100), "wide": taking(500)},
        {"avg_pooling": taking(500), "wide": taking(100)},
    ),
    "no_dropout_halves": (
        val_losses(no_dropout=0.03, baseline=0.07),
        val_losses(no_dropout=0.03, baseline=0.05),
    ),
    "dropout_ratio": (
        {"baseline": {"loss": 0.0858, "val_loss": 0.0726}},
        {"baseline": {"loss": 0.0726, "val_loss": 0.0726}},
    ),
    "wide_detail": (
        {"baseline": explaining(0.5), "wide": explaining(0.9)},
        {"baseline": explaining(0.9), "wide": explaining(0.5)},
    ),
    "above_90": (
        val_accuracies(classifier_baseline=0.91, classifier_fc_adam=0.91, classifier_fc_sgd=0.91),
        val_accuracies(classifier_baseline=0.91, classifier_fc_adam=0.89, classifier_fc_sgd=0.91),
    ),
    "baseline_overfits": (
        val_losses(classifier_baseline=turning(0.5)),
        val_losses(classifier_baseline=turning(0.2)),
    ),
    "fc_faster": (
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.1)},
            "classifier_baseline": {"train_eval_loss": falling(0.2)},
        },
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.1)},
            "classifier_baseline": {"train_eval_loss": lambda n: falling(0.3)(n) - 0.25},
        },
    ),
    "fc_more_accurate": (
        val_accuracies(classifier_fc_adam=0.92, classifier_baseline=0.91),
        val_accuracies(classifier_fc_adam=0.91, classifier_baseline=0.92),
    ),
    "fc_overfits": (
        val_losses(
            classifier_fc_adam=wobbling(0.05, turning(0.3)), classifier_baseline=turning(0.3)
        ),
        val_losses(
            classifier_fc_adam=wobbling(0.05, falling(0.3)), classifier_baseline=turning(0.3)
        ),
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
    "sgd_equal": (
        {"classifier_fc_sgd": accuracies(0.920, 0.915)},
        {"classifier_fc_sgd": accuracies(0.9465, 0.9148)},
    ),
    "adam_faster": (
        {
            "classifier_fc_adam": {"train_eval_accuracy": lambda n: rising(n) + 0.05},
            "classifier_fc_sgd": {"train_eval_accuracy": rising},
        },
        {
            "classifier_fc_adam": {"train_eval_accuracy": lambda n: rising(n) - 0.05},
            "classifier_fc_sgd": {"train_eval_accuracy": rising},
        },
    ),
    "shirt_confused": (
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "coat": 50})},
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "dress": 50})},
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
    """`verdict(claim, *worlds)`: the row of a claim where each seed shows one of the worlds."""

    def judged(claim, *worlds):
        specs = {spec.name: spec for spec in claim.holds.specs}
        records = [
            run(specs[name], seed, **shown)
            for seed, world in enumerate(worlds)
            for name, shown in world.items()
        ]
        (row,) = judge_claims([claim], records)
        return row

    return judged


ENGLISH = re.compile(
    r"\b(a|and|apart|at|both|every|from|higher|in|interval|is|loss|lower|needed|of|only|over|part|"
    r"run|seeds?|share|than|the|times|too|val_\w+|train_eval_\w+|with)\b"
)


@each_claim
def test_what_is_said_of_a_claim_is_said_in_spanish_too(verdict, claim):
    good, bad = CASES[claim.id]
    for worlds in ([good] * 5, [bad] * 5, [good, bad, good, bad, good], [good]):
        row = verdict(claim, *worlds)
        for said in (*describe_ours(row), row["why"]):
            assert ENGLISH.findall(in_both(said).spanish) == [], said
            assert not re.search(r"\bval_|\btrain_eval_", in_both(said).english)


def test_every_claim_has_its_cases_and_every_case_its_claim():
    assert CASES.keys() == {claim.id for claim in CLAIMS}
    assert len(CASES) == len(CLAIMS) > 40
    for claim in CLAIMS:
        there = {spec.name for spec in claim.holds.specs}
        for world in CASES[claim.id]:
            assert world.keys() == there, claim.id


@each_claim
def test_a_claim_is_reproduced_where_all_seeds_show_it(claim, verdict):
    row = verdict(claim, *5 * [CASES[claim.id][0]])
    assert (row["verdict"], row["n"]) == (REPRODUCED, 5), row["why"]
    assert None not in row["ours"].values()
    assert None not in row["interval"].values()


@each_claim
def test_a_claim_is_not_reproduced_where_all_seeds_show_the_contrary(claim, verdict):
    row = verdict(claim, *5 * [CASES[claim.id][1]])
    assert (row["verdict"], row["n"]) == (NOT_REPRODUCED, 5), row["why"]
    assert row["why"]


@each_claim
def test_a_claim_is_undecided_where_seeds_are_too_few(claim, verdict):
    for worlds in CASES[claim.id]:
        row = verdict(claim, *2 * [worlds])
        assert (row["verdict"], row["n"]) == (UNDECIDED, 2)
        assert "has 2 of at least" in row["why"]
    (row,) = judge_claims([claim], [])
    assert (row["verdict"], row["n"]) == (UNDECIDED, 0)
    assert set(row["ours"].values()) == set(row["interval"].values()) == {None}


@each_claim
def test_a_claim_is_undecided_where_some_seeds_show_it_and_some_the_contrary(claim, verdict):
    holds, fails = CASES[claim.id]
    row = verdict(claim, *3 * [holds], *3 * [fails])
    assert (row["verdict"], row["n"]) == (UNDECIDED, 6), row["why"]
    assert "of at least" not in row["why"]


# --- what counts ---

RISES = next(claim for claim in CLAIMS if claim.name == "base_rises")
ALIKE = next(claim for claim in CLAIMS if claim.name == "dropout_01_alike")
DETAIL = next(claim for claim in CLAIMS if claim.name == "wide_detail")
UP = both(turning(0.3))


def changed(record, **history):
    return replace(record, history=record.history | history)


def test_only_runs_with_the_declared_settings_and_every_image_count(run):
    few = [run(mansilla.BASE, seed, examples=59_999, **UP) for seed in range(5)]
    assert judge_claims([RISES], few)[0]["n"] == 0
    for change in ({"epochs": 1}, {"dropout": 0.21}, {"learning_rate": 2e-3}):
        other = override(mansilla.BASE, change)
        records = [run(other, seed, **UP) for seed in range(5)]
        assert {record.id for record in records} == {"mansilla/base"}
        assert judge_claims([RISES], records)[0]["n"] == 0
        records.append(run(mansilla.BASE, 0, **UP))
        assert judge_claims([RISES], records)[0]["n"] == 1


def test_a_classifier_on_another_autoencoder_does_not_count(run):
    full = next(claim for claim in CLAIMS if claim.name == "full_falls")
    other = override(mansilla.CLASSIFIER_FULL, {"autoencoder_epochs": 1})
    assert judge_claims([full], [run(other, seed) for seed in range(5)])[0]["n"] == 0
    assert judge_claims([full], [run(mansilla.CLASSIFIER_FULL, 0)])[0]["n"] == 1


def test_a_run_of_another_experiment_with_the_same_settings_does_not_count(run):
    twin = replace(mansilla.BASE, name="twin")
    assert settings(twin) == settings(mansilla.BASE)
    assert judge_claims([RISES], [run(twin, seed, **UP) for seed in range(5)])[0]["n"] == 0


def test_a_record_that_lacks_what_is_read_does_not_count(run):
    whole = run(mansilla.BASE, 0, **UP)
    for broken in (
        changed(whole, val_loss=[0.1] * 3),
        replace(whole, history={}),
        replace(whole, metrics={"val_loss": 0.1}),
        replace(whole, images=None),
    ):
        assert judge_claims([RISES], [broken])[0]["n"] == 0
    classifier = run(mansilla.CLASSIFIER_FULL, 0)
    full = next(claim for claim in CLAIMS if claim.name == "full_rises")
    assert judge_claims([full], [classifier])[0]["n"] == 1
    no_accuracy = {k: v for k, v in classifier.metrics.items() if k != "val_accuracy"}
    assert judge_claims([full], [replace(classifier, metrics=no_accuracy)])[0]["n"] == 0
    assert judge_claims([full], [replace(classifier, confusion_matrix=None)])[0]["n"] == 0


def test_only_records_that_belong_together_are_averaged(run):
    on_torch = [run(manolucos.BASELINE, seed, **explaining(0.5)) for seed in range(4)]
    on_jax = [run(manolucos.BASELINE, seed, **explaining(0.9)) for seed in range(3)]
    on_jax = [replace(record, backend="jax") for record in on_jax]
    row = judge_claims([DETAIL], on_jax + on_torch)[0]
    assert row["ours"]["baseline explained variance of ten images"] == pytest.approx(0.5, abs=0.01)
    wide = [run(manolucos.WIDE, seed) for seed in range(6)]
    assert judge_claims([DETAIL], on_jax + on_torch + wide)[0]["n"] == 4  # of the fewest
    row = judge_claims([DETAIL], on_jax + on_torch[:2])[0]
    assert row["ours"]["baseline explained variance of ten images"] == pytest.approx(0.9, abs=0.01)


def test_what_a_training_took_is_not_read_off_a_run_on_a_gpu(run):
    slower = next(claim for claim in CLAIMS if claim.name == "wide_slower")
    holds, _ = CASES[slower.id]
    records = [
        run(SPECS[f"manolucos/{name}"], seed, **shown)
        for seed in range(3)
        for name, shown in holds.items()
    ]
    assert judge_claims([slower], records)[0]["verdict"] == REPRODUCED
    assert judge_claims([slower], [replace(r, device="gpu") for r in records])[0]["n"] == 0


def test_seeds_are_paired_only_on_one_backend_and_device(run):
    base = [run(mansilla.BASE, seed) for seed in range(4)]
    other = [run(mansilla.DROPOUT_01, seed) for seed in range(1, 6)]
    assert judge_claims([ALIKE], base + other)[0]["n"] == 3
    for change in ({"backend": "jax"}, {"device": "gpu"}):
        assert judge_claims([ALIKE], base + [replace(r, **change) for r in other])[0]["n"] == 0


def test_overlapping_intervals_refuse_a_ranking_though_every_seed_has_the_same_order(run):
    worse = next(claim for claim in CLAIMS if claim.name == "full_gains")
    full, random = SPECS["mansilla/classifier_full"], SPECS["transfer/random_full"]
    values = (0.88, 0.89, 0.90, 0.91, 0.92)
    records = [run(full, 3 * k, val_accuracy=v + 0.005) for k, v in enumerate(values)]
    records += [run(random, 3 * k, val_accuracy=v) for k, v in enumerate(values)]
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


# --- what is printed ---


def test_printed_numbers_come_from_the_specs():
    rows = {row["id"]: row["published"] for row in judge_claims(CLAIMS, [])}
    assert rows["manolucos/baseline_row"] == "8.58%, 7.26% (table 3)"
    assert rows["manolucos/classifier_fc_sgd_row"].startswith("94.65%, 91.48%, 15.29%, 24.63%")
    assert rows["manolucos/order"].startswith("7.26%, 3.12%, 2.83%, 2.31%, 1.75%")
    assert rows["manolucos/dropout_ratio"] == "1.18 (table 3)"
    assert rows["mansilla/full_shirts"].startswith("713 as Shirt, 142 as T-shirt/top, 60 as Pul")


def test_every_claim_says_what_it_means_and_where_it_stands():
    assert len({claim.id for claim in CLAIMS}) == len({c.claim for c in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.name.isidentifier()
        assert claim.published
        assert not claim.claim.endswith(".")
        assert any(word in claim.where for word in ("section", "figure", "table")), claim.id


@pytest.fixture
def out(tmp_path, run, put_record):
    """A folder of records that reproduce one claim, refute one and decide nothing else."""
    for seed in range(5):
        put_record(tmp_path / "out", run(mansilla.BASE, seed, **UP, **explaining(-0.5)))
    return str(tmp_path / "out")


def test_the_command_prints_every_claim_and_counts_the_verdicts(run_command, out):
    status, shown, err = run_command("claims", "--out", out)
    assert (status, err) == (0, "")
    for claim in CLAIMS:
        assert f"\n{claim.id}\n" in shown
    last = f"{len(CLAIMS)} claims: 1 reproduced, 1 not reproduced, {len(CLAIMS) - 2} undecided"
    assert shown.splitlines()[-1] == last


def test_the_json_file_holds_what_was_judged(run_command, out, tmp_path):
    assert run_command("claims", "--out", out, "--json", "claims.json")[0] == 0
    rows = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == [claim.id for claim in CLAIMS]
    for row in rows:
        assert list(row) == [
            *("id", "report", "claim", "published", "ours", "interval", "n", "verdict", "why")
        ]
        assert row["id"].startswith(row["report"] + "/")
        assert all(isinstance(row[name], str) and row[name] for name in ("claim", "published"))
        assert row["ours"].keys() == row["interval"].keys() != set()
        for label, value in row["ours"].items():
            interval = row["interval"][label]
            assert value is None or isinstance(value, (int, float))
            assert interval is None or interval[0] <= value <= interval[1]
        assert row["verdict"] in (REPRODUCED, NOT_REPRODUCED, UNDECIDED)
        assert row["why"]
    decided = {row["id"]: (row["verdict"], row["n"]) for row in rows if row["n"] == 5}
    assert decided["mansilla/base_rises"] == (REPRODUCED, 5)
    assert decided["mansilla/base_reconstructs"] == (NOT_REPRODUCED, 5)


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
        row = verdict(claim, *5 * [CASES[claim.id][0]])
        lines = format_claims([row], width)
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


def test_the_documents_table_has_a_row_a_claim(run):
    records = [run(mansilla.BASE, seed, **UP) for seed in range(5)]
    claims = [RISES, ALIKE, DETAIL]
    counted = tables.describe_verdicts(claims, records)
    assert counted == "3 claims: 1 reproduced, 0 not reproduced, 2 undecided."
    first, second = tables.format_claims(claims, records).split("\n\n### manolucos\n\n")
    heading, empty, *lines = first.splitlines()
    assert (heading, empty) == ("### mansilla", "")
    lines += second.splitlines()[2:]
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
