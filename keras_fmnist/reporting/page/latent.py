"""Makes the latent spaces of the page: two maps with tooltips, and lines between images."""

from pathlib import Path

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool

from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.latent_space import LatentSpace, find_latent_space
from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.latent import TEN
from keras_fmnist.reporting.page import charts, images
from keras_fmnist.reporting.page.bilingual import text

TOOLTIP = '<div style="font-size:13px;color:#18191d"><b>$name</b>, ${test_image} @row</div>'


def describe_spaces(out: Path | str, groups: dict[str, list[Record]]) -> list[dict]:
    """Describes the latent spaces that `keras-fmnist latent` measured.

    Args:
        out: the folder of the records.
        groups: what `groups.select_groups` returned.

    Returns:
        A dict `{id, maps, about, lines, command}` for each autoencoder that has one.

    Raises:
        RecordError: a file is damaged.
    """
    nets = [group for group in groups.values() if not group[0].is_classifier]
    return [_space(found) for group in nets if (found := find_latent_space(out, group))]


def _space(found):
    first, second = (f"{share:.0%}" for share in found.pca["share"])
    counted = {"images": len(found.labels), "seed": found.seed}
    return {
        "id": found.id,
        "maps": {
            "map_pca": plot_codes(found, found.pca),
            "map_tsne": plot_codes(found, found.tsne),
        },
        "about": text("map_of", first=first, second=second, **counted),
        "lines": [_line(found, line) for line in found.lines],
        "command": f"keras-fmnist latent {found.id} --seed {found.seed}",
    }


def _line(found, line):
    # The rows are the first images of two classes, which the labels always include.
    first, last = (CLASS_NAMES[found.labels[row]] for row in line["test_rows"])
    return text("line_alt", first=first, last=last, who=found.id), images.join_images(
        line["images"]
    )


def plot_codes(found: LatentSpace, points: dict) -> str:
    """Makes a map as a Bokeh plot in JSON: a colour and a name for each class.

    Args:
        found: a `LatentSpace`.
        points: its `pca` or `tsne`.
    """
    axes = charts.build_empty_plot(match_aspect=True)  # PCA keeps distances
    labels, entries = np.array(found.labels), {}
    for label in sorted(set(found.labels)):
        rows = np.flatnonzero(labels == label)
        columns = {axis: [points[axis][row] for row in rows] for axis in "xy"}
        source = ColumnDataSource(columns | {"row": rows.tolist()})
        look = {"color": TEN[label], "size": 5, "fill_alpha": 0.7, "line_color": None}
        name = CLASS_NAMES[label]
        entries[name] = [axes.scatter("x", "y", source=source, name=name, **look)]
    axes.add_tools(HoverTool(tooltips=TOOLTIP))
    axes.add_layout(charts.build_legend(entries, charts.MANY), "above")
    axes.axis.visible = False
    axes.grid.visible = False
    return charts.dump_plot(axes)
