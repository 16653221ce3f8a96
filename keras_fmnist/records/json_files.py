"""Reads the JSON files of records strictly, and writes them whole."""

import dataclasses
import json
from pathlib import Path

from keras_fmnist.files import read_bounded, write_whole
from keras_fmnist.settings import shorten

MOST_BYTES = 4 << 20  # three times a record of 10 000 epochs, the most that a spec takes


def write_dataclass(path: Path | str, values: object) -> None:
    """Writes a dataclass as JSON with sorted keys, whole or not at all."""
    text = json.dumps(dataclasses.asdict(values), sort_keys=True, indent=1, allow_nan=False)
    write_whole(path, (_fold_numbers(text) + "\n").encode())


def _fold_numbers(text):
    """Puts each list of numbers on one line, so that a confusion matrix looks like one."""
    lines, row = [], None
    for line in text.splitlines():
        bare = line.strip()
        if row is None:
            if bare.endswith("["):
                row = [line]
            else:
                lines.append(line)
        elif bare.endswith("["):  # a list of lists: only the inner lists are folded
            lines += row
            row = [line]
        elif bare.startswith("]"):
            lines.append(row[0] + " ".join(row[1:]) + bare)
            row = None
        else:
            row.append(bare)
    return "\n".join(lines)


class RecordError(ValueError):
    """A record that cannot be read; the message names the file and what is wrong with it."""


def read_object(path: Path | str) -> dict:
    """Reads the JSON object in a file.

    Raises:
        RecordError: the file cannot be read, is not a JSON object, or holds a NaN, an infinity or
            a name twice.
    """
    try:
        content = read_bounded(path, MOST_BYTES)
        values = json.loads(content, parse_constant=_refuse, object_pairs_hook=_object)
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON ({error})") from None
    if not isinstance(values, dict):
        raise RecordError(f"{path} must hold a JSON object, not a {type(values).__name__}")
    return values


def _refuse(constant):
    raise ValueError(f"it has no {constant}")


def _object(pairs):
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{shorten(twice)} appears twice in one object")
    return values
