"""Fuzzer of recordings: video files as `check` of a camera reads them, and as they are played."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np

from drivers.uvc import Camera
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost
from tests.fuzz.harness import Kind

WIDTH, HEIGHT = 32, 32
"""Size of the pictures [px]."""

FILMS = {"avi": "MJPG", "mp4": "mp4v"}
"""Codec of an example, by the end of its file's name."""


def read(data: bytes, folder: Path) -> str:
    """Check a recording; if it is taken, it is played, in a loop too, and its times never run backwards."""
    path = folder / "film.mp4"
    path.write_bytes(data)
    camera = Camera(source=path, width=WIDTH, height=HEIGHT, loop=True)
    if problems := list(camera.check()):
        return "\n".join(problems)
    last = -1
    try:
        camera.open()
        for step in range(8):
            output = camera.step(Time(SECOND + step * SECOND // 8))
            if output.rgb is not None:
                assert output.rgb.data.shape == (HEIGHT, WIDTH, 3)
                assert output.rgb.acquired > last
                last = output.rgb.acquired
    except DeviceLost as error:
        return str(error)
    finally:
        camera.close()
    return ""


def examples() -> list[bytes]:
    films = []
    with tempfile.TemporaryDirectory() as folder:
        for end, codec in FILMS.items():
            path = Path(folder, f"film.{end}")
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 20, (WIDTH, HEIGHT))
            for level in range(6):
                writer.write(np.full((HEIGHT, WIDTH, 3), 40 * level, np.uint8))
            writer.release()
            films.append(path.read_bytes())
    return films


KIND = Kind(
    name="film",
    examples=examples,
    words=(
        *(b"moov", b"mdat", b"trak", b"mvhd", b"mdhd", b"stts", b"stsz", b"stco", b"elst", b"ftyp", b"tkhd", b"stsd"),
        *(
            b"RIFF",
            b"AVI ",
            b"LIST",
            b"movi",
            b"idx1",
            b"strf",
            b"strh",
            b"vids",
            b"MJPG",
            b"00dc",
            b"\xff\xff\xff\xff",
        ),
        *(b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01", b"#EXTM3U\n", b"ffconcat version 1.0\n"),
    ),
    read=read,
    modules=("drivers.uvc",),
)
