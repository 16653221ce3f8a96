"""From a fixed number of seeds to a verdict: each rule with numbers worked out by hand."""

import math
from dataclasses import replace

import pytest

from experiments.mansilla import BASE, DROPOUT_01, LATENT_256
from keras_fmnist.claims.criteria import (
    CONSISTENT,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    VARIES,
    Every,
    Near,
    Ranked,
    Within,
    format_number,
    name_verdict,
)
from keras_fmnist.claims.quantities import Quantity
from keras_fmnist.claims.texts import same_in_both


def quantity(name, of, **options):
    return Quantity(name, same_in_both(name), of, **options)


ITSELF = quantity("value", lambda value: value)
SHARE = quantity("share", lambda value: value, least=0, most=1, compared="difference")
DIFFERENCE = quantity("difference", lambda one, other: one - other, pair="minus")
FACTOR = quantity("factor", lambda value: value, factor=True)
THREE, EIGHT = range(3), range(8)


def runs(**values):
    """Numbers in the place of records: `base=[1, 2]` are those of seeds 0 and 1."""
    ids = {spec.name: spec.id for spec in (BASE, DROPOUT_01, LATENT_256)}
    return {
        ids[name]: {("torch", "cpu", seed): value for seed, value in enumerate(numbers)}
        for name, numbers in values.items()
    }


def why(found):
    return [reason.english for reason in found.reasons]


# mean 2, and t(0.975, 2) = 4.302653 times 1 / √3 is 2.484; of t(0.95, 2) = 2.919986 it is 1.686
SEEDS = [1.0, 2.0, 3.0]
HALF = 4.302653 / math.sqrt(3)
HALF_90 = 2.919986 / math.sqrt(3)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (-0.49, math.inf, REPRODUCED, "all of the interval of base value is at least -0.49"),
        (-math.inf, 4.49, REPRODUCED, "all of the interval of base value is at most 4.49"),
        (4.49, math.inf, NOT_REPRODUCED, "no part of the interval of base value is at least 4.49"),
        (
            -math.inf,
            -0.49,
            NOT_REPRODUCED,
            "no part of the interval of base value is at most -0.49",
        ),
        # two bounds, and the interval of two one-sided tests at 5 %: 2 ± 1.686
        (0.3, 3.7, REPRODUCED, "all of the interval of base value is from 0.3 to 3.7"),
        (3.69, 9, NOT_REPRODUCED, "no part of the interval of base value is from 3.69 to 9"),
        (-9, 0.31, NOT_REPRODUCED, "no part of the interval of base value is from -9 to 0.31"),
        # seeds on both sides of a bound
        (1.5, math.inf, VARIES, "base value is at least 1.5 in 2 of 3 seeds"),
        (0.32, 3.0, UNDECIDED, "only a part of the interval of base value is from 0.32 to 3"),
        (-0.48, math.inf, UNDECIDED, "only a part of the interval of base value is at least -0.48"),
        (4.48, math.inf, UNDECIDED, "only a part of the interval of base value is at least 4.48"),
    ],
)
def test_a_mean_is_within_bounds_where_its_whole_interval_is(low, high, verdict, reason):
    found = Within(ITSELF, (BASE,), low, high).judge(runs(base=SEEDS), THREE)
    assert (found.verdict, why(found)) == (verdict, [reason])
    (measure,) = found.measures
    assert (measure.label.english, measure.value, measure.n) == ("base value", 2, 3)
    half = HALF_90 if math.isfinite(low) and math.isfinite(high) else HALF
    assert measure.interval == pytest.approx((2 - half, 2 + half), abs=1e-5)


@pytest.mark.parametrize(
    ("within", "verdict"),
    [(1, UNDECIDED), (2, VARIES), (4, VARIES), (6, VARIES), (7, UNDECIDED), (8, UNDECIDED)],
)
def test_of_eight_seeds_two_to_six_on_one_side_of_a_bound_vary(within, verdict):
    """One seed is so far off that the interval holds the bound in any case."""
    values = [1.0] * within + [-1.0] * (8 - within)
    values[0] = 100.0 * values[0] if within < 4 else values[0]
    values[-1] = 100.0 * values[-1] if within > 4 else values[-1]
    if within == 8:
        values[-1] = 100.0
    found = Within(ITSELF, (BASE,), low=0).judge(runs(base=values), EIGHT)
    assert found.verdict == verdict, why(found)
    if verdict == VARIES:
        assert why(found) == [f"base value is at least 0 in {within} of 8 seeds"]


@pytest.mark.parametrize(("within", "varies"), [(0, False), (1, True), (4, True), (5, False)])
def test_of_five_seeds_one_to_four_vary(within, varies):
    values = [1.0] * within + [-1.0] * (5 - within)
    found = Within(ITSELF, (BASE,), low=0).judge(runs(base=values), range(5))
    assert (found.verdict == VARIES) is varies


