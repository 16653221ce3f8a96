"""Numbers inside sentences: each from the records of the experiment that it names."""

import pytest

from experiments.__main__ import CATALOGUE
from experiments.manolucos import NO_DROPOUT
from experiments.mansilla import BASE, CLASSIFIER_FROZEN
from keras_fmnist.reporting.numbers import NOT_RUN, fill_numbers


@pytest.fixture
def records(make_record):
    losses = {"mean_image_loss": 0.08, "pca_loss": 0.02}
    autoencoders = [
        make_record(BASE, seed, metrics=losses | {"train_eval_loss": 1, "val_loss": loss})
        for seed, loss in enumerate((0.03, 0.04, 0.05))
    ]
    ends = {"train_eval_loss": 1, "val_loss": 1, "train_eval_accuracy": 0.8}
    heads = [
        make_record(
            CLASSIFIER_FROZEN, seed, metrics=ends | {"val_accuracy": right, "dead_logits": dead}
        )
        for seed, (right, dead) in enumerate(((0.7654, 0), (0.5866, 3)))
    ]
    return [*autoencoders, *heads]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{mansilla/base:val_loss}", "0.0400 ± 0.0248"),  # t(0.975, 2) times 0.01 / √3
        ("{mansilla/base:val_loss range}", "0.0300 to 0.0500"),
        ("{mansilla/base:explained range}", "37.5% to 62.5%"),
        ("{mansilla/base:pca_explained range}", "75.0%"),
        ("{mansilla/classifier_frozen:val_accuracy range}", "58.66% to 76.54%"),
        ("{mansilla/classifier_frozen:dead_logits range}", "0 to 3"),
        ("a {mansilla/base:seeds}, b {mansilla/classifier_frozen:seeds}", "a 3 seeds, b 2 seeds"),
        ("{manolucos/no_dropout:printed val_loss}", "0.0312"),
        ("{manolucos/no_dropout:val_loss}", NOT_RUN),
        ("{transfer/full_gains:verdict}", "undecided"),
    ],
)
def test_a_place_in_a_sentence_becomes_what_the_records_measured(records, text, shown):
    assert fill_numbers(text, CATALOGUE, records) == shown


def test_one_seed_is_one_seed(make_record):
    record = make_record(NO_DROPOUT, metrics={"train_eval_loss": 1, "val_loss": 0.0303})
    text = "{manolucos/no_dropout:val_loss} ({manolucos/no_dropout:seeds})"
    assert fill_numbers(text, CATALOGUE, [record]) == "0.0303 (1 seed)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{mansilla/bsae:val_loss}", "mansilla/bsae is neither an experiment nor a claim"),
        ("{mansilla/base:val_los}", "mansilla/base has no val_los"),
        ("{mansilla/base:val_accuracy range}", "mansilla/base has no val_accuracy"),
        ("{mansilla/base:printed val_loss}", "mansilla/base has no printed val_loss"),
        ("{transfer/full_gains:seeds}", "a claim has a `verdict`, but no seeds"),
    ],
)
def test_a_place_that_names_nothing_is_refused(records, text, words):
    with pytest.raises(ValueError, match=words):
        fill_numbers(text, CATALOGUE, records)


def test_the_headlines_name_what_there_is_and_type_no_number_by_hand(make_record):
    """But for those in a name such as table 3, and the length of a code."""
    every = "\n".join(CATALOGUE.headlines)
    assert NOT_RUN in fill_numbers(every, CATALOGUE, [])
    for number in ("%", "0."):
        assert number not in every
