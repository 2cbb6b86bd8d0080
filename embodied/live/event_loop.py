"""Event loop over epoll: one place where a process waits for all of its descriptors."""

from __future__ import annotations

import select
from collections.abc import Callable


class EventLoop:
    """Event loop over epoll: calls handlers when their descriptors become readable."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def wait(self, descriptor: int, handler: Callable[[], None]) -> None:
        """Call a handler whenever a descriptor becomes readable."""
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Remove a descriptor and its handler."""
        if self._handlers.pop(descriptor, None) is not None and not self._poll.closed:
            self._poll.unregister(descriptor)

    def call(self, descriptor: int) -> None:
        """Call a handler as if its descriptor were readable."""
        handler = self._handlers.get(descriptor)
        if handler is not None:
            handler()

    def turn(self, timeout: float) -> None:
        """Poll for up to `timeout` seconds and run the handlers of ready descriptors."""
        handlers = self._handlers
        for descriptor, _ in self._poll.poll(timeout):
            # A handler that ran before may have removed this one.
            handler = handlers.get(descriptor)
            if handler is not None:
                handler()

    def close(self) -> None:
        """Close the epoll descriptor; handlers are called no more."""
        self._poll.close()
