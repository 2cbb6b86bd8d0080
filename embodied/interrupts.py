"""Ctrl-C of the user, apart from a KeyboardInterrupt that foreign code raises as it may raise any exception.

While the signal has a handler of embodied, Ctrl-C is an `Interrupted`, ends the process, or is another process's. A
KeyboardInterrupt is an error of the code that raised it then.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embodied.errors import FOREIGN


class Interrupted(BaseException):
    """Ctrl-C, where a handler of embodied has the signal."""


_handlers: list[Callable[..., None]] = []
"""Handlers of embodied that have the signal, the last one now."""


def interrupt(*_: object) -> None:
    """Raise Ctrl-C: a handler of the signal.

    Raises:
        Interrupted: always.
    """
    raise Interrupted


def claim(handler: Callable[..., None]) -> None:
    """Handle Ctrl-C to the end of this process, whose main thread this is.

    Args:
        handler: handler of the signal; what it raises is no KeyboardInterrupt.
    """
    signal.signal(signal.SIGINT, handler)
    _handlers.append(handler)


@contextmanager
def handled(handler: Callable[..., None] = interrupt) -> Iterator[None]:
    """Handle Ctrl-C while foreign code runs; outside of the main thread, which alone gets it, do nothing.

    Args:
        handler: raises `Interrupted` by default.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    claim(handler)
    try:
        yield
    finally:
        _handlers.pop()
        signal.signal(signal.SIGINT, before)


def foreign() -> tuple[type[BaseException], ...]:
    """Return the exceptions that are foreign code's now, for an `except`: all but Ctrl-C, which is the user's."""
    handler = signal.getsignal(signal.SIGINT)
    ours = handler == signal.SIG_IGN or handler in _handlers
    return (*FOREIGN, KeyboardInterrupt) if ours else FOREIGN


def is_ctrl_c(error: BaseException) -> bool:
    """Return whether an exception is the user's Ctrl-C."""
    return isinstance(error, Interrupted) or (isinstance(error, KeyboardInterrupt) and not isinstance(error, foreign()))
