"""Addresses of xArm control boxes: which are on this machine, and the socket file that the vendor's SDK tries first."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path


def local_socket(port: int) -> Path:
    """Return the socket file that the xArm SDK tries before it connects to its host; the path is fixed in the SDK."""
    return Path("/tmp", f"xarmcontroller_uds_{port}")


def is_loopback(host: str) -> bool:
    """Return whether the address of a control box is always this machine."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def numeric(host: str) -> str:
    """Return the IPv4 address of a supported host, so that two spellings of one box are one."""
    return "127.0.0.1" if host == "localhost" else host


def is_supported(host: str) -> bool:
    """Return whether the xArm SDK accepts an address of a control box: IPv4, or localhost."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).version == 4
    return host == "localhost"
