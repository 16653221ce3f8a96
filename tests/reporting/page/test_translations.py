"""The Spanish of what reports and records say."""

import dataclasses

from experiments import spanish_claims
from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page.render import render_page


def test_what_the_reports_print_and_claim_has_its_spanish():
    printed = {
        spec.summary for shown in CATALOGUE.exhibits.values() for one in shown for spec in one.specs
    }
    claimed = {words for one in CATALOGUE.claims for words in (one.claim, one.published, one.where)}
    assert len(printed) > 15
    assert printed | claimed <= CATALOGUE.spanish.keys()
    sentences = [claim.claim for claim in CATALOGUE.claims]
    assert [words for words in sentences if CATALOGUE.spanish[words] == words] == []


def test_no_spanish_is_left_of_what_nobody_says_any_more():
    summaries = {spec.summary for spec in (*CATALOGUE.specs, *CATALOGUE.readings)}
    statements = {
        words for one in CATALOGUE.claims for words in (one.claim, one.published, one.where)
    }
    assert CATALOGUE.spanish.keys() <= summaries | statements
    assert spanish_claims.CLAIMS.keys() == {claim.id for claim in CATALOGUE.claims}


def test_what_has_no_spanish_is_shown_in_english(study):
    bare = dataclasses.replace(CATALOGUE, spanish={})
    shown = render_page(bare, read_records(study), study)
    assert f'<span class="plain" lang="en">{BASE.summary}</span>' in shown
