"""Ways to fill a gap: on how many seeds what a report says holds, and which runs can tell."""

import re
from types import SimpleNamespace

import pytest

from experiments.decoders import DECODERS
from experiments.mansilla import BASE, DROPOUT_01
from keras_fmnist.claims import alternatives, quantities
from keras_fmnist.claims.alternatives import Alternatives, Statement, count_seeds
from keras_fmnist.cli.commands.assumptions import format_alternatives
from keras_fmnist.specs import differences, override, settings

LOW = Statement("figure 1", "base ends low", quantities.final("val_loss").of, (0,), high=0.5)
LOWER = Statement(
    "figure 2",
    "the second ends lower",
    alternatives.take_difference(quantities.final("val_loss").of),
    (1, 0),
    high=0,
)
OTHER = (override(BASE, {"deconv2": "k4s2"}), override(DROPOUT_01, {"deconv2": "k4s2"}))
BOTH = Alternatives("a gap", {"ours": (BASE, DROPOUT_01), "other": OTHER}, (LOW, LOWER))


@pytest.fixture
def run(make_record):
    return lambda spec, seed, loss, **more: make_record(
        spec, seed, metrics={"val_loss": loss}, **more
    )


def test_a_statement_holds_on_the_seeds_where_the_number_lies_within_its_bounds(run):
    records = [run(BASE, 0, 0.5), run(BASE, 1, 0.51), run(BASE, 2, 0.1)]
    assert count_seeds(BOTH, records) == {"ours": [(2, 3), (0, 0)], "other": [(0, 0)] * 2}


def test_experiments_are_compared_seed_by_seed_where_both_have_run(run):
    records = [
        *(run(BASE, seed, 0.4) for seed in (0, 1, 2)),
        *(run(DROPOUT_01, seed, loss) for seed, loss in ((1, 0.3), (2, 0.6), (3, 0.1))),
    ]
    assert count_seeds(BOTH, records)["ours"] == [(3, 3), (1, 2)]


def test_ways_are_counted_over_the_seeds_that_all_of_them_have(run):
    """Or the way with more seeds would have more statements that hold."""
    records = [
        *(run(BASE, seed, 0.4) for seed in range(8)),
        *(run(OTHER[0], seed, loss) for seed, loss in ((1, 0.4), (2, 0.6))),
    ]
    found = count_seeds(BOTH, records)
    assert (found["ours"][0], found["other"][0]) == ((2, 2), (1, 2))


def test_a_run_off_which_a_statement_cannot_be_read_counts_for_none(run):
    def read_epoch(record):
        return record.history["loss"][20]

    late = Statement("figure 3", "its loss at epoch 21 is low", read_epoch, (0,), high=1.0)
    one_way = Alternatives("a gap", {"ours": (BASE,)}, (late, LOW))
    assert count_seeds(one_way, [run(BASE, 0, 0.4)]) == {"ours": [(0, 0), (1, 1)]}


def test_each_way_has_its_own_runs_and_a_run_with_other_settings_counts_for_none(run):
    records = [
        run(OTHER[0], 0, 0.4),
        run(override(BASE, {"epochs": 1}), 1, 0.4),
        run(BASE, 2, 0.4, examples=600),
    ]
    assert count_seeds(BOTH, records) == {
        "ours": [(0, 0), (0, 0)],
        "other": [(1, 1), (0, 0)],
    }


def test_the_table_has_a_row_a_statement_and_the_sum_of_each_way(run):
    records = [run(BASE, 0, 0.4), run(BASE, 1, 0.6), run(DROPOUT_01, 1, 0.5)]
    cells = [
        re.split(r" {2,}", line.strip()) for line in format_alternatives(BOTH, records).splitlines()
    ]
    assert cells[2:] == [
        ["said of", "what", "ours", "other"],
        ["figure 1", "base ends low", "1 of 2"],
        ["figure 2", "the second ends lower", "1 of 1"],
        ["all of it", "2 of 3"],
    ]


def test_the_readings_of_mansillas_decoder_differ_from_his_experiments_in_the_decoder_alone():
    (default, *others) = DECODERS.ways.values()
    assert [spec.id for spec in default] == [
        "mansilla/base",
        "mansilla/dropout_01",
        "mansilla/latent_256",
    ]
    for specs in others:
        for ours, reading in zip(default, specs, strict=True):
            changed = differences(settings(reading), settings(ours))
            assert {words.split()[0] for words in changed} <= {"deconv1", "deconv2"}
            assert changed
    assert list(DECODERS.ways) == ["k4s2o1, k3s2o1", "k4s2o1, k4s2", "k5s2p2d2, k6s2p1"]


def test_what_is_said_of_figures_3_to_8_is_eleven_statements_on_the_right_experiments():
    said = [(s.where[-1], *s.about) for s in DECODERS.statements]
    assert said == [
        *(("3", 0), ("3", 0), ("4", 0)),
        *(("5", 1), ("5", 1, 0), ("5", 1, 0), ("6", 1)),
        *(("7", 2), ("7", 2, 1), ("7", 1, 2), ("8", 2, 1)),
    ]


def both_losses(curve, other):
    return SimpleNamespace(history={"train_eval_loss": other, "val_loss": curve})


def test_losses_are_higher_on_average_where_the_mean_of_what_follows_is():
    rises, up = alternatives.higher_on_average(2), [0.9, 0.1, 0.3, 0.05, 0.0, 0.1]  # mean 0.1125
    assert rises(both_losses(up, up))
    assert not rises(both_losses(up, [0.9, 0.12, 0.3, 0.05, 0.0, 0.1]))
    assert not rises(both_losses([0.9, 0.12, 0.3, 0.05, 0.0, 0.1], up))


def test_steps_either_way_count_the_rarer_direction_of_either_loss_from_epoch_5_on():
    early = [0.1, 0.9, 0.1, 0.9]  # before epoch 5, where nothing counts
    twice = [*early, 0.5, 0.6, 0.5, 0.6, 0.5, 0.4]  # up 2, down 3
    thrice = [*early, 0.5, 0.6, 0.7, 0.8, 0.7, 0.6]  # up 3, down 2
    once = [*early, 0.5, 0.6, 0.7, 0.8, 0.9, 0.8]  # up 4, down 1
    assert alternatives.count_steps_either_way(both_losses(twice, thrice)) == 2
    assert alternatives.count_steps_either_way(both_losses(twice, once)) == 1
    assert alternatives.count_steps_either_way(both_losses(once, twice)) == 1


def test_throughout_means_no_step_that_shows_against_the_trend():
    falls, falling = alternatives.falls_throughout(0.05), [0.9, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35]
    # The curve is 0.55 high: a twentieth of it is 0.0275.
    assert falls(both_losses([*falling[:6], 0.425], falling))
    for broken in ([*falling[:6], 0.43], falling[::-1], [0.5] * 7):
        assert not falls(both_losses(broken, falling))
        assert not falls(both_losses(falling, broken))


def test_ratios_differences_and_gaps_are_of_the_first_run_against_the_second():
    one = SimpleNamespace(metrics={"train_eval_loss": 0.2, "val_loss": 0.25})
    other = SimpleNamespace(metrics={"train_eval_loss": 0.3, "val_loss": 0.4})
    assert alternatives.take_ratio("val_loss")(one, other) == pytest.approx(0.625)
    less = alternatives.take_difference(quantities.final("val_loss").of)
    assert less(one, other) == pytest.approx(-0.15)
    assert alternatives.find_gap_change(one, other) == pytest.approx((0.05 - 0.1) / 0.4)
