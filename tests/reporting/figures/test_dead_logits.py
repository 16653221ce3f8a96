"""Accuracy against dead logits: every run where it belongs, whatever has been run."""

import numpy as np
import pytest

from experiments.mansilla import CLASSIFIER_FROZEN
from experiments.transfer import LINEAR_FROZEN, RANDOM_HEAD
from keras_fmnist.reporting import figures
from keras_fmnist.reporting.figures.dead_logits import WITHOUT, draw_dead_logits
from tests.helpers.figures import PNG


@pytest.fixture
def runs(make_record):
    def run(spec, seed, dead, accuracy, **more):
        record = make_record(spec, seed)
        found = record.metrics | {"dead_logits": dead, "val_accuracy": accuracy} | more
        return make_record(spec, seed, metrics=found)

    return [
        run(CLASSIFIER_FROZEN, 0, 1, 0.73),
        run(CLASSIFIER_FROZEN, 1, 3, 0.58, probe_accuracy=0.76),
        run(CLASSIFIER_FROZEN, 2, 0, 0.77, probe_accuracy=0.74),
        run(LINEAR_FROZEN, 0, 0, 0.78),
        run(RANDOM_HEAD, 0, 6, 0.33),
    ]


def test_each_run_has_a_mark_at_its_dead_logits_and_those_without_a_relu_stand_apart(runs):
    (axes,) = draw_dead_logits(runs).axes
    marks = {tuple(mark) for arm in axes.collections for mark in np.round(arm.get_offsets(), 3)}
    assert marks == {(1, 0.73), (3, 0.58), (0, 0.77), (WITHOUT, 0.78), (6, 0.33)}
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["pretrained, only the head trained", "random, only the head trained"]
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks == ["no ReLU", "0", "1", "2", "3", "4", "5", "6"]


def test_a_dotted_line_is_the_mean_of_the_probes_on_a_frozen_encoder(runs):
    (axes,) = draw_dead_logits(runs).axes
    dotted = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    assert dotted == pytest.approx([0.75])


def test_the_figure_is_written_where_there_are_classifiers(runs, make_record, tmp_path):
    files = figures.render_dead_logits(tmp_path, runs)
    assert [path.name for path in files] == ["dead_logits.svg", "dead_logits.png"]
    assert files[tmp_path / "dead_logits.png"].startswith(PNG)
    assert figures.render_dead_logits(tmp_path, [make_record(CLASSIFIER_FROZEN)]) == {}
