"""Endpoint of a machine: the address at which the others reach it, `tcp://host:port`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

MACHINE_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""Pattern of a machine's name."""

_ENDPOINT = re.compile(r"tcp://(\[(?P<six>[^\]]*)\]|(?P<host>[^\[\]:/]*)):(?P<port>\d{1,5})")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Network address of one machine.

    Attributes:
        host: IP address, or a name that is resolved as IPv4.
        port: TCP port, 1 to 65535.
    """

    host: str
    port: int

    @classmethod
    def of(cls, written: object) -> Endpoint:
        """Parse an endpoint as people write it: `tcp://192.168.1.10:7447`, `tcp://[fd00::10]:7447`.

        Raises:
            ValueError: it is not an endpoint that other machines can reach; the message names what is expected.
        """
        match = _ENDPOINT.fullmatch(written) if isinstance(written, str) else None
        port = 0 if match is None else int(match["port"])
        host = None if match is None else _host(match["six"], match["host"])
        if host is None or not 1 <= port <= 65535:
            raise ValueError(f"expected an endpoint, such as tcp://192.168.1.10:7447, got {written!r}")
        return cls(host, port)

    @property
    def is_ipv6(self) -> bool:
        """Whether the host is an IPv6 address."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"tcp://[{self.host}]:{self.port}" if self.is_ipv6 else f"tcp://{self.host}:{self.port}"


def _host(six: str | None, host: str | None) -> str | None:
    """Normalize a host; None for one that no other machine can reach."""
    name = "" if host is None else host.lower()
    try:
        if six is None and not _NUMBER.fullmatch(name):
            return name if len(name) <= 253 and _NAME.fullmatch(name) else None
        # What ends in a number is read as an address, or 192.168.1 would quietly be 192.168.0.1.
        address = ipaddress.IPv4Address(name) if six is None else ipaddress.IPv6Address(six)
    except ValueError:
        return None
    everyone = address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255"
    # A zone such as %eth0 means something on one machine alone.
    return None if everyone or "%" in str(address) else str(address)
