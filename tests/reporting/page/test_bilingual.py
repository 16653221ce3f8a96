"""Two languages: every text in both, and marked up alike."""

import re

from experiments.__main__ import CATALOGUE
from keras_fmnist.claims.catalogue import Text
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting.page import bilingual
from keras_fmnist.reporting.page.render import render_live_page, render_page
from tests.helpers.repository import ROOT


def test_every_text_is_in_both_languages_with_the_same_blanks():
    assert len(bilingual.TEXTS) > 100
    for key, text in bilingual.TEXTS.items():
        assert text.keys() == {"en", "es"}, key
        assert all(text.values()), key
        blanks = [sorted(re.findall(r"\{(\w+)\}", words)) for words in text.values()]
        assert blanks[0] == blanks[1], key


def test_every_text_is_used(study, monkeypatch):
    asked = set()

    class Noting(dict):
        def __getitem__(self, key):
            asked.add(key)
            return super().__getitem__(key)

    monkeypatch.setattr(bilingual, "TEXTS", Noting(bilingual.TEXTS))
    render_page(CATALOGUE, read_records(study), study)
    render_page(CATALOGUE, [], study / "nothing")
    render_page(CATALOGUE, read_records(ROOT / STUDY), ROOT / STUDY)
    render_live_page(CATALOGUE, read_records(ROOT / STUDY), ROOT / STUDY)
    # What only one verdict of a comparison says, and only a GPU's bench.
    assert bilingual.TEXTS.keys() - asked == {"equivalent", "different", "variant_cudagraph"}


def test_inline_code_and_emphasis_are_marked_and_the_rest_escaped():
    assert bilingual.both(Text("**a** `b<` *", "**a** `b<` *")) == (
        "<strong>a</strong> <code>b&lt;</code> *"
    )
