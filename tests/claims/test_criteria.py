"""From several seeds to a verdict: the interval decides, and says so."""

import math

import pytest
from scipy.stats import binomtest

from experiments.mansilla import BASE, DROPOUT_01, LATENT_256
from keras_fmnist.claims.criteria import (
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Estimate,
    Every,
    Judgement,
    MostSeeds,
    Near,
    Ranked,
    Within,
    format_number,
)
from keras_fmnist.claims.quantities import Quantity

ITSELF = Quantity("value", lambda value: value)
DIFFERENCE = Quantity("difference", lambda one, other: one - other)


def runs(**values):
    """Numbers in the place of records: `base=[1, 2]` are those of seeds 0 and 1."""
    ids = {spec.name: spec.id for spec in (BASE, DROPOUT_01, LATENT_256)}
    return {
        ids[name]: {("torch", "cpu", seed): value for seed, value in enumerate(numbers)}
        for name, numbers in values.items()
    }


# mean 2, and t(0.975, 2) = 4.302653 times 1 / √3 is 2.484
SEEDS = [1.0, 2.0, 3.0]
HALF = 4.302653 / math.sqrt(3)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (-0.5, 4.5, REPRODUCED, "all of the interval of base value is from -0.5 to 4.5"),
        (-0.49, math.inf, REPRODUCED, "all of the interval of base value is at least -0.49"),
        (-0.48, 4.5, UNDECIDED, "only a part of the interval of base value is from -0.48 to 4.5"),
        (-0.5, 4.48, UNDECIDED, "only a part of the interval of base value is from -0.5 to 4.48"),
        (1.9, 2.1, UNDECIDED, "only a part of the interval of base value is from 1.9 to 2.1"),
        (
            -math.inf,
            -0.49,
            NOT_REPRODUCED,
            "no part of the interval of base value is at most -0.49",
        ),
        (-math.inf, -0.48, UNDECIDED, "only a part of the interval of base value is at most -0.48"),
        (4.49, 9, NOT_REPRODUCED, "no part of the interval of base value is from 4.49 to 9"),
        (4.48, 9, UNDECIDED, "only a part of the interval of base value is from 4.48 to 9"),
    ],
)
def test_a_mean_is_within_bounds_where_its_whole_interval_is(low, high, verdict, reason):
    found = Within(ITSELF, (BASE,), low, high).judge(runs(base=SEEDS))
    assert (found.verdict, found.reasons) == (verdict, (reason,))
    (measure,) = found.measures
    assert (measure.label, measure.value, measure.n) == ("base value", 2, 3)
    assert measure.interval == pytest.approx((2 - HALF, 2 + HALF), abs=1e-5)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_seeds_decide_no_mean_and_have_no_interval(n):
    found = Within(ITSELF, (BASE,), -1e9, 1e9).judge(runs(base=SEEDS[:n]))
    mean = None if n == 0 else sum(SEEDS[:n]) / n
    measure = Estimate("base value", mean, None, n)
    assert found == Judgement(UNDECIDED, (f"base has {n} of at least 3 seeds",), (measure,))


def test_a_run_off_which_it_cannot_be_read_does_not_count():
    share = Quantity("share", lambda value: 1 / value if value != 9 else math.nan)
    finding = Within(share, (BASE,), low=0.5).judge(runs(base=[1, 0, 1, 9, 1]))
    assert finding.verdict == REPRODUCED
    assert [measure.n for measure in finding.measures] == [3]


def test_a_reading_of_two_experiments_pairs_the_seeds_that_both_have():
    spread = runs(base=[1.0, 5.0, 9.0, 100.0], dropout_01=[0.9, 4.8, 8.7])
    found = Within(DIFFERENCE, (BASE, DROPOUT_01), 0.0).judge(spread)
    # differences 0.1, 0.2 and 0.3, whatever the spread over seeds
    (measure,) = found.measures
    assert (measure.label, measure.n) == ("base / dropout_01 difference", 3)
    assert measure.value == pytest.approx(0.2)
    assert measure.interval == pytest.approx((0.2 - HALF / 10, 0.2 + HALF / 10), abs=1e-6)
    assert found.verdict == UNDECIDED
    few = Within(DIFFERENCE, (BASE, DROPOUT_01)).judge(runs(base=SEEDS, dropout_01=SEEDS[:2]))
    assert few.reasons == ("base / dropout_01 has 2 of at least 3 seeds",)


@pytest.mark.parametrize(
    ("shift", "times", "verdict", "reason"),
    [
        (4.97, 1, REPRODUCED, "base and latent_256 lie apart"),
        (4.96, 1, UNDECIDED, "base and latent_256: intervals overlap, no ranking"),
        (0, 1, UNDECIDED, "base and latent_256: intervals overlap, no ranking"),
        (-4.96, 1, UNDECIDED, "base and latent_256: intervals overlap, no ranking"),
        (-4.97, 1, NOT_REPRODUCED, "base and latent_256 lie apart, the other way round"),
        # 2 · (2 ± 2.484) against 2 + shift ± 2.484
        (9.46, 2, REPRODUCED, "2 times base and latent_256 lie apart"),
        (9.44, 2, UNDECIDED, "2 times base and latent_256: intervals overlap, no ranking"),
        (-5.46, 2, NOT_REPRODUCED, "2 times base and latent_256 lie apart, the other way round"),
    ],
)
def test_two_variants_are_ranked_only_where_their_intervals_lie_apart(
    shift, times, verdict, reason
):
    values = runs(base=SEEDS, latent_256=[value + shift for value in SEEDS])
    found = Ranked(ITSELF, BASE, LATENT_256, times).judge(values)
    assert (found.verdict, found.reasons) == (verdict, (reason,))
    assert [m.label for m in found.measures] == ["base value", "latent_256 value"]
    assert found.measures[0].interval == pytest.approx((2 - HALF, 2 + HALF), abs=1e-5)


