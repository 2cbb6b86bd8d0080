"""Streams: the newest picture, whatever the link does."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.uvc import Camera, identity
from drivers.uvc.codec import encode
from drivers.uvc.driver import CameraOutput
from drivers.uvc.source import Source
from drivers.uvc.virtual import mjpeg_server
from drivers.uvc.virtual.device import PROBE
from drivers.uvc.virtual.mjpeg_server import MjpegServer
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, NoDevice, WrongDevice
from embodied.runtime.lifecycle import meet
from embodied.testing.serving import pause

LATER = Time(100 * SECOND)
"""On a graph's clock that began long before anything here."""


def grey(level: int, width: int = 64, height: int = 48) -> bytes:
    return encode(np.full((height, width, 3), level, np.uint8), 90, " " * PROBE)


@contextmanager
def serving() -> Iterator[MjpegServer]:
    server = MjpegServer("127.0.0.1", 0, "/x.mjpg", {"Server": "a camera"})
    server.send(grey(0))
    try:
        yield server
    finally:
        server.close()


@contextmanager
def opened(source: str, **settings: object) -> Iterator[Camera]:
    camera = Camera(**{"source": source, "width": 64, "height": 48, **settings})  # type: ignore[arg-type]
    camera.open()
    try:
        yield camera
    finally:
        camera.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not happen within 20 s"
        pause(0.005)


def rejected(camera: Camera) -> int:
    return camera._feed.rejected


def level(output: CameraOutput) -> int | None:
    return None if output.rgb is None else round(float(output.rgb.data.mean()))


def test_whoever_looks_late_gets_the_newest_picture_and_no_older_one_after_it() -> None:
    with serving() as server, opened(server.address) as camera:
        for number in range(1, 40):
            server.send(grey(5 * number))
        # When this one is refused, those before it have come.
        server.send(grey(0)[:-9])
        until(lambda: rejected(camera) == 1)
        assert level(camera.step(LATER)) == 195
        assert camera.step(Time(LATER + 1)).rgb is None


def test_a_picture_is_acquired_when_it_came_and_not_when_it_is_asked_for() -> None:
    with serving() as server, opened(server.address) as camera:
        pause(0.25)
        image = camera.step(LATER).rgb
        assert image is not None
        assert image.acquired <= LATER - SECOND // 4


def test_a_picture_from_before_the_graphs_clock_began_is_not_given() -> None:
    with serving() as server, opened(server.address) as camera:
        pause(0.01)
        assert camera.step(Time(0)).rgb is None


def test_time_never_runs_backwards_though_steps_come_late() -> None:
    with serving() as server, opened(server.address) as camera:
        first = camera.step(LATER).rgb
        server.send(grey(50))
        server.send(grey(0)[:-9])
        until(lambda: rejected(camera) == 1)
        second = camera.step(Time(LATER + 1)).rgb
        assert first is not None
        assert second is not None
        assert first.acquired < second.acquired <= LATER + 1


def test_a_picture_that_comes_again_and_one_of_another_size_are_rejected() -> None:
    with serving() as server, opened(server.address) as camera:
        assert camera.step(LATER).status.rejected == 0
        server.send(grey(0))
        until(lambda: rejected(camera) == 1)
        server.send(grey(90, width=32))
        until(lambda: rejected(camera) == 2)
        output = camera.step(Time(LATER + 1))
        assert output.rgb is None
        assert output.status.rejected == 2


def test_the_error_of_a_frozen_camera_says_that_it_repeats_itself() -> None:
    with serving() as server, opened(server.address) as camera:
        camera.step(LATER)
        server.send(grey(0))
        until(lambda: rejected(camera) == 1)
        with pytest.raises(DeviceLost, match=r"no new picture from http.* for 1 s: it sends the same picture again"):
            camera.step(Time(LATER + 2 * SECOND))


def test_a_link_that_breaks_is_made_anew() -> None:
    with serving() as server, opened(server.address) as camera:
        camera.step(LATER)
        server.unplug()
        server.plug()
        server.send(grey(120))
        found: list[CameraOutput] = []

        def seen() -> bool:
            found.append(camera.step(Time(LATER + len(found) + 1)))
            return found[-1].rgb is not None

        until(seen)
        assert level(found[-1]) == 120


