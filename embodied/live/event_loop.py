"""One place to wait for many descriptors."""

from __future__ import annotations

import select
from collections.abc import Callable


class EventLoop:
    """Calls handlers when their descriptors become readable."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def wait(self, descriptor: int, handler: Callable[[], None]) -> None:
        """Call a handler whenever a descriptor becomes readable."""
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Wait for a descriptor no longer."""
        if self._handlers.pop(descriptor, None) is not None and not self._poll.closed:
            self._poll.unregister(descriptor)

    def call(self, descriptor: int) -> None:
        """Call a handler as if its descriptor were readable."""
        handler = self._handlers.get(descriptor)
        if handler is not None:
            handler()

    def turn(self, timeout: float) -> None:
        """Wait for at most so long [s], and call whom it concerns."""
        handlers = self._handlers
        for descriptor, _ in self._poll.poll(timeout):
            # One that was called before may have ended the wait for this one.
            handler = handlers.get(descriptor)
            if handler is not None:
                handler()

    def close(self) -> None:
        """Wait for nothing any more."""
        self._poll.close()
