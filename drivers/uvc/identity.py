"""Identity of a camera: model, serial number, sizes of its images, and whether it is virtual."""

from __future__ import annotations

import base64
import http.client
import io
import socket
import time
from email.message import Message
from urllib.parse import SplitResult, unquote, urlsplit

from drivers.uvc.source import Source, shown
from drivers.uvc.v4l2 import Card, sizes
from embodied.node.identity import Identity

VIRTUAL = "X-Embodied-Virtual"
"""HTTP header that a virtual camera sends."""

SERIAL = "X-Embodied-Serial"
"""HTTP header with the serial number of a virtual camera."""

TIMEOUT = 2.0
"""Longest wait for the whole headers of a server [s]."""

HEADERS_MOST = 1 << 16
"""Size of the headers of a server that are read [B]."""

PORTS = {"rtsp": 554, "rtsps": 322}
"""Ports of the schemes that are not HTTP."""


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
    return introduced(source, size, ask(source) or Message())


def introduced(source: Source, size: tuple[int, int], headers: Message) -> Identity:
    """Return the identity of a camera at an address by the headers with which its server answers.

    Args:
        source: its address.
        size: width and height of its images [px].
        headers: headers of its server; empty where it has none.
    """
    return Identity(
        model=headers.get("Server") or _unknown(source),
        serial=headers.get(SERIAL, ""),
        virtual=VIRTUAL in headers,
        size=size,
    )


def is_known(identity: Identity, source: Source) -> bool:
    """Return whether a camera has reported anything of itself, by which it can be recognised."""
    return bool(identity.serial) or identity.model not in (_unknown(source), source.place)


def _unknown(source: Source) -> str:
    return f"camera at {source}"


def changed(now: Identity, before: Identity) -> str:
    """Return how a camera differs from the one that was connected before, as a sentence; empty if it is the same."""
    if (now.model, now.serial, now.virtual) == (before.model, before.serial, before.virtual):
        return ""
    return f"another camera answers: it is {now}, and was {before}"


def ask(source: Source) -> Message | None:
    """Return the headers with which the server at an address answers; empty for none, None if nobody answers in time.

    OpenCV opens one camera at a time in a process. A server that accepts a connection and sends nothing would keep all
    others from being opened, so it is asked first.
    """
    parts = urlsplit(source.place)
    if parts.hostname is None:
        return None
    try:
        if parts.scheme in ("http", "https"):
            return _http_headers(parts, parts.hostname)
        with socket.create_connection((parts.hostname, parts.port or PORTS[parts.scheme]), TIMEOUT) as connection:
            if parts.scheme == "rtsp":
                connection.sendall(f"OPTIONS {shown(source.place)} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
                connection.recv(1)
        return Message()
    except OSError:
        return None


def _http_headers(parts: SplitResult, host: str) -> Message:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, parts.port, timeout=TIMEOUT)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode() if parts.username else b""
    headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"} if credentials else {}
    try:
        connection.request("HEAD", parts.path + (f"?{parts.query}" if parts.query else "") or "/", headers=headers)
        response = http.client.HTTPResponse(_Received(connection.sock), method="HEAD")  # type: ignore[arg-type]
        response.begin()
        return response.headers
    except http.client.HTTPException:  # it answers, and knows no HEAD
        return Message()
    finally:
        connection.close()


class _Received:
    """Headers that a server has sent, as `http.client` reads them, whose own timeout is one for each byte.

    Args:
        connection: connection on which they come, within `TIMEOUT`.

    Raises:
        OSError: they do not come in time.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._data = b""
        deadline = time.monotonic() + TIMEOUT
        while b"\r\n\r\n" not in self._data and b"\n\n" not in self._data and len(self._data) < HEADERS_MOST:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError(f"no headers within {TIMEOUT:g} s")
            connection.settimeout(left)
            if not (data := connection.recv(4096)):
                break
            self._data += data

    def makefile(self, _: str) -> io.BytesIO:
        """Return a stream of them."""
        return io.BytesIO(self._data)
