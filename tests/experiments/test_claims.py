"""Every claim with records made up for each verdict, its words, and its registration."""

import re

import pytest

from experiments import mansilla, transfer
from experiments.registered import REGISTERED
from keras_fmnist.claims.claim import describe_expected_errors, judge_claims
from keras_fmnist.claims.criteria import (
    CONSISTENT,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    VARIES,
)
from keras_fmnist.claims.registration import digest_rule
from tests.helpers.claim_cases import CASES, CLAIMS
from tests.helpers.repository import ROOT

each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=[claim.id for claim in CLAIMS])
ENGLISH = re.compile(
    r"\b(and|apart|at|both|every|from|higher|in|interval|is|loss|lower|needed|of|only|over|part|"
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


# --- what is printed ---


def test_printed_numbers_come_from_the_specs():
    rows = {
        found.claim.id: found.describe_published().english for found in judge_claims(CLAIMS, [])
    }
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
    (wrong,) = re.findall(r", ([\d.]+) verdicts", describe_expected_errors(CLAIMS).english)
    assert float(wrong) == round(sum(claim.holds.error for claim in CLAIMS), 1)
    assert f"Over all {len(CLAIMS)} claims that makes {wrong} wrong verdicts" in text
    rows = {("8", "0, 1, 2"): {"mansilla", "transfer"}, ("5", "0"): {"manolucos"}}
    for (seeds, seen), reports in rows.items():
        assert f"| {', '.join(sorted(reports))} | {seeds}: 0 to {int(seeds) - 1} | {seen} |" in text
        for claim in CLAIMS:
            if claim.report in reports and claim.seen:
                assert (claim.seeds, claim.seen) == (int(seeds), len(seen.split(", ")))
    ours = [claim for claim in CLAIMS if not claim.seen]
    row = "| ours: without the ReLU on the logits or on the code; SGD's rate | 8: 0 to 7 | none"
    assert row in text
    new = {*transfer.LINEAR_ARMS, mansilla.LINEAR_CODE, mansilla.SGD_RATE, mansilla.SGD_MOMENTUM}
    assert all(claim.seeds == 8 and new & {*claim.holds.specs} for claim in ours)
    assert len(ours) == 9
    thresholds = {claim.threshold for claim in CLAIMS} - {None}
    assert thresholds == {2, 0.10, 0.05, 0.01}
