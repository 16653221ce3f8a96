"""The figures and tables of the reports, each beside ours, with the claims on it."""

from experiments.__main__ import CATALOGUE
from keras_fmnist.reporting.page import bilingual, results
from keras_fmnist.reporting.page.render import _report


def test_every_claim_stands_on_the_page_with_its_verdict_and_once_beside_its_figure(html):
    rows = results.list_verdicts(CATALOGUE, [])
    assert len(rows) == len(CATALOGUE.claims) > 40
    for name in CATALOGUE.reports:
        shown = _report(name, CATALOGUE, {}, rows)
        found = [row["id"] for exhibit in shown["exhibits"] for row in exhibit["claims"]]
        found += [row["id"] for row in shown["claims"]]
        assert set(found) == {row["id"] for row in rows if row["report"] == name}
        labels = {row["id"]: row["labels"] for row in rows}
        assert all(found.count(one) <= len(labels[one]) for one in found)
    for claim in CATALOGUE.claims:
        assert str(bilingual.both(claim.claim)) in html


def test_every_figure_and_table_that_a_claim_names_is_shown():
    for row in results.list_verdicts(CATALOGUE, []):
        shown = {exhibit.label for exhibit in CATALOGUE.exhibits[row["report"]]}
        assert row["labels"] - {""} <= shown
