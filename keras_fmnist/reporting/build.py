"""Every file that the records give, and whether it is there as they give it."""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import pyplot as plt

from keras_fmnist.records.groups import group_by_experiment, select_largest
from keras_fmnist.records.record import Record, require_settings
from keras_fmnist.records.run import STUDY

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue

LIVE_PAGE = "live.html"  # in which the nets run


def build_files(
    catalogue: "Catalogue", out: Path | str, records: Sequence[Record]
) -> Iterator[tuple[Path, bytes]]:
    """Every file that the records give, as pairs of path and bytes."""
    from keras_fmnist.reporting import figures
    from keras_fmnist.reporting.documents import Study, fill_documents
    from keras_fmnist.reporting.page.render import render_live_page, render_page

    found, leading = group_by_experiment(records), []
    for spec in catalogue.specs:
        if mine := found.get(spec.id):
            yield from figures.render(out, mine).items()
            leading.append(select_largest(mine)[0])
    yield from figures.render_overview(out, leading).items()
    yield Path(out, "index.html"), render_page(catalogue, records, out).encode()
    if live := render_live_page(catalogue, records, out):
        yield Path(out, LIVE_PAGE), live.encode()
    root = Path(__file__).parents[2]
    if Path(out).resolve() == (root / STUDY).resolve():
        for spec in [*catalogue.specs, *catalogue.readings]:
            for record in found.get(spec.id, ()):  # a quick look must not stand for the whole
                require_settings(record, record.files(out).record, spec)
        for path, text in fill_documents(root, Study(catalogue, records, out)):
            yield path, text.encode()


INNER_PNG = re.compile(rb"(?<=data:image/png;base64,)[A-Za-z0-9+/=\s]+")


def is_unchanged(path: Path, content: bytes) -> bool:
    """Whether a file holds what was drawn: the same bytes but for pictures, which count by pixels.

    How tightly pixels are packed depends on the processor, where zlib-ng does it. An SVG and the
    page have such pictures inside.
    """
    if not path.exists():
        return False
    found = path.read_bytes()
    if found == content:
        return True
    if path.suffix == ".png":
        return _equal_pixels(found, content)
    inside, expected = (INNER_PNG.findall(text) for text in (found, content))
    return (
        INNER_PNG.sub(b"", found) == INNER_PNG.sub(b"", content)
        and len(inside) == len(expected)
        and all(map(_equal_inner_pixels, inside, expected))
    )


def _equal_inner_pixels(*texts):
    try:
        return _equal_pixels(*map(base64.b64decode, texts))
    except ValueError:  # no base64
        return False


def _equal_pixels(*pngs):
    try:
        return np.array_equal(*(plt.imread(io.BytesIO(png), format="png") for png in pngs))
    except (OSError, SyntaxError):  # Pillow calls a broken PNG one or the other
        return False
