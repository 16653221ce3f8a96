"""Two PyTorch course reports on Fashion-MNIST, reproduced in Keras 3.

Importing the package chooses torch as the Keras backend unless `KERAS_BACKEND` says otherwise.
Keras reads that variable once, at its own first import, so import this package before `keras`.
It also lets OpenMP's waiting threads sleep unless `OMP_WAIT_POLICY` says otherwise; that is read
once too, when torch is imported.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
# Threads that wait for others must not spin: on two cores beside other busy processes a step of two
# threads took 2970 ms spinning and 44 ms asleep. OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
