"""Addresses of control boxes: which are on this machine, and where the vendor's SDK looks before it looks there."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path


def local_socket(port: int) -> Path:
    """The socket file that the SDK looks for, at a place that is written into it, before it looks at its host."""
    return Path("/tmp", f"xarmcontroller_uds_{port}")


def loopback(host: str) -> bool:
    """Whether a host is this machine, and cannot be another."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def takes(host: str) -> bool:
    """Whether the SDK takes it for a host."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).version == 4
    return host == "localhost"
