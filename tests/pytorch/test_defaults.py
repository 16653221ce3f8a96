"""Where Keras and PyTorch differ by default, as both libraries say it themselves."""

import json
import re
from types import SimpleNamespace

import keras
import pytest
import torch

from keras_fmnist.pytorch.defaults import list_defaults
from keras_fmnist.reporting.page.bilingual import text, translate
from tests.helpers.repository import ROOT

DEFAULTS = {
    "initial kernels": ("GlorotUniform", "uniform ±1/√fan_in", "uniform ±1/√fan_in"),
    "initial biases": ("Zeros", "uniform ±1/√fan_in", "uniform ±1/√fan_in"),
    "fan-in of a transposed convolution": ("inputs", "outputs", "outputs"),
    "Adam's ε": ("1e-07", "1e-08", "1e-08"),
    "where Adam adds ε": ("to √v", "to √v̂, bias corrected", "to √v̂, bias corrected"),
    "batch norm's momentum, as the share kept": ("0.99", "0.9", "0.9"),
    "batch norm's ε": ("0.001", "1e-05", "1e-05"),
    "batch norm's running variance": ("divided by n", "divided by n - 1", "Keras's"),
    "image layout": (
        *("rows, columns, channels", "channels, rows, columns"),
        "Keras's outside",
    ),
    "flatten order": ("row, column, channel", "channel, row, column", "PyTorch's"),
    "a frozen batch norm's statistics": ("stay", "move in training mode", "stay"),
    "a frozen layer's dropout": (
        *("drops", "drops in training mode"),
        "drops, unless the spec says",
    ),
}


@pytest.mark.portable
def test_the_defaults_are_those_that_both_libraries_have():
    rows = list_defaults()
    assert [row["what"] for row in rows] == list(DEFAULTS)
    for row in rows:
        assert (row["keras"], row["pytorch"], row["ours"]) == DEFAULTS[row["what"]], row["what"]


def test_the_page_has_the_spanish_of_every_default_and_every_kind_of_comparison():
    phrases = {phrase for row in list_defaults() for phrase in row.values()}
    committed = json.loads((ROOT / "results/parity/mansilla-base.json").read_bytes())
    phrases |= {row["kind"] for row in committed["rows"]}
    untranslated = {phrase for phrase in phrases if translate(phrase).spanish == phrase}
    assert {phrase for phrase in untranslated if not re.fullmatch(r"[\d.e-]+", phrase)} == {
        "GlorotUniform",
        "Zeros",
    }
    translated = {key for key in text.templates if key.startswith("compare ")}
    assert translated <= {f"compare {phrase}" for phrase in phrases}


def test_numbers_among_the_defaults_are_read_from_the_libraries(monkeypatch):
    class Other(keras.layers.BatchNormalization):
        def __init__(self):
            super().__init__(momentum=0.5, epsilon=0.25)

    monkeypatch.setattr(keras.layers, "BatchNormalization", Other)
    monkeypatch.setattr(
        torch.nn, "BatchNorm2d", lambda _: SimpleNamespace(momentum=0.25, eps=0.125)
    )
    values = {row["what"]: (row["keras"], row["pytorch"]) for row in list_defaults()}
    assert values["batch norm's momentum, as the share kept"] == ("0.5", "0.75")
    assert values["batch norm's ε"] == ("0.25", "0.125")
