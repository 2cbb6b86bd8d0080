"""Looks for control boxes: they do not announce themselves, so each host that is named is asked."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator, Sequence

from drivers.xarm import codec
from drivers.xarm.codec import Frame, Register
from drivers.xarm.hosts import local_socket
from embodied.devices.registry import Found

ANSWER = 1.0  # [s]


def scan(hosts: Sequence[str]) -> Iterator[Found]:
    """Ask hosts, and this machine, for the version that every control box says."""
    path = local_socket(codec.PORT)
    for host in dict.fromkeys((*hosts, "127.0.0.1")):
        name, _, port = host.partition(":")
        with contextlib.suppress(OSError, ValueError, codec.Broken):
            with socket.create_connection((name, int(port or codec.PORT)), ANSWER) as channel:
                found = _ask(channel, host)
            if found is not None:
                yield found
    if path.exists():
        with contextlib.suppress(OSError, codec.Broken), socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(ANSWER)
            channel.connect(str(path))
            found = _ask(channel, "127.0.0.1")
            if found is not None:
                yield found


def _ask(channel: socket.socket, host: str) -> Found | None:
    channel.sendall(Frame(1, 2, Register.VERSION).pack())
    data = b""
    frames: list[Frame] = []
    while not frames:
        part = channel.recv(4096)
        if not part:
            return None
        frames, data = codec.split(data + part)
    said = re.match(r"(\d+),\d+,([^,]+),[^,]+,(v[\d.]+)", frames[0].payload[1:].decode(errors="replace"))
    if said is None:
        return None
    axes, serial, firmware = said.groups()
    name, _, port = host.partition(":")
    settings: dict[str, object] = {"host": name, "serial": serial} | ({"port": int(port)} if port else {})
    return Found(address=host, what=f"xArm {axes}, serial {serial}, {firmware}", settings=settings)
