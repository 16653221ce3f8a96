"""Makes Bokeh plots in JSON, which the page draws in its colours and language.

`${ink}` and others are placeholders for colours and words that a reader can switch.
"""

import json
import math
import re
from itertools import cycle
from statistics import fmean

from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, HoverTool, Legend, LegendItem, Plot
from bokeh.plotting import figure

from keras_fmnist.records.record import Record
from keras_fmnist.reporting.figures.style import BLUE, GREEN, ORANGE

# One experiment: a colour for each curve, as in the figures. Several: a colour for each experiment.
CURVES = (
    ("{}", "as_it_ran", ORANGE, "dotted"),
    ("train_eval_{}", "evaluated", BLUE, "solid"),
    ("val_{}", "validation", GREEN, "dashed"),
)
# Bokeh accepts only colours as colours, so these three are placeholders for those of the page.
INK, PAPER, RULE = OWN = ("#000001", "#000002", "#000003")
# Placeholders for the number of legend columns, with long or short names, and for the height; the
# page sets them.
FEW, MANY = COLUMNS = (98, 99)
HEIGHT = 997
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00")  # Okabe and Ito's
UNITS = ("accuracy", "mean squared error", "cross entropy")
WORDS = ("epoch", "test_image", *UNITS, *(word for _, word, _, _ in CURVES))  # what plots may use


def plot_curves(groups: dict[str, list[Record]], metric: str) -> list[dict]:
    """Computes the curves of experiments: over seeds their mean, lowest and highest.

    Args:
        groups: `{experiment's name: its records}`, each trained for at least one epoch.
        metric: `loss` or `accuracy`.

    Returns:
        Dicts `{who, curve, colour, dash, mean, low, high}`, the last three one number an epoch.
    """
    found = []
    for colour, (name, records) in zip(cycle(COLOURS), groups.items(), strict=False):
        for pattern, word, own_colour, dash in CURVES:
            if len(groups) > 1 and word == "as_it_ran":
                continue  # too many lines otherwise
            epochs = list(zip(*(r.history[pattern.format(metric)] for r in records), strict=True))
            found.append(
                {
                    "who": name if len(groups) > 1 else "",
                    "curve": word,
                    "colour": colour if len(groups) > 1 else own_colour,
                    "dash": dash,
                    "mean": [fmean(values) for values in epochs],
                    "low": [min(values) for values in epochs],
                    "high": [max(values) for values in epochs],
                }
            )
    return found


def build_plot(lines: list[dict], metric: str, unit: str, scale: str) -> str:
    """Builds a Bokeh plot as JSON, the same bytes each time.

    Args:
        lines: what `plot_curves` returned.
        metric: `loss` or `accuracy`.
        unit: the word for the vertical axis, one of `UNITS`.
        scale: `linear` or `log`.
    """
    labels = {"x_axis_label": "${epoch}", "y_axis_label": f"${{{unit}}}"}
    axes = build_empty_plot(y_axis_type=scale, **labels)
    source = ColumnDataSource(_columns(lines))
    entries = {}
    for number, line in enumerate(lines):
        renderers = entries.setdefault(line["who"] or _word(line), [])
        renderers.append(_line(axes, source, number, line))
        if _has_band(line):
            band = {"y1": f"low{number}", "y2": f"high{number}", "fill_color": line["colour"]}
            renderers.append(axes.varea("epoch", source=source, fill_alpha=0.15, **band))
        if len(line["mean"]) == 1:  # one epoch is not a line
            renderers.append(
                axes.scatter("epoch", f"mean{number}", source=source, color=line["colour"], size=7)
            )
    # The tooltip belongs to an invisible line, so that it stays when a curve is hidden.
    invisible = axes.line("epoch", "mean0", source=source, line_alpha=0)
    axes.add_tools(HoverTool(renderers=[invisible], mode="vline", tooltips=_tooltip(lines, metric)))
    axes.add_layout(build_legend(entries), "above")
    return dump_plot(axes)


def build_empty_plot(**more: str | bool) -> Plot:
    """Builds a plot without tools, as wide as its container."""
    return figure(
        height=HEIGHT,
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="",
        background_fill_color=PAPER,
        border_fill_color=PAPER,
        outline_line_color=None,
        **more,
    )


def dump_plot(axes: Plot) -> str:
    """Returns a plot as JSON for the page's script; the same bytes each time."""
    _style(axes)
    # Keys stay in Bokeh's order, in which a model is defined before it is referred to.
    text = json.dumps(json_item(axes), separators=(",", ":"))
    for colour, name in zip(OWN, ("ink", "paper", "rule"), strict=True):
        text = text.replace(colour, f"${{{name}}}")
    for columns, name in zip(COLUMNS, ("few", "many"), strict=True):
        text = text.replace(f'"ncols":{columns}', f'"ncols":${{{name}}}')
    return _renumbered(text.replace(f'"height":{HEIGHT}', '"height":${height}'))


def _columns(lines):
    """Makes Bokeh's columns, all as long as the longest training."""
    epochs = max(len(line["mean"]) for line in lines)
    columns = {"epoch": list(range(1, epochs + 1))}
    for number, line in enumerate(lines):
        for kind in ("mean", "low", "high") if _has_band(line) else ("mean",):
            values = [float(f"{value:.6g}") for value in line[kind]]
            columns[f"{kind}{number}"] = values + [math.nan] * (epochs - len(values))
    return columns


def _has_band(line):
    return line["low"] != line["high"]


def _line(axes, source, number, line):
    look = {"line_color": line["colour"], "line_dash": line["dash"], "line_width": 2}
    return axes.line("epoch", f"mean{number}", source=source, **look)


def _word(line):
    return f"${{{line['curve']}}}"


def _tooltip(lines, metric):
    form = "{0.00%}" if metric == "accuracy" else "{0.0000}"
    rows = "".join(
        f'<div><span style="color:{line["colour"]}">■</span> {line["who"]} {_word(line)} '
        f"<b>@mean{number}{form}</b></div>"
        for number, line in enumerate(lines)
    )
    return f'<div style="font-size:13px;color:#18191d">${{epoch}} @epoch{rows}</div>'


def build_legend(entries: dict[str, list], columns: int = FEW) -> Legend:
    """Builds the legend; clicking a name hides its renderers."""
    return Legend(
        items=[LegendItem(label=name, renderers=drawn) for name, drawn in entries.items()],
        click_policy="hide",
        orientation="horizontal",
        ncols=columns,
        location="left",
        margin=0,
        padding=2,
        spacing=14,
        border_line_color=None,
        background_fill_color=None,
        inactive_fill_color=PAPER,
        label_text_color=INK,
        label_text_font_size="12px",
    )


def _style(axes):
    axes.axis.axis_label_text_color = INK
    axes.axis.axis_label_text_font_style = "normal"
    axes.axis.major_label_text_color = INK
    axes.axis.axis_line_color = RULE
    axes.axis.major_tick_line_color = RULE
    axes.axis.minor_tick_line_color = None
    axes.grid.grid_line_color = RULE
    axes.grid.grid_line_alpha = 0.5


def _renumbered(text):
    """Renumbers models from 1 on, because Bokeh counts them over the whole process."""
    names = dict.fromkeys(re.findall(r'"(p\d+)"', text))
    for number, name in enumerate(names, 1):
        names[name] = f'"p{number}"'
    return re.sub(r'"(p\d+)"', lambda match: names[match[1]], text)
