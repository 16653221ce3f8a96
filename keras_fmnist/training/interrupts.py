"""Turns SIGTERM and Ctrl-C into a request to stop at the next step that can be saved."""

import signal
import threading
from types import TracebackType
from typing import Self


class StopRequest:
    """A context in which SIGTERM and Ctrl-C set `stop`; a second Ctrl-C interrupts at once.

    Attributes:
        stop: whether a signal has arrived.
    """

    def __init__(self) -> None:
        self.stop = False

    def __enter__(self) -> Self:
        self._before = {}
        if threading.current_thread() is threading.main_thread():  # others may not set handlers
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as for background jobs
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.stop and error is None:
            raise KeyboardInterrupt

    def _note(self, number, frame):
        if self.stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.stop = True


def heed_sigterm() -> None:
    """Makes SIGTERM interrupt the process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
