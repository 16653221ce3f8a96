"""Builds every file that is made from the records, and tells whether it is up to date."""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.image import imread

from keras_fmnist.records.groups import group_by_experiment, select_groups
from keras_fmnist.records.record import Record, require_settings
from keras_fmnist.records.run import STUDY

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue

LIVE_PAGE = "live.html"  # in which the nets run


def build_files(
    catalogue: "Catalogue", out: Path | str, records: Sequence[Record]
) -> Iterator[tuple[Path, bytes]]:
    """Builds figures, page and documents from the records.

    Args:
        catalogue: the experiments, claims and texts.
        out: the folder of the records.
        records: the records in it.

    Yields:
        The path and the content of each file.

    Raises:
        SpecError: a run of the published study has other settings than its experiment.
    """
    from keras_fmnist.reporting import figures
    from keras_fmnist.reporting.documents import Study, fill_documents
    from keras_fmnist.reporting.page.render import render_live_page, render_page

    groups, pictured = select_groups(records), []
    for spec in catalogue.specs:
        if group := groups.get(spec.id):
            yield from figures.render(out, group).items()
            pictured.append(group[0])
    yield from figures.render_overview(out, pictured).items()
    counted = [r for spec in catalogue.find_shown("dead_logits") for r in groups.get(spec.id, ())]
    yield from figures.render_dead_logits(out, counted).items()
    yield Path(out, "index.html"), render_page(catalogue, records, out).encode()
    if live := render_live_page(catalogue, records, out):
        yield Path(out, LIVE_PAGE), live.encode()
    root = Path(__file__).parents[2]
    if Path(out).resolve() == (root / STUDY).resolve():
        every = group_by_experiment(records)
        for spec in [*catalogue.specs, *catalogue.readings]:
            for record in every.get(spec.id, ()):  # no quick trial among the published runs
                require_settings(record, record.files(out).record, spec)
        for path, text in fill_documents(root, Study(catalogue, records, out)):
            yield path, text.encode()


INNER_PNG = re.compile(rb"(?<=data:image/png;base64,)[A-Za-z0-9+/=\s]+")


def is_unchanged(path: Path, content: bytes) -> bool:
    """Whether a file has this content: the same bytes, except that PNGs are compared by pixels.

    Compressed bytes depend on the processor if zlib-ng is used. SVGs and the page contain PNGs too.
    """
    if not path.exists():
        return False
    found = path.read_bytes()
    if found == content:
        return True
    if path.suffix == ".png":
        return _equal_pixels(found, content)
    inner, expected = (INNER_PNG.findall(text) for text in (found, content))
    return (
        INNER_PNG.sub(b"", found) == INNER_PNG.sub(b"", content)
        and len(inner) == len(expected)
        and all(map(_equal_inner_pixels, inner, expected))
    )


def _equal_inner_pixels(*texts):
    try:
        return _equal_pixels(*map(base64.b64decode, texts))
    except ValueError:  # not base64
        return False


def _equal_pixels(*pngs):
    try:
        return np.array_equal(*(imread(io.BytesIO(png), format="png") for png in pngs))
    except (OSError, SyntaxError):  # what Pillow raises for a broken PNG
        return False
