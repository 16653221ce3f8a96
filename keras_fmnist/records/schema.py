"""Checks the fields of a record: type, bounds and shape.

A record may come from a stranger. Its numbers are drawn and averaged elsewhere, and its names
become paths. So whatever would fail there, or lead out of the folder, is refused here.
"""

import base64
import re
from pathlib import Path

from keras_fmnist.records.json_files import RecordError
from keras_fmnist.settings import SpecError, shorten
from keras_fmnist.specs import CLASSES, IMAGE_SIZE, TEST_IMAGES, TRAIN_IMAGES, with_defaults

LARGEST = 3.5e38  # more than any float32, the type in which losses are summed


def check_fields(values: dict, source: Path | str) -> dict:
    """Checks every field against `FIELDS`, and that the fields fit together.

    Args:
        values: the fields of a record, none of them missing or unknown.
        source: the file, for the error.

    Returns:
        The fields. Settings in `spec` that an older record lacks have their defaults.

    Raises:
        RecordError: a field is wrong; the message names the first and says what would be right.
    """
    for name, value in values.items():
        expected, fits = FIELDS[name]
        if not fits(value):
            raise RecordError(f"{source}: {name} must be {expected}, not {shorten(value)}")
    try:
        spec = with_defaults(values["spec"])
    except SpecError as error:
        raise RecordError(f"{source}: spec: {error}") from None
    is_classifier = "autoencoder" in spec
    if is_classifier != (values.get("confusion_matrix") is not None):
        raise RecordError(f"{source}: only classifiers have a confusion_matrix, and must have it")
    measures = ("loss", "accuracy") if is_classifier else ("loss",)
    wanted = [f"{split}_{measure}" for measure in measures for split in ("train_eval", "val")]
    for name in wanted:
        if name not in values["metrics"]:
            raise RecordError(f"{source}: metrics lack {name}")
    for name in (*wanted, *measures):
        if values["history"] and name not in values["history"]:
            raise RecordError(f"{source}: history lacks {name}")
    if "pca" in (values.get("images") or {}) and not {"pca_loss", "mean_image_loss"} <= (
        values["metrics"].keys()
    ):
        raise RecordError(f"{source}: metrics lack the losses of the pca in images")
    return values | {"spec": spec}


def _is_name(value):
    return isinstance(value, str) and re.fullmatch("[A-Za-z0-9_]{1,100}", value) is not None


def _is_digest(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_number(value):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= LARGEST


def _is_text(value):
    return isinstance(value, str)


def _is_object(value):
    return isinstance(value, dict)


def _whole(low, high):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def _list_of(fits, length=None):
    return lambda v: isinstance(v, list) and length in (None, len(v)) and all(map(fits, v))


def _object_of(fits, *wanted):
    return lambda v: isinstance(v, dict) and {*wanted} <= v.keys() and all(map(fits, v.values()))


def _or_none(fits):
    return lambda value: value is None or fits(value)


def _are_seconds(value):
    return (
        isinstance(value, dict)
        and _is_number(value.get("total"))
        and _is_number(value.get("cpu", 0.0))  # not in older records
        and _list_of(_is_number)(value.get("per_epoch"))
    )


def _are_metrics(value):
    return _object_of(_is_number)(value) and all(
        number <= 1 for name, number in value.items() if name.endswith("accuracy")
    )


def _are_curves(value):
    if not _object_of(_list_of(_is_number))(value):
        return False
    lengths = {len(curve) for curve in value.values()}
    return not value or (len(lengths) == 1 and min(lengths) > 0)


def _is_confusion_matrix(value):
    count = _whole(0, 1_000_000)
    return _list_of(_list_of(count, CLASSES), CLASSES)(value) and any(map(any, value))


def _are_pixels(value):
    try:
        pixels = base64.b64decode(value, validate=True)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str) and len(pixels) == CLASSES * IMAGE_SIZE**2


def _are_images(value):
    return (
        isinstance(value, dict)
        and value.keys() - {"pca"} == {"test_rows", "originals", "reconstructions"}
        and _list_of(_whole(0, TEST_IMAGES - 1), CLASSES)(value["test_rows"])
        and all(_are_pixels(pixels) for name, pixels in value.items() if name != "test_rows")
    )


_NAME = ("a name of letters, digits and _", _is_name)
_TEXT = ("text", _is_text)
FIELDS = {
    "report": _NAME,
    "experiment": _NAME,
    "spec": ("an object of settings", _is_object),
    "seed": ("a whole number from 0 to 2147483647", _whole(0, 2**31 - 1)),
    "examples": (f"a whole number from 1 to {TRAIN_IMAGES}", _whole(1, TRAIN_IMAGES)),
    "backend": _NAME,
    "device": _NAME,
    "versions": ("an object", _is_object),
    "commit": ("text or null", _or_none(_is_text)),
    "command": _TEXT,
    "started": _TEXT,
    "seconds": ("a total, a list per_epoch and maybe cpu, in seconds", _are_seconds),
    "parameters": (
        "whole numbers by name, total and trainable among them",
        _object_of(_whole(0, 2**63), "total", "trainable"),
    ),
    "data_sha256": ("64 hexadecimal digits", _is_digest),
    "weights_sha256": ("digests by name, final among them", _object_of(_is_digest, "final")),
    "history": ("lists of numbers from 0 by name, each as long as the others", _are_curves),
    "metrics": ("numbers from 0 by name, an accuracy up to 1", _are_metrics),
    "confusion_matrix": (f"{CLASSES} rows of {CLASSES} counts", _or_none(_is_confusion_matrix)),
    "images": (
        f"{CLASSES} test_rows, and as many originals, reconstructions and pca in base64",
        _or_none(_are_images),
    ),
    "resumed_at": ("a list of whole numbers", _list_of(_whole(0, 10_000))),
}
