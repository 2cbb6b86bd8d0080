from __future__ import annotations

from pathlib import Path

import pytest

from drivers.uvc import Camera
from drivers.uvc.source import Source


@pytest.mark.parametrize(
    ("written", "kind", "place"),
    [
        (0, "device", "/dev/video0"),
        ("2", "device", "/dev/video2"),
        ("/dev/v4l/by-id/usb-046d_C920-index0", "device", "/dev/v4l/by-id/usb-046d_C920-index0"),
        ("rtsp://cell/left", "address", "rtsp://cell/left"),
        ("http://127.0.0.1:8554/x.mjpg", "address", "http://127.0.0.1:8554/x.mjpg"),
        (__file__, "recording", __file__),
    ],
)
def test_a_source_is_what_it_looks_like(written: int | str, kind: str, place: str) -> None:
    assert Source.read(written) == Source(kind, place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("rtps://cell/left", r"'rtps://' is not supported.*did you mean 'rtsps?'"),
        ("http:///x", "names no host"),
        ("film.avi", "there is no file 'film.avi'.*by-id"),
    ],
)
def test_what_can_be_no_source_is_refused_before_anything_is_opened(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Source.read(written)
    (problem,) = Camera(source=written).check()
    assert problem.startswith("source: ")


def test_an_address_is_shown_without_its_password() -> None:
    shown = str(Source.read("rtsp://admin:secret@cell:8554/left?channel=1"))
    assert shown == "rtsp://cell:8554/left?channel=1"


def test_impossible_settings_are_refused(tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    film.touch()
    (problem,) = Camera(source=str(film), width=0).check()
    assert problem == "width must be in [1, 16384] px, got 0"
    (problem,) = Camera(source=str(film), patience=0.0).check()
    assert problem == "patience must be in (0, 1e+06) s, got 0.0"
