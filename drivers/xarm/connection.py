"""Connection to an xArm's control box through the vendor's SDK, which would prefer a socket file to its host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from drivers.xarm import codec
from drivers.xarm.hosts import is_loopback
from drivers.xarm.sdk import connecting, sdk
from embodied.errors import DeviceLost

REPLY_TIMEOUT = 0.1
"""Longest wait for a reply [s]; the box answers within a millisecond or two."""

BOOT = 10.0
"""Longest wait for a box that has just been switched on [s]."""

RETRY = 0.2
"""Pause between two attempts to connect [s]."""

REPLY_TRIES = 10
"""Largest number of requests until one is answered; each waits for `REPLY_TIMEOUT`."""

GONE = (-1, 8)
"""Codes of the SDK for a connection that is gone."""

NO_REPLY = (3, 4, 5, 6, 7)
"""Codes of the SDK for a request without a usable reply."""


def code_and_value(answer: Any) -> tuple[int, Any]:
    """Return the code and the value of an answer of the SDK, which is a code alone where a reply is too short."""
    return (answer[0], answer[1]) if isinstance(answer, tuple | list) else (int(answer), None)


def answered(request: Callable[[], Any]) -> tuple[int, Any]:
    """Repeat a request, which changes nothing, until its reply is usable, and return the code and the value."""
    for _ in range(REPLY_TRIES):
        code, value = code_and_value(request())
        if code not in NO_REPLY:
            break
    return code, value


def connect(host: str, port: int) -> Any:
    """Connect the SDK to a control box, without switching a motor on.

    Args:
        host: address of the box.
        port: port of its control.

    Raises:
        DeviceLost: no box answers at the address.
        MissingExtra: the SDK is not installed.
    """
    api, constants = sdk()
    # Whatever its host, the SDK prefers a socket file in the temporary directory: commands for a real arm would
    # reach a virtual one, or another user's. It is allowed only where exactly that is meant.
    forbid = not (is_loopback(host) and port == codec.PORT)
    pause = threading.Event()
    deadline = time.monotonic() + BOOT
    while True:
        try:
            with connecting(constants, port):
                arm = api(host, is_radian=True, report_type="rich", forbid_uds=forbid, timed_comm=False)
        except Exception as error:
            if time.monotonic() > deadline:
                text = f"no xArm answers at {host}:{port} within {BOOT:.0f} s ({error}); is it on, and on this network?"
                raise DeviceLost(text) from error
            pause.wait(RETRY)
            continue
        arm.set_timeout(REPLY_TIMEOUT)
        return arm


def disconnect(arm: Any) -> None:
    """Disconnect the SDK from a control box within 0.2 s, whatever its threads are doing.

    Args:
        arm: connected arm of the SDK.
    """
    # Its thread for reports ends once the control port counts as disconnected. If the report port is lost first, which
    # is left to chance while both are closed, it sleeps 2 s to connect again, and the SDK would wait a second for it.
    arm._arm._stream._connected = False
    arm._arm._thread_manage.threads.clear()
    arm.disconnect()
