"""Scan for cameras: those of this machine by V4L2, and virtual cameras, which tell their address over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from drivers.uvc.identity import SERIAL, VIRTUAL
from drivers.uvc.v4l2 import local_cameras
from embodied.devices.registry import Found

PORT = 8554
"""Port at which a virtual camera is served, unless its setting is another one."""

REPLY_TIMEOUT = 1.0
"""Longest wait for a reply [s]."""


def scan(hosts: Sequence[str]) -> Iterator[Found]:
    """Scan for cameras of this machine, and for virtual ones here and at the given hosts, `HOST` or `HOST:PORT`."""
    yield from local_cameras()
    for host in dict.fromkeys((*hosts, "127.0.0.1")):
        with suppress(OSError, ValueError, http.client.HTTPException):
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname, parts.port or PORT
            if name and not parts.path:
                yield from _virtual_camera(name, port)


def _virtual_camera(name: str, port: int) -> Iterator[Found]:
    connection = http.client.HTTPConnection(name, port, timeout=REPLY_TIMEOUT)
    try:
        connection.request("HEAD", "/")
        headers = connection.getresponse().headers
    finally:
        connection.close()
    path = headers.get("Content-Location", "")
    if VIRTUAL in headers and path:
        address, serial = f"http://{connection.host}:{port}{path}", headers.get(SERIAL, "")
        what = f"{headers.get('Server', 'virtual camera')}, serial {serial}"
        yield Found(address=address, what=what, settings={"source": address, "serial": serial})
