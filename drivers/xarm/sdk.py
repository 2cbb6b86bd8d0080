"""Import of the xArm vendor's SDK, without its side effects on the process: prints, and a time-out for every socket."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
from collections.abc import Iterator
from typing import Any

from embodied.errors import MissingExtra


def sdk() -> tuple[Any, Any]:
    """Import the xArm SDK, and return its class and its constants.

    Raises:
        MissingExtra: the SDK is not installed.
    """
    try:
        # It prints its version when it is imported.
        with contextlib.redirect_stdout(io.StringIO()):
            from xarm.core.config.x_config import XCONF
            from xarm.core.wrapper import uxbus_cmd_tcp
            from xarm.wrapper import XArmAPI
            from xarm.x3 import base
    except ImportError as error:
        raise MissingExtra("xarm-python-sdk", "xarm", "the xArm") from error
    # Its threads print at any time, into the output of the process.
    for module in (uxbus_cmd_tcp, base):
        module.print = _log
    return XArmAPI, XCONF


def _log(*words: object) -> None:
    logging.getLogger("xarm").info(" ".join(map(str, words)))


@contextlib.contextmanager
def connecting(constants: Any, port: int) -> Iterator[None]:
    """Set the xArm SDK's control port, a constant of it, and undo the time-out that it sets for all sockets."""
    before, timeout = constants.SocketConf.TCP_CONTROL_PORT, socket.getdefaulttimeout()
    constants.SocketConf.TCP_CONTROL_PORT = port
    try:
        yield
    finally:
        constants.SocketConf.TCP_CONTROL_PORT = before
        socket.setdefaulttimeout(timeout)
