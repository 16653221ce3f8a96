"""Steps are replayed on torch only."""

import os

collect_ignore_glob = [] if os.environ["KERAS_BACKEND"] == "torch" else ["test_*.py"]
