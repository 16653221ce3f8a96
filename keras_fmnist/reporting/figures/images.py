"""Draws one image."""

import numpy as np
from matplotlib.axes import Axes


def show_image(axes: Axes, image: np.ndarray, colours: str = "gray_r") -> None:
    """Draws an image without frame, ticks and grid; by default dark on light."""
    axes.imshow(image, cmap=colours, vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
