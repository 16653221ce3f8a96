"""Settings: what each kind takes and refuses, and transposed convolutions in PyTorch's terms."""

import dataclasses
import math

import pytest
import torch

from keras_fmnist.settings import (
    SpecError,
    TransposedConv,
    check_value,
    describe,
    setting,
    setting_fields,
    suggest,
)


@dataclasses.dataclass
class Example:
    no_setting: int = 0
    whole: int = setting(3, text="a count", low=1, high=10)
    number: float = setting(0.5, text="a share", low=0.0, high=1.0)
    switch: bool = setting(True, text="a switch")
    word: str = setting("adam", text="a word", choices=("adam", "sgd"))
    sizes: tuple[int, ...] = setting((1, 2), text="sizes", low=1, high=8)
    shape: TransposedConv = setting(TransposedConv(4, 2), text="a shape")


FIELDS = {field.name: field for field in setting_fields(Example)}


def test_a_field_without_a_text_is_no_setting():
    assert list(FIELDS) == ["whole", "number", "switch", "word", "sizes", "shape"]


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [
        ("whole", 1, 1),
        ("whole", 10, 10),
        ("number", 0, 0.0),
        ("number", 1, 1.0),
        ("number", 0.25, 0.25),
        ("switch", False, False),
        ("word", "sgd", "sgd"),
        ("sizes", [8, 1], (8, 1)),
        ("sizes", (5,), (5,)),
        ("shape", "k3s2o1", TransposedConv(3, 2, 0, 1)),
        ("shape", TransposedConv(3), TransposedConv(3)),
    ],
)
def test_a_value_that_fits_is_kept_in_the_settings_own_type(name, given, stored):
    value = check_value(FIELDS[name], given)
    assert value == stored
    assert type(value) is type(stored)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("whole", wrong) for wrong in (0, 11, -1, 2.0, "3", True, None, [3], math.nan, math.inf)),
        *(("number", wrong) for wrong in (-1e-9, 1.1, "0.5", True, None, [0.5], {})),
        *(("number", wrong) for wrong in (math.nan, math.inf, -math.inf)),
        *(("switch", wrong) for wrong in (0, 1, "True", "yes", None)),
        *(("word", wrong) for wrong in ("rmsprop", "", "Adam", 1, None, True)),
        *(("sizes", wrong) for wrong in (5, "1,2", [0, 1], [1, 9], [1.0], [True, 1], None, {})),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_would(name, given):
    with pytest.raises(SpecError) as error:
        check_value(FIELDS[name], given)
    message = str(error.value)
    assert message.startswith(f"{name} must be {describe(FIELDS[name])}, not ")
    assert "\n" not in message


def test_bounds_without_end_still_refuse_what_is_not_finite():
    free = dataclasses.field(metadata={"low": -math.inf, "high": math.inf, "choices": None})
    free.name, free.type = "free", float
    for wrong in (math.nan, math.inf, -math.inf):
        with pytest.raises(SpecError, match="free"):
            check_value(free, wrong)
    assert check_value(free, 1e300) == 1e300


def test_every_kind_of_setting_is_described_in_words():
    assert {name: describe(field) for name, field in FIELDS.items()} == {
        "whole": "a whole number from 1 to 10",
        "number": "a number from 0.0 to 1.0",
        "switch": "True or False",
        "word": "adam or sgd",
        "sizes": "whole numbers from 1 to 8, such as 16,32",
        "shape": "like k4s2o1",
    }


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("k4s2o1", (4, 2, 0, 1, 1)),
        ("k6s2p1", (6, 2, 1, 0, 1)),
        ("k4s2", (4, 2, 0, 0, 1)),
        ("k5", (5, 1, 0, 0, 1)),
        ("k12s3p2o1", (12, 3, 2, 1, 1)),
        ("k5s2p2d2", (5, 2, 2, 0, 2)),
    ],
)
def test_a_transposed_convolution_is_read_and_written_alike(text, shape):
    parsed = TransposedConv.parse(text)
    assert dataclasses.astuple(parsed) == shape
    assert TransposedConv.parse(str(parsed)) == parsed
    assert str(parsed) in (text, text + "s1")


WRONG_SHAPES = [
    "",
    "4s2",
    "s2k4",
    "k",
    "k0",
    "k4s0",
    "k4o1",
    "k4s2o2",
    "k4s2x1",
    "k5s2p1d2",
    "k5s2p2d3",
    "k5s2o1d2",
    "K4",
    "k4 s2",
]
WRONG_SHAPES += ["k4s2\n", "k100", "k-4", "k4.0", 4, None, True, ("k4",)]


@pytest.mark.parametrize("text", WRONG_SHAPES)
def test_what_is_no_transposed_convolution_is_refused(text):
    with pytest.raises(SpecError) as error:
        TransposedConv.parse(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("size", [1, 5, 13])
@pytest.mark.parametrize(
    "text", ["k4s2o1", "k3s2o1", "k4s2", "k5", "k6s2p1", "k5s3p2o2", "k5s2p2d2"]
)
def test_the_output_size_is_pytorchs(text, size):
    shape = TransposedConv.parse(text)
    layer = torch.nn.ConvTranspose2d(
        1,
        1,
        shape.kernel,
        shape.stride,
        shape.padding,
        shape.output_padding,
        dilation=shape.dilation,
    )
    assert layer(torch.zeros(1, 1, size, size)).shape[-1] == shape.output_size(size)


def test_a_near_word_is_suggested_and_otherwise_all_are_listed():
    assert suggest("epohcs", {"epochs": 1, "seed": 2}) == "; did you mean epochs?"
    assert suggest("zzz", {"seed": 2, "epochs": 1}) == "; known are epochs, seed"
    assert suggest(5, ["epochs"]) == "; known are epochs"
