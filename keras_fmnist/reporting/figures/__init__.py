"""Figures as PNG and SVG, drawn from records by matplotlib, which is imported only here."""

from keras_fmnist.reporting.figures.files import (
    draw,
    list_drawn,
    render,
    render_overview,
    write_predictions,
)

__all__ = ["draw", "list_drawn", "render", "render_overview", "write_predictions"]
