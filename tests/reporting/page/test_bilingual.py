"""Two languages: every text of the page is used, and marked up alike."""

import dataclasses

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.claims.texts import Text
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.reporting.page import bilingual
from keras_fmnist.reporting.page.render import render_live_page, render_page
from tests.helpers.repository import ROOT


def test_every_text_is_used(study, make_record, monkeypatch):
    asked = set()

    class Noting(dict):
        def __getitem__(self, key):
            asked.add(key)
            return super().__getitem__(key)

    templates = bilingual.text.templates
    monkeypatch.setattr(bilingual.text, "templates", Noting(templates))
    render_page(CATALOGUE, read_records(study), study)
    render_page(CATALOGUE, [], study / "nothing")
    render_page(CATALOGUE, read_records(ROOT / STUDY), ROOT / STUDY)
    render_live_page(CATALOGUE, read_records(ROOT / STUDY), ROOT / STUDY)
    losses = {"pytorch": (0.2, 0.2), "jax": (0.9, 0.9), "torch": (0.2, 0.2)}
    beside = [
        make_record(BASE, seed, backend=side, metrics={"train_eval_loss": loss, "val_loss": loss})
        for side, pair in losses.items()
        for seed, loss in enumerate(pair)
    ]
    render_page(CATALOGUE, beside, study / "nothing")  # equivalent, and different
    # What only one verdict of a comparison says, and only a GPU's bench.
    unused = templates.keys() - asked
    compared = {key for key in unused if key.startswith("compare ")}
    assert unused - compared == {"variant_cudagraph"}


def test_what_has_no_spanish_is_shown_in_english(study):
    bare = dataclasses.replace(CATALOGUE, summaries={})
    shown = render_page(bare, read_records(study), study)
    assert f'<span class="plain" lang="en">{BASE.summary}</span>' in shown


def test_inline_code_and_emphasis_are_marked_and_the_rest_escaped():
    assert bilingual.both(Text("**a** `b<` *", "**a** `b<` *")) == (
        "<strong>a</strong> <code>b&lt;</code> *"
    )
