"""Why a step runs as Keras has it."""


class UntraceableError(Exception):
    """A step can not be replayed faithfully; the message is the reason."""
