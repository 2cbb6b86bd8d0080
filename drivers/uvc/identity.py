"""What stands on a camera: model and serial number, and whether it is one at all."""

from __future__ import annotations

import base64
import http.client
from urllib.parse import urlsplit

from drivers.uvc.source import Source
from drivers.uvc.v4l2 import Card, sizes
from embodied.node.identity import Identity

VIRTUAL, SERIAL = "X-Embodied-Virtual", "X-Embodied-Serial"
"""Headers by which the far side of this folder says that no camera is behind it, and which one it would be."""

PATIENCE = 2.0
"""So long is a server asked who it is [s]."""


def identify(source: Source, size: tuple[int, int]) -> Identity:
    """What a source that is open says of itself.

    Args:
        source: which.
        size: of the images that it gives [px].
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
    """With what a server introduces itself; nothing where it does not speak HTTP, or does not want to."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return http.client.HTTPMessage()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=PATIENCE)
    secret = f"{parts.username}:{parts.password or ''}".encode() if parts.username else b""
    allowed = {"Authorization": f"Basic {base64.b64encode(secret).decode()}"} if secret else {}
    try:
        connection.request("HEAD", parts.path + (f"?{parts.query}" if parts.query else "") or "/", headers=allowed)
        return connection.getresponse().headers
    except (OSError, http.client.HTTPException):
        return http.client.HTTPMessage()
    finally:
        connection.close()
