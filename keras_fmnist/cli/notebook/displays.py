"""How a record and a trained net look in a notebook."""

import html
import sys

from keras_fmnist.cli.output import format_metrics
from keras_fmnist.records.record import Record


def register() -> None:
    """Tells IPython how to show a record and a net; does nothing outside of it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    formatter.for_type(Record, show_record)
    formatter.for_type_by_name("keras_fmnist.cli.notebook.nets", "Net", show_net)
    # Nobody else shows a figure that was drawn without pyplot before pyplot is imported.
    pictures = shell.display_formatter.formatters["image/png"]
    pictures.for_type_by_name("matplotlib.figure", "Figure", _render)


def show_record(record: Record) -> str:
    """Returns a record as HTML: what was run, what came out, curves and pictures."""
    from keras_fmnist.reporting import figures

    metrics = format_metrics(record.metrics)
    words = f"{record.id}, seed {record.seed} on {record.backend}: {metrics}"
    drawn = [_embed(picture) for picture in figures.render_record(record)]
    return f"<p>{html.escape(words)}</p>{''.join(drawn)}"


def show_net(net: object) -> str:
    """Returns a trained net as HTML: what it makes of a test image of each class."""
    words = f"{net.record.id}, seed {net.record.seed}: {net.model.count_params():,} parameters"
    return f"<p>{html.escape(words)}</p>{_embed(_render(net.plot()))}"


def _render(figure):
    from keras_fmnist.reporting.figures.style import render_figure

    return render_figure(figure, "png")


def _embed(png):
    from keras_fmnist.reporting.page.images import embed_png

    return f'<img style="max-width: 48%" src="{embed_png(png)}">'
