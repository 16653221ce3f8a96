"""Which commit registered a rule: stored, and lost when the rule changes."""

import ast
from dataclasses import replace

import pytest

from experiments import mansilla
from keras_fmnist.claims.criteria import Within
from keras_fmnist.claims.registration import (
    add_claims,
    digest_rule,
    format_registered,
    with_registration,
)
from tests.helpers.claim_cases import ALIKE, RISES

FIRST, SECOND = "a" * 40, "b" * 40
BARE = replace(RISES, registered=None)


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": 9},
        {"seen": 2},
        {"holds": replace(RISES.holds, low=1.01)},
        {"holds": replace(RISES.holds, specs=(mansilla.DROPOUT_01,))},
        {"holds": Within(ALIKE.holds.quantity, ALIKE.holds.specs, low=1)},
        {"elsewhere": {"half": RISES.holds}},
    ],
    ids=["seeds", "seen", "bound", "experiment", "quantity", "elsewhere"],
)
def test_whatever_decides_a_claim_changes_its_digest(change):
    assert digest_rule(replace(RISES, **change)) != digest_rule(RISES)


def test_words_and_settings_are_no_part_of_a_rule():
    wider = replace(mansilla.BASE, latent=65)
    reworded = replace(
        RISES, holds=replace(RISES.holds, specs=(wider,)), claim=ALIKE.claim, registered=None
    )
    assert digest_rule(reworded) == digest_rule(RISES)


def test_a_claim_has_the_commit_of_its_rule_until_the_rule_changes():
    registered = add_claims([BARE], {}, FIRST)
    assert registered == {FIRST: {RISES.id: digest_rule(RISES)}}
    (found,) = with_registration([BARE], registered)
    assert found.registered == FIRST
    changed = replace(BARE, seeds=9)
    (lost, new) = with_registration([changed, replace(ALIKE, registered=None)], registered)
    assert (lost.registered, new.registered) == (None, None)
    assert add_claims([found, new], registered, SECOND) == {
        FIRST: {RISES.id: digest_rule(RISES)},
        SECOND: {ALIKE.id: digest_rule(ALIKE)},
    }
    assert add_claims([lost], registered, SECOND) == {SECOND: {RISES.id: digest_rule(changed)}}


def test_what_is_registered_is_written_as_source():
    registered = {FIRST: {"a/b": "0123"}}
    assert ast.literal_eval(format_registered(registered).partition("=")[2].strip()) == registered
