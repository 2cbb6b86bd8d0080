"""Fuzzers of a camera's stream over HTTP: what a server sends to the driver, and what clients ask our own server."""

from __future__ import annotations

import atexit
import queue
import socket
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path

import numpy as np

from drivers.uvc import identity
from drivers.uvc import stream as stream_module
from drivers.uvc.codec import BadPicture, Jpeg, encode
from drivers.uvc.identity import ask, introduced
from drivers.uvc.source import Source
from drivers.uvc.stream import Stream
from drivers.uvc.virtual.mjpeg_server import BOUNDARY, MjpegServer
from embodied.clock import Time
from tests.fuzz.harness import SECONDS_MOST, Kind, temporarily

WIDTH, HEIGHT = 32, 24
"""Size of the pictures [px]."""

COMMENT = 2048
"""Length of the comment in each picture, without which FFmpeg does not know the stream [B]."""

SILENCE = 0.1
"""Time without a picture after which the driver connects again here [s]."""

LATER = Time(10**18)
"""Time on a graph's clock that began long before anything here [ns]."""

numbers = count(1)


def picture(level: int) -> bytes:
    """Return a picture as a camera sends it, unlike all others."""
    return encode(np.full((HEIGHT, WIDTH, 3), level, np.uint8), 90, f"{next(numbers)}".ljust(COMMENT))


def part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


HEAD = (
    "HTTP/1.0 200 OK\r\nServer: a camera\r\n"
    f"Content-Type: multipart/x-mixed-replace; boundary={BOUNDARY}\r\nConnection: close\r\n\r\n"
).encode()


