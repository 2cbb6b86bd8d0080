"""Linux calls that Python 3.11 has no name for: timers as descriptors."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_CLOCK_MONOTONIC = 1
_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class _Itimerspec(ctypes.Structure):
    _fields_ = [("interval", _Timespec), ("value", _Timespec)]


_settime = _libc.timerfd_settime
_settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Itimerspec), ctypes.c_void_p)


class Timer:
    """Linux timer on the steady clock, as a descriptor that becomes readable: see timerfd_create(2).

    `epoll` and `poll` round up to whole milliseconds; this does not.

    Attributes:
        descriptor: to wait for.
    """

    def __init__(self) -> None:
        self.descriptor: int = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "cannot make a timer")
        self._spec = _Itimerspec()
        self._value = self._spec.value
        self._pointer = ctypes.pointer(self._spec)

    def arm(self, at: int) -> None:
        """Expire once, at a time of CLOCK_MONOTONIC [ns]; one that has passed expires at once."""
        self._value.seconds, self._value.nanoseconds = divmod(max(at, 1), 1_000_000_000)
        if _settime(self.descriptor, _ABSTIME, self._pointer, None):
            raise OSError(ctypes.get_errno(), "cannot set a timer")

    def clear(self) -> None:
        """Take note that it has expired."""
        try:
            os.read(self.descriptor, 8)
        except BlockingIOError:
            # It has been armed again since.
            return

    def close(self) -> None:
        """Close the descriptor of the timer."""
        os.close(self.descriptor)
