"""What holds for any settings: they come back from JSON, and a command asks for the same run."""

import dataclasses
import functools
import json
import shlex

import hypothesis
from hypothesis import strategies as st

from experiments.mansilla import BASE, CLASSIFIER_FULL, SPECS
from keras_fmnist.cli import app
from keras_fmnist.cli.commands import train as train_command
from keras_fmnist.cli.commands.train import build_experiment_commands
from keras_fmnist.records.run import Run
from keras_fmnist.specs import ClassifierSpec, override, settings, with_defaults
from tests.helpers.strategies import deconvs, examples, prefixed, specs


def test_there_are_many_ways_from_5_to_28_positions_and_the_reports_are_among_them():
    assert len(deconvs()) > 500
    for first, second in (("k4s2o1", "k3s2o1"), ("k5s2p2d2", "k6s2p1"), ("k5s2", "k6s2p1")):
        assert {"deconv1": first, "deconv2": second} in deconvs()


@examples(200)
@hypothesis.given(spec=specs)
def test_settings_come_back_from_json_and_make_the_same_spec(spec):
    values = json.loads(json.dumps(settings(spec), allow_nan=False))
    assert values == settings(spec)
    assert with_defaults(values) == values
    declared = BASE
    if isinstance(spec, ClassifierSpec):
        declared = CLASSIFIER_FULL
        nested = values.pop("autoencoder")
        assert nested.pop("name") == "base"
        values |= prefixed(nested)
    again = override(declared, values)
    assert dataclasses.replace(again, changes=spec.changes, **_nested(spec)) == spec


def _nested(spec):
    # What was changed is remembered, not compared: the nested spec's changes are put alike.
    return {"autoencoder": spec.autoencoder} if isinstance(spec, ClassifierSpec) else {}


@examples(60)
@hypothesis.given(spec=specs, seed=st.integers(0, 2**31 - 1))
def test_the_command_of_any_run_asks_for_that_run(monkeypatch, spec, seed):
    asked = []

    @functools.wraps(train_command.train_experiments)  # whose signature has the flags
    def note(*given, **flags):
        asked.append(given)

    monkeypatch.setattr(train_command, "train_experiments", note)
    _, _, _, *words = shlex.split(Run(spec, seed, "torch", "cpu").command())
    assert app.main(build_experiment_commands(SPECS), "mansilla", words) == 0
    ((again,),) = asked[0]
    assert settings(again) == settings(spec)
