"""What experiments say of themselves, in both languages of the page."""

from experiments.__main__ import CATALOGUE
from experiments.words import WORDS

SPECS = (*CATALOGUE.specs, *CATALOGUE.readings)


def test_what_the_reports_print_and_every_reading_has_its_spanish_beside_its_english():
    printed = {spec for shown in CATALOGUE.exhibits.values() for one in shown for spec in one.specs}
    assert len(printed) > 15
    for spec in (*printed, *CATALOGUE.readings):
        assert CATALOGUE.summaries[spec.id].spanish, spec.id
    for spec in SPECS:
        if spec.id in CATALOGUE.summaries:
            assert CATALOGUE.summaries[spec.id].english == spec.summary


def test_no_spanish_is_left_of_an_experiment_or_a_claim_that_is_no_more():
    def is_called(key):
        words = {word for spec in SPECS for word in spec.summary.split(", ")}
        return key.removesuffix(" summary") in CATALOGUE.summaries or (
            key.removeprefix("reading ") in words
        )

    claims = {f"{claim.id}{tail}" for claim in CATALOGUE.claims for tail in ("", " published")}
    shared = {"manolucos/row", "manolucos/row published"}
    shared |= {"width", "rate", "on map", "decoder"}
    shared |= {
        f"{kind}_{row}" for kind in ("autoencoder", "classifier") for row in ("row", "running")
    }
    numbered = {f"deviation {k}" for k, _ in enumerate(CATALOGUE.deviations, 1)}
    numbered |= {f"finding {k}" for k, _ in enumerate(CATALOGUE.findings, 1)}
    left = [key for key in WORDS.templates if key not in claims | shared | numbered]
    assert [key for key in left if not is_called(key)] == []
