"""Figures as PNG and SVG, drawn from records by matplotlib, which is imported only here."""

from keras_fmnist.reporting.figures.files import (
    draw,
    list_drawn,
    render,
    render_dead_logits,
    render_overview,
    render_record,
    write_predictions,
)
from keras_fmnist.reporting.figures.nets import draw_classified, draw_copies

__all__ = [
    "draw",
    "draw_classified",
    "draw_copies",
    "list_drawn",
    "render",
    "render_dead_logits",
    "render_overview",
    "render_record",
    "write_predictions",
]