@pytest.mark.parametrize("n", [0, 1, 2])
def test_while_a_seed_is_missing_nothing_is_read_off(n):
    for seeds in (THREE, EIGHT):
        found = Within(ITSELF, (BASE,), -1e9, 1e9).judge(runs(base=SEEDS[:n]), seeds)
        assert (found.verdict, found.complete) == (UNDECIDED, False)
        assert why(found) == [f"base: {n} of {len(seeds)} seeds"]
        (measure,) = found.measures
        assert measure.value == (None if n == 0 else sum(SEEDS[:n]) / n)
        assert measure.interval is None


def test_only_the_seeds_that_were_asked_for_count():
    far = runs(base=[9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 50.0])
    found = Within(ITSELF, (BASE,), high=5).judge(far, range(3, 6))
    assert (found.verdict, found.measures[0].value) == (REPRODUCED, 2)


def test_a_run_off_which_it_cannot_be_read_does_not_count():
    inverse = quantity("inverse", lambda value: 1 / value if value != 9 else math.nan)
    found = Within(inverse, (BASE,), low=0.5).judge(runs(base=[1, 0, 1, 9, 1]), range(5))
    assert (found.verdict, found.measures[0].n) == (UNDECIDED, 3)
    assert why(found) == ["base: 3 of 5 seeds"]


def test_a_quantity_of_two_experiments_pairs_the_seeds_that_both_have():
    spread = runs(base=[1.0, 5.0, 9.0, 100.0], dropout_01=[0.9, 4.8, 8.7])
    found = Within(DIFFERENCE, (BASE, DROPOUT_01), 0.1).judge(spread, THREE)
    # differences 0.1, 0.2 and 0.3, whatever the spread over seeds
    (measure,) = found.measures
    assert measure.label.english == "difference, dropout_01 minus base"
    assert measure.value == pytest.approx(0.2)
    assert measure.interval == pytest.approx((0.2 - HALF / 10, 0.2 + HALF / 10), abs=1e-6)


def test_a_ratio_is_averaged_as_logarithms():
    found = Within(FACTOR, (BASE,), low=0.01).judge(runs(base=[1.0, 2.0, 4.0]), THREE)
    (measure,) = found.measures
    # logarithms 0, log 2 and 2·log 2
    half = HALF * math.log(2)
    assert measure.value == pytest.approx(2)
    assert measure.interval == pytest.approx((2 * math.exp(-half), 2 * math.exp(half)), rel=1e-5)
    assert found.verdict == REPRODUCED
    beyond = Within(FACTOR, (BASE,), low=12).judge(runs(base=[1.0, 2.0, 4.0]), THREE)
    assert beyond.verdict == NOT_REPRODUCED
    assert beyond.p <= 1 < found.p


def test_an_interval_ends_where_what_is_read_can_be_no_more():
    found = Within(SHARE, (BASE,), high=1).judge(runs(base=[0.8, 0.9, 0.99]), THREE)
    assert found.verdict == REPRODUCED
    assert found.measures[0].interval == (pytest.approx(0.6606, abs=1e-4), 1)
    found = Within(SHARE, (BASE,)).judge(runs(base=[0.01, 0.1, 0.2]), THREE)
    assert found.measures[0].interval[0] == 0


@pytest.mark.parametrize(
    ("factors", "times", "verdict"),
    [
        # log 1.1, 1.2, 1.3: mean 0.1800 ± 0.2076
        ((1.1, 1.2, 1.3), 1, UNDECIDED),
        ((1.19, 1.2, 1.21), 1, REPRODUCED),
        ((1.19, 1.2, 1.21), 1.1, REPRODUCED),
        ((1.19, 1.2, 1.21), 1.2, VARIES),
        ((1.19, 1.2, 1.21), 1.3, NOT_REPRODUCED),
        ((0.79, 0.8, 0.81), 1, NOT_REPRODUCED),
    ],
)
def test_variants_are_ranked_by_their_ratio_seed_by_seed(factors, times, verdict):
    base = [1.0, 5.0, 25.0]
    larger = [one * factor for one, factor in zip(base, factors, strict=True)]
    found = Ranked(ITSELF, BASE, LATENT_256, times).judge(runs(base=base, latent_256=larger), THREE)
    assert found.verdict == verdict, why(found)
    assert [m.label.english for m in found.measures] == [
        "base value",
        "latent_256 value",
        "value, latent_256 over base",
    ]


def test_shares_are_ranked_by_their_difference():
    found = Ranked(SHARE, BASE, LATENT_256).judge(
        runs(base=[0.1, 0.5, 0.9], latent_256=[0.11, 0.52, 0.93]), THREE
    )
    *_, difference = found.measures
    assert difference.label.english == "share, latent_256 minus base"
    # 0.02 ± 0.01 · HALF
    assert difference.interval == pytest.approx((0.02 - HALF / 100, 0.02 + HALF / 100), abs=1e-6)
    assert found.verdict == UNDECIDED


def test_a_ranking_takes_every_seed_of_both():
    found = Ranked(ITSELF, BASE, LATENT_256).judge(runs(base=[1, 1, 1], latent_256=[9, 9]), THREE)
    assert (found.verdict, why(found)) == (UNDECIDED, ["base / latent_256: 2 of 3 seeds"])


