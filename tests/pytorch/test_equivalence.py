"""Trained side by side: the interval decides, and both sides are trained alike."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.commands.compare import format_equivalence
from keras_fmnist.pytorch import equivalence
from keras_fmnist.training import train

# Validation losses of five trainings a side, and the verdict on them at a margin of a tenth.
NATIVE = [0.200, 0.202, 0.198, 0.201, 0.199]


CASES = {
    "the same runs": (NATIVE, "equivalent"),
    "a little worse, well within the margin": ([v + 0.01 for v in NATIVE], "equivalent"),
    "a little better, well within the margin": ([v - 0.01 for v in NATIVE], "equivalent"),
    "at the margin": ([v + 0.02 for v in NATIVE], "undecided"),
    "far worse": ([v + 0.05 for v in NATIVE], "different"),
    "far better": ([v - 0.05 for v in NATIVE], "different"),
    "the same mean, scattered": ([0.10, 0.30, 0.15, 0.25, 0.20], "undecided"),
    "far worse, but scattered": ([0.05, 0.65, 0.15, 0.45, 0.20], "undecided"),
}


@pytest.fixture
def judge(monkeypatch):
    """`judge(ours, native)`: the verdict on losses that nothing was trained for."""

    def call(ours, native):
        monkeypatch.setattr(
            equivalence,
            "train_run",
            lambda run, *_, **__: SimpleNamespace(metrics={"val_loss": ours[run.seed]}),
        )
        monkeypatch.setattr(
            equivalence, "_train_native", lambda spec, seed, *_: {"val_loss": native[seed]}
        )
        return equivalence.measure_equivalence(BASE, None, seeds=len(native), epochs=2, examples=30)

    return call


@pytest.mark.parametrize("case", CASES)
def test_the_interval_is_welchs_and_the_verdict_follows_from_it_and_the_margin(judge, case):
    ours, verdict = CASES[case]
    result = judge(ours, NATIVE)
    welch = stats.ttest_ind(ours, NATIVE, equal_var=False).confidence_interval(0.90)
    assert result.interval == pytest.approx((welch.low, welch.high), abs=1e-12)
    assert result.margin == pytest.approx(0.02)  # a tenth of native's mean
    assert result.verdict == verdict
    inside = -result.margin < welch.low and welch.high < result.margin
    assert (verdict == "equivalent") == inside
    assert (result.epochs, result.examples, result.seeds) == (2, 30, 5)


def test_the_verdict_is_that_of_two_one_sided_tests_at_five_percent(judge):
    # By hand: means 0.21 and 0.2, variances 2.5e-6 each, four degrees of freedom a side: the
    # standard error is 0.001, and t(0.95, 8) is 1.8595.
    ours = [value + 0.01 for value in NATIVE]
    assert judge(ours, NATIVE).interval == pytest.approx((0.0081405, 0.0118595), abs=1e-7)
    for ours, _ in CASES.values():
        result = judge(ours, NATIVE)
        below = stats.ttest_ind(
            [v + result.margin for v in ours], NATIVE, equal_var=False, alternative="greater"
        ).pvalue
        above = stats.ttest_ind(
            [v - result.margin for v in ours], NATIVE, equal_var=False, alternative="less"
        ).pvalue
        assert (result.verdict == "equivalent") == (max(below, above) < 0.05)


def test_runs_without_any_scatter_are_judged_by_their_difference(judge):
    assert judge([0.2, 0.2], [0.2, 0.2]).interval == (0, 0)
    assert judge([0.2, 0.2], [0.2, 0.2]).verdict == "equivalent"
    assert judge([0.3, 0.3], [0.2, 0.2]).verdict == "different"


def test_means_and_standard_deviations_are_those_of_the_runs(judge):
    result = judge([0.1, 0.3], [0.2, 0.4])
    assert result.ours == {"val_loss": {"mean": pytest.approx(0.2), "sd": pytest.approx(0.1414214)}}
    assert result.native["val_loss"]["mean"] == pytest.approx(0.3)
    lines = format_equivalence(result)
    assert lines[0] == "ours: val_loss 0.2000 (sd 0.1414)"
    assert lines[1] == "native: val_loss 0.3000 (sd 0.1414)"
    assert lines[2].endswith("margin ±0.0300: undecided")


@pytest.mark.parametrize("spec", [BASE, CLASSIFIER_FULL], ids=lambda spec: spec.name)
def test_both_sides_are_trained_as_often_and_as_long_as_asked(spec, dataset, tiny, monkeypatch):
    asked, fitted, autoencoders = [], [], []
    train_run, fit = train.train_run, equivalence._fit_native

    def watched_run(run, *rest, **options):
        record = train_run(run, *rest, **options)
        asked.append((run.spec.name, run.seed, record.examples, len(record.history["loss"])))
        return record

    def watched_fit(spec, net, images, targets):
        fitted.append((spec.name, torch.initial_seed(), len(images), spec.epochs))
        if spec.name == "base":
            autoencoders.append(net)
        else:  # a classifier starts from the encoder that has just been trained
            for ours, theirs in zip(
                net.encoder.parameters(), autoencoders[-1].encoder.parameters(), strict=True
            ):
                assert torch.equal(ours, theirs)
        fit(spec, net, images, targets)

    # The autoencoder of a classifier is asked for by `train_run` itself.
    for module in (equivalence, train):
        monkeypatch.setattr(module, "train_run", watched_run)
    monkeypatch.setattr(equivalence, "_fit_native", watched_fit)
    seen = []

    def progress(seeds):
        for seed in seeds:
            seen.append(seed)
            yield seed

    result = equivalence.measure_equivalence(
        tiny(spec), dataset, seeds=2, epochs=1, examples=100, progress=progress
    )
    names = ["base"] if spec is BASE else ["base", "classifier_full"]
    expected = [(name, seed, 100, 1) for seed in (0, 1) for name in names]
    assert asked == expected
    assert fitted == expected
    assert seen == [0, 1]
    assert (result.epochs, result.examples, result.seeds) == (1, 100, 2)
    metrics = {"val_loss"} if spec is BASE else {"val_loss", "val_accuracy"}
    low, high = (0.01, 0.5) if spec is BASE else (1.5, 3.0)
    for side in (result.ours, result.native):
        assert side.keys() == metrics
        assert low < side["val_loss"]["mean"] < high
        assert side["val_loss"]["sd"] > 0  # another seed is another training
        if spec is not BASE:
            assert 0 <= side["val_accuracy"]["mean"] <= 1
    assert result.verdict in ("equivalent", "different", "undecided")


def test_a_random_arm_trains_no_autoencoder_on_the_native_side_either(dataset, tiny, monkeypatch):
    fitted = []
    monkeypatch.setattr(equivalence, "_fit_native", lambda spec, *_: fitted.append(spec.name))
    spec = tiny(CLASSIFIER_FULL, pretrained=False)
    equivalence.measure_equivalence(spec, dataset, seeds=2, epochs=1, examples=20)
    assert fitted == ["classifier_full"] * 2


def test_the_native_side_learns_what_ours_learns(dataset, tiny):
    result = equivalence.measure_equivalence(
        tiny(BASE, dropout=0, learning_rate=3e-3), dataset, seeds=2, epochs=4, examples=190
    )
    blank = np.square(dataset.test_images / 255 - 0.5).mean()
    for side in (result.ours, result.native):
        assert side["val_loss"]["mean"] < 0.8 * blank
    assert result.ours["val_loss"]["mean"] == pytest.approx(
        result.native["val_loss"]["mean"], rel=0.2
    )
