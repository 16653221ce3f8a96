"""The commit that registered each claim's rule; `python -m experiments.register` writes this file.

A rule that has changed since has another digest, and no commit until it is registered again.
"""

REGISTERED: dict[str, dict[str, str]] = {}
