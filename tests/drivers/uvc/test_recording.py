"""Recordings: given at their own pace, once, and the same every time."""

from __future__ import annotations

import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.uvc import Camera
from drivers.uvc.driver import CameraOutput
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, WrongDevice
from embodied.graph.graph import Graph
from embodied.runtime.lifecycle import meet
from embodied.runtime.lockstep import Lockstep

COUNT = 12
"""Number of pictures of the recording."""

RATE = 20
"""Rate of the recording [Hz]."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ever brighter pictures with a red corner."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (64, 48))
    for number in range(COUNT):
        picture = np.full((48, 64, 3), 20 * number, np.uint8)
        picture[:16, :16] = (0, 0, 255)  # red, as OpenCV has it
        writer.write(picture)
    writer.release()
    return path


def camera(film: Path, **settings: object) -> Camera:
    return Camera(**{"source": str(film), "width": 64, "height": 48, **settings})  # type: ignore[arg-type]


def played(camera: Camera, ticks: int, rate: int = 60) -> list[tuple[Time, CameraOutput]]:
    camera.open()
    try:
        times = [Time(SECOND + n * SECOND // rate) for n in range(ticks)]
        return [(now, camera.step(now)) for now in times]
    finally:
        camera.close()


def number(output: CameraOutput) -> int:
    assert output.rgb is not None
    return round(float(output.rgb.data[24:, 24:].mean()) / 20)


def test_each_picture_is_given_once_when_its_time_stamp_says(film: Path) -> None:
    given = [(now, output) for now, output in played(camera(film), 36) if output.rgb is not None]
    assert [number(output) for _, output in given] == list(range(COUNT))
    for n, (now, output) in enumerate(given):
        assert output.rgb is not None
        assert output.rgb.acquired == SECOND + n * SECOND // RATE
        assert output.rgb.acquired <= now < output.rgb.acquired + SECOND // 60 + 1


def test_red_is_red(film: Path) -> None:
    _, output = played(camera(film), 1)[0]
    assert output.rgb is not None
    red, green, blue = output.rgb.data[4, 4]
    assert red > 200 > 60 > max(green, blue)


def test_who_looks_rarely_gets_the_newest_and_not_the_next(film: Path) -> None:
    given = [number(output) for _, output in played(camera(film), 4, rate=5)]
    assert given == [0, 4, 8, 11]


def test_at_its_end_it_is_lost_and_says_how_to_go_on(film: Path) -> None:
    with pytest.raises(DeviceLost, match=rf"film.avi has ended after {COUNT} pictures; 'loop: true'"):
        played(camera(film), 60)


def test_a_loop_goes_on_and_its_time_never_runs_backwards(film: Path) -> None:
    given = [output for _, output in played(camera(film, loop=True), 120) if output.rgb is not None]
    assert [number(output) for output in given] == [n % COUNT for n in range(40)]
    acquired = [output.rgb.acquired for output in given if output.rgb is not None]
    assert all(b - a == SECOND // RATE for a, b in pairwise(acquired))


def test_in_lockstep_it_is_the_same_every_time(film: Path) -> None:
    def digest() -> str:
        with Lockstep(Graph().add("camera", camera(film)).check()) as run:
            run.advance(Time(SECOND // 2))
            return run.digest

    assert digest() == digest()


def test_a_recording_is_virtual_and_one_of_another_size_is_the_wrong_camera(film: Path) -> None:
    node = camera(film, width=640, height=480)
    node.open()
    try:
        assert node.identify().virtual
        with pytest.raises(WrongDevice, match="its images are 64×48, and the launch file wants 640×480"):
            meet("camera", node)
    finally:
        node.close()


def test_what_cannot_be_played_is_said_by_check_with_its_codec_and_what_to_do(film: Path, tmp_path: Path) -> None:
    assert not list(camera(film).check())
    (problem,) = camera(film, width=640).check()
    assert problem == f"width and height must be 64 and 48 as in {film}, got 640 and 48"
    text = tmp_path / "notes.avi"
    text.write_text("no film", encoding="utf-8")
    (problem,) = camera(text).check()
    assert "it is no video that FFmpeg knows; convert it" in problem


AV1_EPISODE = """
import sys

import av
import numpy as np

with av.open(sys.argv[1], "w") as container:
    stream = container.add_stream("libsvtav1", rate=30)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    for level in range(8):
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 * level, np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
"""


def test_a_recording_in_av1_is_played_or_named_with_its_remedy(tmp_path: Path) -> None:
    pytest.importorskip("av")
    path = tmp_path / "episode.mp4"
    # As root this encoder gives the thread that calls it real-time priority over everything on the machine.
    subprocess.run([sys.executable, "-c", AV1_EPISODE, str(path)], check=True, timeout=60)
    problems = list(camera(path, width=64, height=64).check())
    if problems:
        (problem,) = problems
        assert "'av01' (AV1, the default of LeRobot's recordings), which OpenCV cannot decode here" in problem
        assert "ffmpeg -i FILE -c:v libx264" in problem


def test_a_file_without_pictures_is_lost_at_once(tmp_path: Path) -> None:
    text = tmp_path / "notes.avi"
    text.write_text("no film", encoding="utf-8")
    with pytest.raises(DeviceLost, match=r"notes.avi holds no picture"):
        camera(text).open()


@pytest.mark.parametrize("rate", [0, 1, 4_000_000_000])
def test_a_recording_whose_rate_no_camera_has_is_played_in_bounded_time(film: Path, tmp_path: Path, rate: int) -> None:
    data = bytearray(film.read_bytes())
    at = data.index(b"strh") + 28
    data[at : at + 8] = struct.pack("<II", 1 if rate else 0, rate)
    (tmp_path / "odd.avi").write_bytes(data)
    given = [output.rgb.acquired for _, output in played(camera(tmp_path / "odd.avi", loop=True), 30) if output.rgb]
    assert given
    assert all(b > a for a, b in pairwise(given))
