"""Identity of a camera: model, serial number, sizes of its images, and whether it is virtual."""

from __future__ import annotations

import base64
import http.client
from urllib.parse import urlsplit

from drivers.uvc.source import Source
from drivers.uvc.v4l2 import Card, sizes
from embodied.node.identity import Identity

VIRTUAL = "X-Embodied-Virtual"
"""HTTP header that a virtual camera sends."""

SERIAL = "X-Embodied-Serial"
"""HTTP header with the serial number of a virtual camera."""

TIMEOUT = 2.0
"""Longest wait for the headers of a server [s]."""


def identify(source: Source, size: tuple[int, int]) -> Identity:
    """Return the identity of a camera from its open source.

    Args:
        source: device, address or recording.
        size: width and height of its images [px].
    """
    if source.kind == "recording":
        return Identity(model=f"recording {source}", virtual=True, size=size)
    if source.kind == "device":
        card = Card.of(source.place)
        return Identity(model=card.name or source.place, serial=card.serial, size=size, sizes=sizes(source.place))
    headers = _headers(source.place)
    return Identity(
        model=headers.get("Server") or f"camera at {source}",
        serial=headers.get(SERIAL, ""),
        virtual=VIRTUAL in headers,
        size=size,
    )


def _headers(address: str) -> http.client.HTTPMessage:
    """Return the HTTP headers of a server; none where it speaks no HTTP, or does not answer."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return http.client.HTTPMessage()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT)
    credentials = f"{parts.username}:{parts.password or ''}".encode() if parts.username else b""
    headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"} if credentials else {}
    try:
        connection.request("HEAD", parts.path + (f"?{parts.query}" if parts.query else "") or "/", headers=headers)
        return connection.getresponse().headers
    except (OSError, http.client.HTTPException):
        return http.client.HTTPMessage()
    finally:
        connection.close()