def test_an_interval_ends_where_what_is_read_can_be_no_more():
    accuracy = Quantity("val_accuracy", lambda value: value, least=0, most=1)
    found = Within(accuracy, (BASE,), high=1).judge(runs(base=[0.8, 0.9, 0.99]))
    (measure,) = found.measures
    assert found.verdict == REPRODUCED
    assert measure.interval == (pytest.approx(0.6606, abs=1e-4), 1)
    found = Within(accuracy, (BASE,)).judge(runs(base=[0.01, 0.1, 0.2]))
    assert found.measures[0].interval[0] == 0


def test_a_ranking_takes_three_seeds_of_each():
    found = Ranked(ITSELF, BASE, LATENT_256).judge(runs(base=[1, 1, 1], latent_256=[9, 9]))
    assert (found.verdict, found.reasons) == (UNDECIDED, ("latent_256 has 2 of at least 3 seeds",))
    assert found.measures[1].interval is None
    found = Ranked(ITSELF, BASE, LATENT_256).judge(runs(base=[1], latent_256=[9, 9]))
    assert found.reasons == (
        "base has 1 of at least 3 seeds",
        "latent_256 has 2 of at least 3 seeds",
    )


@pytest.mark.parametrize(
    ("yes", "n", "verdict"),
    [
        (5, 5, REPRODUCED),
        (4, 5, UNDECIDED),
        (1, 5, UNDECIDED),
        (0, 5, NOT_REPRODUCED),
        (7, 8, REPRODUCED),
        (6, 8, UNDECIDED),
        (1, 8, NOT_REPRODUCED),
        (15, 20, REPRODUCED),
        (14, 20, UNDECIDED),
    ],
)
def test_most_seeds_are_a_share_whose_interval_excludes_half(yes, n, verdict):
    found = MostSeeds(ITSELF, (BASE,)).judge(runs(base=[True] * yes + [False] * (n - yes)))
    (measure,) = found.measures
    exact = binomtest(yes, n).proportion_ci(0.90, method="exact")
    assert measure.interval == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert (measure.value, measure.n) == (yes / n, n)
    assert measure.label == "base value (share of seeds)"
    assert found.verdict == verdict
    tail = ", too near half" if verdict == UNDECIDED else ""
    assert found.reasons == (f"value: {yes} of {n} seeds{tail}",)


@pytest.mark.parametrize("n", range(5))
def test_fewer_than_five_seeds_cannot_be_most_seeds(n):
    found = MostSeeds(ITSELF, (BASE,)).judge(runs(base=[True] * n))
    measure = Estimate("base value (share of seeds)", 1 if n else None, None, n)
    assert found == Judgement(UNDECIDED, (f"base has {n} of at least 5 seeds",), (measure,))


@pytest.mark.parametrize(
    ("bounds", "verdict", "reasons"),
    [
        ((9, 8), REPRODUCED, 2),
        ((9, 2), UNDECIDED, 1),
        ((2, 2), UNDECIDED, 1),
        ((9, -1), NOT_REPRODUCED, 1),
        ((2, -1), NOT_REPRODUCED, 1),
    ],
)
def test_every_part_must_hold_and_one_that_does_not_refutes_all(bounds, verdict, reasons):
    every = Every(tuple(Within(ITSELF, (BASE,), high=high) for high in bounds))
    found = every.judge(runs(base=SEEDS))
    assert found.verdict == verdict
    assert len(found.reasons) == reasons
    assert [m.label for m in found.measures] == ["base value"]
    wanted = {REPRODUCED: "all of", UNDECIDED: "only a part", NOT_REPRODUCED: "no part"}[verdict]
    assert all(reason.startswith(wanted) for reason in found.reasons)


def test_the_experiments_of_every_part_are_known():
    every = Every((Ranked(ITSELF, BASE, LATENT_256), Within(ITSELF, (DROPOUT_01,))))
    assert every.specs == (BASE, LATENT_256, DROPOUT_01)


# 2 ± 2.484 for the mean of SEEDS, and 2 ± 4.969 for one more run
@pytest.mark.parametrize(
    ("printed", "reach", "verdict", "tail"),
    [
        (2.1, 2.6, REPRODUCED, ""),
        (2.1, 2.5, UNDECIDED, ""),
        (6.9, 2.4, UNDECIDED, ", but one more run might be"),
        (7.0, 2.4, NOT_REPRODUCED, ""),
        (-2.9, 2.4, UNDECIDED, ", but one more run might be"),
        (-3.0, 2.4, NOT_REPRODUCED, ""),
    ],
)
def test_a_printed_number_is_refuted_only_where_one_more_run_would_not_be_there_either(
    printed, reach, verdict, tail
):
    found = Near(ITSELF, BASE, printed, reach).judge(runs(base=SEEDS))
    assert found.verdict == verdict
    within = Within(ITSELF, (BASE,), printed - reach, printed + reach).judge(runs(base=SEEDS))
    assert found.reasons == (within.reasons[0] + tail,)
    assert found.measures == within.measures


def test_a_printed_number_takes_three_seeds():
    found = Near(ITSELF, BASE, 2, 9).judge(runs(base=SEEDS[:2]))
    assert (found.verdict, found.reasons) == (UNDECIDED, ("base has 2 of at least 3 seeds",))


def test_an_accuracy_is_shown_in_percent():
    assert format_number("base val_accuracy", 0.91268) == "91.27%"
    assert format_number("base val_loss", 0.036912) == "0.0369"
    assert format_number("full Shirt as Shirt", 713) == "713"
