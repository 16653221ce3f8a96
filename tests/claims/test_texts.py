"""Words in two languages: one file of templates a package, whole in both."""

import re

import pytest

from experiments.words import WORDS as OF_EXPERIMENTS
from keras_fmnist.claims.quantities import WORDS as OF_CLAIMS
from keras_fmnist.claims.texts import Text, join_texts, same_in_both
from keras_fmnist.reporting.page.bilingual import text as OF_PAGE

FILES = {"claims": OF_CLAIMS, "experiments": OF_EXPERIMENTS, "page": OF_PAGE}


@pytest.mark.parametrize("name", FILES)
def test_every_text_is_in_both_languages_with_the_same_blanks(name):
    templates = FILES[name].templates
    assert len(templates) > 60
    for key, languages in templates.items():
        # What an experiment says of itself in English stands in its spec.
        of_spec = key.endswith(" summary") or key.startswith("reading ")
        assert languages.keys() == ({"es"} if of_spec else {"en", "es"}), key
        assert all(languages.values()), key
        blanks = [sorted(re.findall(r"\{(\w+)\}", words)) for words in languages.values()]
        assert blanks[0] == blanks[-1], key


def test_a_text_fills_both_languages_with_the_same_values():
    found = OF_CLAIMS("too_few", names="base", n=3, seeds=8)
    assert found == Text("base: 3 of 8 seeds", "base: 3 de 8 semillas")
    nested = OF_CLAIMS("at_epoch", metric=OF_CLAIMS("metric_val_loss"), epoch=5)
    assert nested.spanish == "pérdida de validación en la época 5"
    assert join_texts([found, same_in_both("7")], "; ").spanish == "base: 3 de 8 semillas; 7"


def test_a_text_that_is_missing_or_lacks_a_value_is_an_error():
    with pytest.raises(KeyError, match="no_such_text"):
        OF_CLAIMS("no_such_text")
    with pytest.raises(KeyError, match="seeds"):
        OF_CLAIMS("too_few", names="base", n=3)