def test_another_camera_that_answers_after_the_link_broke_is_not_read() -> None:
    with serving() as server, opened(server.address) as camera:
        camera.identify()
        camera.step(LATER)
        server.introduce({"Server": "a camera", "X-Embodied-Serial": "RIGHT-2"})
        server.send(grey(120))
        until(lambda: "RIGHT-2" in camera._feed.trouble())
        assert camera.step(Time(LATER + 1)).rgb is None
        with pytest.raises(
            DeviceLost, match=r"another camera answers: it is a camera, serial RIGHT-2, and was a camera"
        ):
            camera.step(Time(LATER + 3 * SECOND))
        server.introduce({"Server": "a camera"})
        server.send(grey(60))
        found: list[int | None] = []

        def seen() -> bool:
            found.append(level(camera.step(Time(LATER + 3 * SECOND + 1 + len(found)))))
            return found[-1] is not None

        until(seen)
        assert found[-1] == 60, "the first one is read again"


def test_a_server_that_accepts_and_says_nothing_is_given_up_within_the_patience() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = "http://{}:{}/x".format(*mute.getsockname())
        with pytest.raises(DeviceLost, match=r"no picture from .* within 0.2 s: it does not answer"):
            Camera(source=address, patience=0.2).open()


def test_a_mute_camera_keeps_no_other_one_from_being_opened() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, serving() as server:
        thread = threading.Thread(target=_fails, args=("http://{}:{}/x".format(*mute.getsockname()),))
        thread.start()
        try:
            with mute.accept()[0]:  # it is asked, and does not answer
                with opened(server.address, patience=1.0) as camera:
                    assert camera.step(LATER).rgb is not None
                assert thread.is_alive(), "the other one was still waited for"
        finally:
            thread.join()


def _fails(address: str) -> None:
    with suppress(DeviceLost):
        Camera(source=address, patience=2.5).open()


def test_another_size_than_the_launch_file_wants_is_the_wrong_camera() -> None:
    with serving() as server, opened(server.address, width=640, height=480) as camera:
        with pytest.raises(WrongDevice, match=r"a camera.*\n.*its images are 64×48, and the launch file wants 640×480"):
            meet("camera", camera)
        assert not camera.identify().virtual


def film(folder: Path) -> Path:
    """Red pictures that do not stand alone, with a strip of noise."""
    path = folder / "film.ts"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(60):
        picture = np.full((48, 64, 3), (0, 0, 250), np.uint8)
        picture[:12] = rng.integers(0, 255, (12, 64, 3))
        writer.write(picture)
    writer.release()
    return path


def half(data: bytes, listener: socket.socket) -> None:
    """Give those who ask first whether it is there, what it is, and then for it, half of it; nobody anything more."""
    clients = []
    with suppress(OSError):
        while True:
            clients.append(listener.accept()[0])
            if len(clients) <= 3:
                clients[-1].recv(65536)
                clients[-1].sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
                clients[-1].sendall(data[: len(data) // 2])
    for client in clients:
        client.close()


def test_what_a_decoder_kept_back_when_its_stream_fell_silent_is_not_given_as_new(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=half, args=(film(tmp_path).read_bytes(), listener))
        thread.start()
        try:
            address = "http://{}:{}/film.ts".format(*listener.getsockname())
            with opened(address, patience=2.0) as camera:
                # A second of silence, and then two in which nobody answers, lie behind it.
                until(lambda: camera._feed.trouble() == "it does not answer")
                image = camera.step(LATER).rgb
                assert image is not None
                assert image.acquired < LATER - 2.9 * SECOND
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_stream_that_is_not_jpeg_is_decoded_by_opencv_and_red_is_red(tmp_path: Path) -> None:
    film(tmp_path)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with opened(f"http://127.0.0.1:{server.server_port}/film.ts") as camera:
                image = camera.step(LATER).rgb
        finally:
            server.shutdown()
            thread.join()
    assert image is not None
    red, green, blue = image.data[24:].reshape(-1, 3).mean(axis=0)
    assert red > 200 > 50 > max(green, blue)


def test_a_camera_that_is_not_there_is_said_with_where_to_look() -> None:
    with pytest.raises(NoDevice, match=r"(?s)there is no camera /dev/video-none.*driver scan uvc"):
        Camera(source="/dev/video-none").open()


def test_a_server_that_sends_its_headers_byte_by_byte_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "TIMEOUT", 0.2)
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def trickle() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            while not done.wait(0.02):
                client.sendall(b"H")

    thread = threading.Thread(target=trickle)
    thread.start()
    began = time.monotonic()
    assert identity.ask(Source.read(f"http://127.0.0.1:{listener.getsockname()[1]}/x")) is None
    assert time.monotonic() - began < 2.0
    done.set()
    thread.join()
    listener.close()


def test_a_client_beyond_the_most_is_hung_up_on_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mjpeg_server, "CLIENTS_MOST", 1)
    with serving() as server, opened(server.address) as camera:
        where = server._listener.getsockname()[:2]
        with socket.create_connection(where, 5.0) as further:
            assert further.recv(1) == b""
        server.send(grey(150))
        until(lambda: level(camera.step(LATER)) == 150)
