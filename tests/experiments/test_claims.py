"""Every claim with records made up for each verdict, and what may decide a claim at all."""

import re

import pytest

from keras_fmnist.claims.claim import describe_ours, judge_claims
from keras_fmnist.claims.criteria import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from keras_fmnist.reporting.page.translations import in_both
from tests.helpers.claim_cases import CASES, CLAIMS

each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=[claim.id for claim in CLAIMS])


ENGLISH = re.compile(
    r"\b(a|and|apart|at|both|every|from|higher|in|interval|is|loss|lower|needed|of|only|over|part|"
    r"run|seeds?|share|than|the|times|too|val_\w+|train_eval_\w+|with)\b"
)


@each_claim
def test_what_is_said_of_a_claim_is_said_in_spanish_too(verdict, claim):
    good, bad = CASES[claim.id]
    for worlds in ([good] * 5, [bad] * 5, [good, bad, good, bad, good], [good]):
        row = verdict(claim, *worlds)
        for text in (*describe_ours(row), row["why"]):
            assert ENGLISH.findall(in_both(text).spanish) == [], text
            assert not re.search(r"\bval_|\btrain_eval_", in_both(text).english)


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