class Server:
    """Server that answers HEAD and GET as it is told."""

    def __init__(self) -> None:
        self.head = HEAD
        self.clients: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.source = Source.read(f"http://127.0.0.1:{self._listener.getsockname()[1]}/x")
        threading.Thread(target=self._accept, name="hostile camera", daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            client.settimeout(SECONDS_MOST)
            try:
                request = client.recv(4096)
                while b"\r\n\r\n" not in request and (more := client.recv(4096)):
                    request += more
                if request.startswith(b"GET"):
                    client.sendall(HEAD)
                    self.clients.put(client)
                    continue
                client.sendall(self.head)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            client.close()


class Watched:
    """Driver's end of a stream whose server sends anything."""

    def __init__(self) -> None:
        self.server = Server()
        self._client: socket.socket | None = None
        maker = threading.Thread(target=self._connect, name="stream")
        maker.start()
        while maker.is_alive():
            self.send(part(picture(9)))
        maker.join()
        atexit.register(self.stream.close)

    def _connect(self) -> None:
        self.stream = Stream(self.server.source, WIDTH, HEIGHT, SECONDS_MOST, SILENCE)

    def send(self, data: bytes) -> bool:
        """Send bytes to the driver; return whether it is connected."""
        try:
            while True:
                newer = self.server.clients.get_nowait()
                if self._client is not None:
                    self._client.close()
                self._client = newer
        except queue.Empty:
            pass
        if self._client is None:
            threading.Event().wait(0.001)
            return False
        try:
            self._client.sendall(data)
            return True
        except OSError:
            self._client.close()
            self._client = None
            return False


@cache
def watched() -> Watched:
    return Watched()


def read_stream(data: bytes, folder: Path) -> str:
    """Receive an input amid a stream; each picture has its size, and a good one that follows is published."""
    with temporarily(stream_module, RETRY=0.002):
        return _read_stream(data)


def _read_stream(data: bytes) -> str:
    one = watched()
    one.send(data)
    end = time.monotonic() + SECONDS_MOST
    level = 40 + next(numbers) % 200
    while time.monotonic() < end:
        one.send(part(picture(level)))
        # The driver's thread has it soon, or not at all.
        for _ in range(20):
            taken = one.stream.take(LATER)
            if taken is not None:
                assert taken.rgb.shape == (HEIGHT, WIDTH, 3)
                if abs(float(taken.rgb.mean()) - level) < 4:
                    return ""
            threading.Event().wait(0.0005)
    raise AssertionError(f"a good picture after it is not published: {one.stream.trouble()}")


def stream_examples() -> list[bytes]:
    one = part(picture(20))
    gap = part(picture(30))[:-900]
    return [one, one + gap, b"--picture\r\nContent-Type: image/jpeg\r\n\r\n" + picture(10) + b"\r\n", b"\r\n"]


def read_head(data: bytes, folder: Path) -> str:
    """Ask a camera that answers an input who it is; what it tells is text that can be shown."""
    server = head_server()
    server.head = data
    with temporarily(identity, TIMEOUT=0.2):
        headers = ask(server.source)
    if headers is None:
        return "it does not answer"
    one = introduced(server.source, (WIDTH, HEIGHT), headers)
    assert str(one).isprintable(), str(one)
    assert len(str(one)) < 1000, len(str(one))
    return ""


@cache
def head_server() -> Server:
    return Server()


def head_examples() -> list[bytes]:
    own = f"HTTP/1.0 200 OK\r\nServer: embodied\r\n{identity.VIRTUAL}: yes\r\n{identity.SERIAL}: overhead\r\n\r\n"
    return [HEAD, own.encode(), b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 3\r\n\r\nnot"]


def read_jpeg(data: bytes, folder: Path) -> str:
    """Check and decode a picture; it is refused, or has the size that it states."""
    try:
        jpeg = Jpeg(data)
        assert Jpeg(jpeg.data).size == jpeg.size
        assert jpeg.pixels().shape == (*jpeg.size[::-1], 3)
    except BadPicture as error:
        return str(error)
    return ""


def jpeg_examples() -> list[bytes]:
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    return [picture(50), encode(noise, 50), picture(90) + bytes(100)]


class Viewers:
    """Server of our own, with a good client."""

    def __init__(self) -> None:
        self.server = MjpegServer("127.0.0.1", 0, "/x.mjpg", {"Server": "a camera"})
        host, port = self.server._listener.getsockname()[:2]
        self.connect: Callable[[], socket.socket] = partial(socket.create_connection, (host, port), SECONDS_MOST)
        self.good = self.connect()
        self.good.sendall(b"GET /x.mjpg HTTP/1.0\r\n\r\n")
        while b"\r\n\r\n" not in self.good.recv(65536):
            pass


@cache
def viewers() -> Viewers:
    return Viewers()


def read_request(data: bytes, folder: Path) -> str:
    """Send an input to our server; it answers 200 or 404 or hangs up, and a good client gets the next picture."""
    one = viewers()
    with one.connect() as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(65536)
        except OSError:
            answer = b""
        assert answer == b"" or answer.startswith((b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 404 Not Found\r\n")), answer
    mark = b"picture %d" % next(numbers)
    one.server.send(mark)
    received = b""
    while mark + b"\r\n" not in received:
        more = one.good.recv(65536)
        assert more, "a good client is disconnected"
        received += more
    return ""


def request_examples() -> list[bytes]:
    return [
        b"GET /x.mjpg HTTP/1.0\r\nHost: a\r\n\r\n",
        b"HEAD /x.mjpg HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.0\r\n\r\n",
    ]


WORDS = (
    *(b"\r\n", b"\r\n\r\n", b"--picture", b"--picture--", b"Content-Length: 99999999999", b"Content-Length: -1"),
    *(b"Content-Type: ", b"image/jpeg", b"Transfer-Encoding: chunked\r\n", b"\xff\xd8", b"\xff\xd9", b"\xff\xda"),
    *(b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03", b"\xff\xc2", b"\xff\xdd\x00\x04\xff\xff", b"HTTP/1.1 ", b"Server: "),
    *(b"Location: http://127.0.0.1:1/\r\n", b"\x1b[2J", b"GET ", b"/x.mjpg", b"..", b"\0", b"boundary="),
)

MODULES = ("drivers.uvc",)

STREAM = Kind("stream", stream_examples, WORDS, read_stream, MODULES)

HTTP_HEAD = Kind("headers", head_examples, WORDS, read_head, (*MODULES, "http.client"))

JPEG = Kind("jpeg", jpeg_examples, WORDS, read_jpeg, MODULES)

REQUEST = Kind("viewer", request_examples, WORDS, read_request, MODULES)
