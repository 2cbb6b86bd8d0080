"""Scan for xArm control boxes: they do not announce themselves, so each given host, and this machine, is queried."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator, Sequence

from drivers.xarm import codec
from drivers.xarm.codec import Frame, Register
from drivers.xarm.hosts import local_socket
from embodied.devices.registry import Found

REPLY_TIMEOUT = 1.0
"""Longest wait for a reply [s]."""


def scan(hosts: Sequence[str]) -> Iterator[Found]:
    """Scan for xArm control boxes: query hosts, and this machine, for the version register."""
    path = local_socket(codec.PORT)
    for host in dict.fromkeys((*hosts, "127.0.0.1")):
        name, _, port = host.partition(":")
        with contextlib.suppress(OSError, ValueError, codec.Broken):
            with socket.create_connection((name, int(port or codec.PORT)), REPLY_TIMEOUT) as channel:
                found = _query(channel, host)
            if found is not None:
                yield found
    if path.exists():
        with contextlib.suppress(OSError, codec.Broken), socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(REPLY_TIMEOUT)
            channel.connect(str(path))
            found = _query(channel, "127.0.0.1")
            if found is not None:
                yield found


def _query(channel: socket.socket, host: str) -> Found | None:
    channel.sendall(Frame(1, 2, Register.VERSION).pack())
    data = b""
    frames: list[Frame] = []
    while not frames:
        part = channel.recv(4096)
        if not part:
            return None
        frames, data = codec.split(data + part)
    version = re.match(r"(\d+),\d+,([^,]+),[^,]+,(v[\d.]+)", frames[0].payload[1:].decode(errors="replace"))
    if version is None:
        return None
    axes, serial, firmware = version.groups()
    name, _, port = host.partition(":")
    settings: dict[str, object] = {"host": name, "serial": serial} | ({"port": int(port)} if port else {})
    return Found(address=host, what=f"xArm {axes}, serial {serial}, {firmware}", settings=settings)
