"""Why a step runs as Keras has it."""

import re


class UntraceableError(Exception):
    """A step can not be replayed faithfully.

    Args:
        reason: the message. Where a layer raises it Keras makes a longer one and sets the reason in
            bold; it is taken out of there.
    """

    def __init__(self, reason: str) -> None:
        bold = re.search("\x1b\\[1m(.*)\x1b\\[0m", reason, re.DOTALL)
        super().__init__(bold[1] if bold else reason)
