"""A setting: a dataclass field with its meaning, its unit and its check.

A wrong value is refused with one sentence that says what would be right.
"""

import contextlib
import dataclasses
import difflib
import math
import re
import typing
from collections.abc import Collection
from dataclasses import dataclass

# `setting` is typed as its default, like `dataclasses.field`, so that the fields keep their types.
Value = typing.TypeVar("Value")


class SpecError(ValueError):
    """A setting has a wrong value; the message is one sentence that says what would be right."""


def setting(
    default: Value,
    *,
    text: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Value:
    """Makes a dataclass field that is a setting.

    Args:
        default: its default value.
        text: what it means, with its unit; `--help` shows it.
        low: the smallest value allowed.
        high: the largest value allowed.
        choices: the values allowed, for text.
    """
    return dataclasses.field(
        default=default,
        metadata={"text": text, "low": low, "high": high, "choices": choices},
    )


def setting_fields(cls: type) -> list[dataclasses.Field]:
    """The dataclass fields of `cls` that are settings, in their order."""
    return [field for field in dataclasses.fields(cls) if "text" in field.metadata]


def describe(field: dataclasses.Field) -> str:
    """Describes the values that a setting takes: `a whole number from 1 to 100`."""
    rules = field.metadata
    if rules["choices"]:
        return " or ".join(rules["choices"])
    if rules["low"] is not None:
        bounds = f"from {rules['low']} to {rules['high']}"
        if typing.get_origin(field.type) is tuple:
            return f"whole numbers {bounds}, such as 16,32"
        return f"{'a whole number' if field.type is int else 'a number'} {bounds}"
    return {bool: "True or False", TransposedConv: "like k4s2o1"}[field.type]


def check_value(
    field: dataclasses.Field, value: object
) -> "bool | float | str | tuple[int, ...] | TransposedConv":
    """Checks a value and returns it in the type of its field.

    Raises:
        SpecError: the value has another type, is not finite, or is out of bounds.
    """
    if field.type is TransposedConv:
        return value if isinstance(value, TransposedConv) else TransposedConv.parse(value)
    if typing.get_origin(field.type) is tuple:
        if not isinstance(value, (tuple, list)):
            raise SpecError(f"{field.name} must be {describe(field)}, not {shorten(value)}")
        return tuple(_checked_scalar(field, int, item) for item in value)
    return _checked_scalar(field, field.type, value)


def _checked_scalar(field, kind, value):
    rules = field.metadata
    fits = isinstance(value, (int, float) if kind is float else kind)
    if kind in (int, float) and isinstance(value, bool):
        fits = False  # Python counts True as 1
    if fits and kind is float:
        with contextlib.suppress(OverflowError):  # a whole number of more than 308 digits
            value = float(value)
        fits = isinstance(value, float) and math.isfinite(value)
    if fits and rules["choices"]:
        fits = value in rules["choices"]
    if fits and rules["low"] is not None:
        fits = rules["low"] <= value <= rules["high"]
    if not fits:
        raise SpecError(f"{field.name} must be {describe(field)}, not {shorten(value)}")
    return value


def shorten(value: object) -> str:
    """Returns a value as an error shows it: its `repr`, at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:59]}…"


def suggest(word: str, known: Collection[str]) -> str:
    """Ends an error with `; did you mean X?`, or with the known words where none is similar."""
    within = [name for name in known if name.endswith(f"_{word}")]  # autoencoder_latent for latent
    near = within or difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"


@dataclass(frozen=True)
class TransposedConv:
    """Shape of a transposed convolution in PyTorch's terms, written `k4s2o1`.

    `k` kernel, `s` stride, `p` padding, `o` output padding, `d` dilation, all in positions. The
    defaults are stride 1, padding 0, output padding 0 and dilation 1. A dilation other than 1 must
    equal the stride and divide the padding, as in the one layer that has it (manolucos, table 2).
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    output_padding: int = 0
    dilation: int = 1

    @classmethod
    def parse(cls, text: object) -> typing.Self:
        """Reads `k4s2o1`.

        Raises:
            SpecError: the text is not of that form, or PyTorch would refuse the shape.
        """
        pattern = r"k([0-9]{1,2})(?:s([0-9]))?(?:p([0-9]))?(?:o([0-9]))?(?:d([0-9]))?"
        match = isinstance(text, str) and re.fullmatch(pattern, text)
        if not match:
            raise SpecError(f"{shorten(text)} is not a transposed convolution such as k4s2o1")
        kernel, stride, padding, output_padding, dilation = match.groups()
        parsed = cls(
            int(kernel),
            int(stride or 1),
            int(padding or 0),
            int(output_padding or 0),
            int(dilation or 1),
        )
        if min(parsed.kernel, parsed.stride, parsed.dilation) < 1:
            raise SpecError(f"{text!r}: kernel, stride and dilation are at least 1")
        if parsed.dilation > 1 and (
            parsed.dilation != parsed.stride
            or parsed.padding % parsed.stride
            or parsed.output_padding
        ):
            raise SpecError(
                f"{text!r}: a dilation must equal the stride, divide the padding and have no "
                "output padding"
            )
        if parsed.output_padding >= parsed.stride:
            raise SpecError(f"{text!r}: output padding must be smaller than the stride")
        return parsed

    def output_size(self, size: int) -> int:
        """Returns the positions a side of the output for an input of `size` positions a side."""
        return self.reach(size) - 2 * self.padding

    def reach(self, size: int) -> int:
        """Returns the positions a side of the output before padding is taken off."""
        spread = self.dilation * (self.kernel - 1) + 1
        return (size - 1) * self.stride + spread + self.output_padding

    def __str__(self) -> str:
        tail = {
            "p": self.padding,
            "o": self.output_padding,
            "d": self.dilation - 1 and self.dilation,
        }
        return f"k{self.kernel}s{self.stride}" + "".join(f"{k}{v}" for k, v in tail.items() if v)
