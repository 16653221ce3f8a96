"""What commands print: metrics in a line, and how to go on after an interruption."""

import contextlib
from collections.abc import Iterator


def format_metrics(metrics: dict[str, float]) -> str:
    """Metrics in one line: `loss 0.0412, val_loss 0.0370`."""
    shown = (f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
    return ", ".join(shown)


@contextlib.contextmanager
def say_how_to_go_on(remedy: str) -> Iterator[None]:
    """Has an interrupt, and a file that cannot be written, say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: {remedy}") from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise RuntimeError(f"what is said is read no longer: {remedy}") from None
        if error.filename is None:
            raise
        raise RuntimeError(
            f"{error.filename} cannot be written ({error.strerror}); once it can, {remedy}"
        ) from None