# 2 ± 1.686 for the mean of SEEDS at 90 %, and 2 ± 4.968 for one more run at 95 %
@pytest.mark.parametrize(
    ("printed", "reach", "verdict"),
    [
        (2.1, 1.8, REPRODUCED),
        (2.1, 1.7, CONSISTENT),
        (2.1, 0.0, CONSISTENT),
        (6.9, 0.1, CONSISTENT),
        (7.0, 0.1, NOT_REPRODUCED),
        (-2.9, 0.1, CONSISTENT),
        (-3.0, 0.1, NOT_REPRODUCED),
        # the interval holds the edge of the reach, and one more run would not be there
        (7.0, 3.5, NOT_REPRODUCED),
    ],
)
def test_a_printed_number_is_near_or_consistent_or_not_and_never_between(printed, reach, verdict):
    found = Near(ITSELF, BASE, printed, reach).judge(runs(base=SEEDS), THREE)
    assert found.verdict == verdict
    if verdict != REPRODUCED:
        words = "which holds the" if verdict == CONSISTENT else "without the"
        assert why(found) == [
            f"one more run would have base value from -2.97 to 6.97, {words} printed {printed:.3g}"
        ]


def test_a_printed_number_takes_every_seed():
    found = Near(ITSELF, BASE, 2, 9).judge(runs(base=SEEDS[:2]), THREE)
    assert (found.verdict, why(found)) == (UNDECIDED, ["base: 2 of 3 seeds"])


def every(*parts):
    return Every(parts).judge(runs(base=SEEDS), THREE)


HOLDS = Within(ITSELF, (BASE,), high=9)
OPEN = Within(ITSELF, (BASE,), high=4.4)
VARYING = Within(ITSELF, (BASE,), high=2.5)
PRINTED = Near(ITSELF, BASE, 6.5, 0.1)
REFUTED = Within(ITSELF, (BASE,), high=-9)


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ((HOLDS, HOLDS), REPRODUCED),
        ((HOLDS, PRINTED), CONSISTENT),
        ((HOLDS, PRINTED, OPEN), UNDECIDED),
        ((OPEN, VARYING), VARIES),
        ((VARYING, REFUTED), NOT_REPRODUCED),
        ((HOLDS, REFUTED), NOT_REPRODUCED),
    ],
)
def test_every_part_must_hold_and_one_that_is_refuted_refutes_all(parts, verdict):
    found = every(*parts)
    assert found.verdict == verdict
    # The reasons are those of the parts that decide.
    for part in parts:
        alone = part.judge(runs(base=SEEDS), THREE)
        assert (set(why(alone)) <= set(why(found))) is (alone.verdict == verdict)


def test_a_refutation_must_stand_among_the_number_of_parts():
    # 2 ± 2.484, and one-sided p = 0.0249 at the bound -0.49
    barely = Within(ITSELF, (BASE,), high=-0.49)
    assert every(barely).verdict == NOT_REPRODUCED
    found = every(barely, HOLDS)
    assert found.verdict == UNDECIDED
    assert why(found) == [
        "by itself refuted, but not as one part of several: "
        "no part of the interval of base value is at most -0.49"
    ]
    number = Near(ITSELF, BASE, 7.0, 0.1)
    assert every(number).verdict == NOT_REPRODUCED
    assert every(number, HOLDS).verdict == CONSISTENT
    # Holm goes on with the second one at the level of what is left.
    assert every(REFUTED, barely).verdict == NOT_REPRODUCED
    assert len(why(every(REFUTED, barely))) == 2


def test_a_part_that_lacks_a_seed_leaves_all_undecided():
    parts = Every((REFUTED, Within(ITSELF, (DROPOUT_01,), high=9)))
    found = parts.judge(runs(base=SEEDS, dropout_01=SEEDS[:2]), THREE)
    assert (found.verdict, found.complete) == (UNDECIDED, False)
    assert why(found) == ["dropout_01: 2 of 3 seeds"]


def test_the_experiments_of_every_part_are_known_once():
    every = Every((Ranked(ITSELF, BASE, LATENT_256), Within(ITSELF, (DROPOUT_01, BASE))))
    assert every.specs == (BASE, LATENT_256, DROPOUT_01)


def test_each_rule_says_how_often_it_errs():
    assert Within(ITSELF, (BASE,), low=0).error == Ranked(ITSELF, BASE, LATENT_256).error == 0.025
    assert Within(ITSELF, (BASE,), 0, 1).error == PRINTED.error == 0.05
    assert Every((HOLDS, PRINTED)).error == 0.05
    assert Every((HOLDS, OPEN)).error == 0.025


def test_numbers_are_shown_with_three_digits_and_shares_in_percent():
    assert format_number(0.91268, percent=True) == "91.27%"
    assert format_number(0.036912) == "0.0369"
    assert format_number(713) == "713"
    whole = replace(SHARE, percent=True)
    found = Within(whole, (BASE,), low=0.5).judge(runs(base=[0.8, 0.9, 0.99]), THREE)
    assert why(found) == ["all of the interval of base share is at least 50.00%"]


def test_every_verdict_has_its_words():
    assert name_verdict(VARIES).spanish == "varía con la semilla"
    assert name_verdict(CONSISTENT).english == CONSISTENT
