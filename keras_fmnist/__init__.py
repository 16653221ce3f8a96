"""Two PyTorch course reports on Fashion-MNIST, reproduced in Keras 3.

Importing the package chooses torch as the Keras backend unless `KERAS_BACKEND` says otherwise.
Keras reads that variable once, at its own first import, so import this package before `keras`.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

__version__ = "0.1.0"
