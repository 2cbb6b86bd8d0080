"""Import of modules of others, bounded in time: one that never returns is an error, and does not hold up a check.

What counts is time in which nothing happens: a large library imports many modules, or is loaded by one call of C.
"""

from __future__ import annotations

import importlib
import signal
import sys
import threading
import time
from types import FrameType, ModuleType

PATIENCE = 4.0
"""Longest time in which a module runs its own Python code, or sleeps, without importing another [s]."""

LOOK_PERIOD = 0.25
"""Time between two looks at an import [s]."""


class ImportStuck(ImportError):
    """Import of a module that does not come to its end; the text names the line at which it stood."""


def import_module(name: str) -> ModuleType:
    """Import a module, as `importlib` does.

    Raises:
        ImportStuck: it does not come to its end. Outside the main thread it is waited for.
    """
    if name in sys.modules or threading.current_thread() is not threading.main_thread():
        return importlib.import_module(name)
    begin = time.monotonic()
    before = signal.signal(signal.SIGALRM, _Look(begin))
    left, interval = signal.setitimer(signal.ITIMER_REAL, LOOK_PERIOD, LOOK_PERIOD)
    try:
        return importlib.import_module(name)
    except _Stuck as stuck:
        raise ImportStuck(f"it is not over after {PATIENCE:g} s, at {stuck}") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            # Somebody else's timer goes on, as if it had not been interrupted.
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left - (time.monotonic() - begin)), interval)


class _Stuck(BaseException):  # no Exception, which the module may catch
    """Ends a module's code from the handler of the timer's signal."""


class _Look:
    """Handler of the timer's signal while a module is imported."""

    def __init__(self, now: float) -> None:
        self._last = self._since = now
        self._modules = len(sys.modules)

    def __call__(self, _: int, frame: FrameType | None) -> None:
        now, modules = time.monotonic(), len(sys.modules)
        # Python runs a handler between its own instructions: after a long call of C, or of a busy machine, it is late.
        late = now - self._last > 2 * LOOK_PERIOD
        self._last = now
        if late or modules != self._modules:
            self._since, self._modules = now, modules
        elif now - self._since >= PATIENCE:
            raise _Stuck(f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "an unknown place")
