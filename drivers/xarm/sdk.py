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
            from xarm.core.comm import socket_port
            from xarm.core.config.x_config import XCONF
            from xarm.core.wrapper import uxbus_cmd_tcp
            from xarm.wrapper import XArmAPI
            from xarm.x3 import base
    except ImportError as error:
        raise MissingExtra("xarm-python-sdk", "xarm", "the xArm") from error
    # Its threads print at any time, into the output of the process.
    for module in (uxbus_cmd_tcp, base):
        module.print = _log
    # Each of its connections, and its threads make new ones at any time, sets a timeout for every socket that this
    # process makes later; it sets that of its own sockets besides.
    socket_port.socket = _SocketModule()
    return XArmAPI, XCONF


class _SocketModule:
    """Module `socket` as the SDK sees it, without the default timeout of the whole process."""

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def setdefaulttimeout(self, timeout: float | None) -> None:
        """Leave the timeout of the sockets of others as it is."""


def _log(*words: object) -> None:
    logging.getLogger("xarm").info(" ".join(map(str, words)))


@contextlib.contextmanager
def connecting(constants: Any, port: int) -> Iterator[None]:
    """Set the xArm SDK's control port, a constant of it, while a connection is made."""
    before = constants.SocketConf.TCP_CONTROL_PORT
    constants.SocketConf.TCP_CONTROL_PORT = port
    try:
        yield
    finally:
        constants.SocketConf.TCP_CONTROL_PORT = before
