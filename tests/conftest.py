"""The suite runs on torch unless KERAS_BACKEND says otherwise; see tests/test_backends.py for the others."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
