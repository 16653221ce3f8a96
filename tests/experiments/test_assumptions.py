"""The readings that are tried of what a report leaves open."""

import math
from dataclasses import replace

from experiments import assumptions as declared
from experiments import manolucos
from experiments.__main__ import CATALOGUE
from experiments.decoders import DECODERS
from keras_fmnist.claims.alternatives import count_seeds
from keras_fmnist.claims.ranking import rank_readings
from keras_fmnist.records.record import read_records
from keras_fmnist.records.run import STUDY
from keras_fmnist.specs import differences, settings


def test_what_is_trained_to_the_end_is_what_the_records_left_standing():
    records = read_records(STUDY)
    for row, short in declared.SHORT_READINGS.items():
        ranks = [one for one in rank_readings(row, short, records) if one.short]
        assert len(ranks) == len(short)
        standing = {one.spec.summary for one in ranks if not one.undercut}
        assert set(declared.STANDING[row]) == standing


def explains(rank):
    """What the search was to judge by: to the end, both losses within 10 % of the printed ones."""
    printed = rank.spec.published
    ratios = (
        rank.metrics["loss"] / printed["train_eval_loss"],
        rank.metrics["val_loss"] / printed["val_loss"],
    )
    return not rank.short and all(abs(ratio - 1) <= 0.10 for ratio in ratios)


def test_the_findings_name_every_reading_that_explains_a_row():
    """Where more records change this, the findings and open question 3 need new words."""
    records = read_records(STUDY)
    found = {
        row.id: {r.spec.name for r in rank_readings(row, readings, records) if explains(r)}
        for row, readings in declared.QUESTIONS.items()
        if not row.is_classifier
    }
    assert found == {
        "manolucos/no_dropout": {
            "no_dropout",
            "no_dropout_signed_dilated_map_30",
            "no_dropout_linear_output_pair_of_784_nothing_between_30",
        },
        "manolucos/batchnorm": {"batchnorm_signed_dilated_map_30"},
        "manolucos/avg_pooling": set(),
        "manolucos/wide": set(),
        "manolucos/baseline": {"baseline", "baseline_signed_dilated_linear_both_30"},
    }


def test_mansillas_decoder_stays_as_open_question_1_says():
    """Kernel 3 stays unless another reading has at least 3 more; base rises less often."""
    counted = count_seeds(DECODERS, read_records(STUDY))
    held = {way: sum(held for held, _ in pairs) for way, pairs in counted.items()}
    ours, *others = held.values()
    assert max(others) < ours + 3
    rises = {way: pairs[0] for way, pairs in counted.items()}  # the first statement is of base
    assert {way: total for way, (_, total) in rises.items()} == dict.fromkeys(DECODERS.ways, 3)
    assert [held for held, _ in rises.values()] == [1, 2, 2]


def test_every_reading_changes_what_is_open_and_nothing_else():
    form = {"latent", "output"}
    open_for = {
        "manolucos/no_dropout": {"epochs", "pixels", "deconv1", "latent", "output", "between"},
        "manolucos/baseline": {
            *("epochs", "pixels", "deconv1", "latent", "dropout_at", "dropout_kind"),
            *("output", "between"),
        },
        "manolucos/batchnorm": form,
        "manolucos/avg_pooling": form,
        "manolucos/wide": {*form, "deconv1"},
        "manolucos/classifier_baseline": {"autoencoder"},
        "manolucos/classifier_fc_sgd": {"epochs", "learning_rate", "momentum", "autoencoder"},
        "manolucos/classifier_fc_adam": {"epochs", "hidden", "autoencoder"},
    }
    assert open_for.keys() == {row.id for row in CATALOGUE.questions}
    for row, group in CATALOGUE.questions.items():
        assert len({str(settings(spec)) for spec in group}) == len(group)
        for spec in group:
            assert spec.published == row.published
            changed = differences(settings(spec), settings(row))
            names = {"autoencoder" if "autoencoder" in c else c.split()[0] for c in changed}
            assert names <= open_for[row.id]


def test_the_search_of_decoders_is_the_whole_grid_and_both_rows_have_its_published_forms():
    grid = {(s.output_activation, s.latent, s.between) for s in declared.DECODER_SCREENS}
    assert grid == {
        ("tanh", 784, "relu_dropout"),
        ("tanh", 784, "nothing"),
        *(("linear", n, b) for n in (0, 128, 256) for b in ("relu_dropout", "nothing")),
    }
    published = {("linear", 784, "relu_dropout"), ("linear", 784, "nothing")}
    for row, group in declared.LONG_DECODERS.items():
        assert published <= {(s.output_activation, s.latent, s.between) for s in (row, *group)}
        assert {(s.epochs, s.dropout, s.pixels) for s in group} == {(30, row.dropout, "signed")}


def test_screened_decoders_go_to_the_end_where_they_beat_the_published_forms_and_undercut_nothing():
    """Both after 3 epochs, by the rule that was written before they ran."""
    records, row = read_records(STUDY), manolucos.BASELINE

    def look_early(spec):
        (record,) = (r for r in records if (r.id, r.seed) == (spec.id, 0))
        running, validation = (
            record.history[name][declared.SHORT - 1] / row.published[printed]
            for name, printed in (("loss", "train_eval_loss"), ("val_loss", "val_loss"))
        )
        apart = abs(math.log(running)) + abs(math.log(validation))
        return apart, min(running, validation) < 1

    forms = [s for s in (row, *declared.LONG_DECODERS[row]) if s.latent == 784]
    nearest = min(look_early(spec)[0] for spec in forms)
    standing = {
        (spec.output_activation, spec.latent, spec.between)
        for spec in declared.DECODER_SCREENS
        if (looked := look_early(spec))[0] < nearest and not looked[1]
    }
    assert standing == {
        (output, latent, declared.BETWEEN[between])
        for output, latent, between in declared.STANDING_FORMS
    }


def test_the_search_is_the_whole_grid():
    # pixel range × dilation × linear layer, and for the row with dropout its four kinds
    sizes = [len(group) for group in declared.SHORT_READINGS.values()]
    assert sizes == [2 * 2 * 2, 2 * 2 * 2 * 4]
    searched = (*declared.WIDTHS, *declared.RATES)
    assert {spec.autoencoder for spec in searched} == {declared.ENCODER}


def test_what_the_first_search_chose_is_a_reading_of_every_row():
    """The same changes from row to row, padding 0 for two, and the encoder that `wide` leaves."""
    form = {"latent": 0, "output": "auto", "dropout_at": "both"}
    for row in manolucos.SPECS:
        if row.is_classifier:
            reading = declared.FIRST_CLASSIFIERS[row]
            assert reading in declared.QUESTIONS[row]
            wide = replace(manolucos.WIDE, **form)
            assert settings(reading.autoencoder) == settings(wide)
            assert settings(replace(reading, autoencoder=row.autoencoder)) == settings(row)
        else:
            printed = replace(row, deconv1=manolucos.BASELINE.deconv1)
            (same,) = (r for r in declared.QUESTIONS if settings(r) == settings(printed))
            wanted = settings(replace(row, **form))
            assert sum(settings(s) == wanted for s in declared.QUESTIONS[same]) == 1
