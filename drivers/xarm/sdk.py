"""The vendor's SDK, and what it must not do to the process that it is in."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
from collections.abc import Iterator
from typing import Any

from embodied.errors import MissingExtra


def sdk() -> tuple[Any, Any]:
    """The SDK's class, and its constants.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        # It says its version to whoever imports it.
        with contextlib.redirect_stdout(io.StringIO()):
            from xarm.core.config.x_config import XCONF
            from xarm.core.wrapper import uxbus_cmd_tcp
            from xarm.wrapper import XArmAPI
            from xarm.x3 import base
    except ImportError as error:
        raise MissingExtra("xarm-python-sdk", "xarm", "the xArm") from error
    # It prints from threads of its own, at any time, into whatever its user prints.
    for module in (uxbus_cmd_tcp, base):
        module.print = _log
    return XArmAPI, XCONF


def _log(*words: object) -> None:
    logging.getLogger("xarm").info(" ".join(map(str, words)))


@contextlib.contextmanager
def connecting(constants: Any, port: int) -> Iterator[None]:
    """While it connects: the control port is a constant of it, and it sets a time-out for everyone's sockets."""
    before, timeout = constants.SocketConf.TCP_CONTROL_PORT, socket.getdefaulttimeout()
    constants.SocketConf.TCP_CONTROL_PORT = port
    try:
        yield
    finally:
        constants.SocketConf.TCP_CONTROL_PORT = before
        socket.setdefaulttimeout(timeout)
