from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from drivers.uvc import Camera
from drivers.uvc.source import Source, shown


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


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("rtsp://admin:se%23cret@cell/left", "rtsp://cell/left"),
        ("rtsp://admin:se#cret@cell/left", "rtsp://cell/left"),
        ("rtsp://admin:se/cret@cell/left", "rtsp://cell/left"),
        ("rtsp://admin:se?cret@cell/left", "rtsp://cell/left"),
        ("rtsp://admin:s@c:ret@cell/left", "rtsp://cell/left"),
        ("rtsp://admin:s://cret@cell/left", "rtsp://cell/left"),
        ("rtsp://admin:12/34cret@cell/left", "rtsp://cell/left"),
        ("admin:secret@cell/left", "cell/left"),
        ("http://cell/x?user=me&pwd=secret&size=2", "http://cell/x?user=***&pwd=***&size=2"),
        ("http://cell/x?loginpas=secret", "http://cell/x?loginpas=***"),
        ("http://cell:8554/left.mjpg", "http://cell:8554/left.mjpg"),
    ],
)
def test_no_secret_of_an_address_is_shown_whatever_its_letters(address: str, seen: str) -> None:
    assert shown(address) == seen
    assert "cret" not in seen
    try:
        text = str(Source.read(address))
    except ValueError as error:
        text = str(error)
    assert "cret" not in text


@pytest.mark.parametrize(
    "address", ["rtsp://admin:se#cret@cell/left", "rtsp://admin:se/cret@cell", "http://cell:x/left"]
)
def test_a_password_that_would_be_taken_for_a_path_is_refused_with_how_to_write_it(address: str) -> None:
    with pytest.raises(ValueError, match="write %23 for #, %2F for /"):
        Source.read(address)


def test_impossible_settings_are_refused() -> None:
    (problem,) = Camera(source="/dev/video0", width=0).check()
    assert problem == "width must be in [1, 16384] px, got 0"
    (problem,) = Camera(source="/dev/video0", patience=0.0).check()
    assert problem == "patience must be in (0, 1e+06) s, got 0.0"


def test_a_file_in_memory_is_a_recording_and_no_device() -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm", suffix=".mp4") as film:
        assert Source.read(Path(film.name)).kind == "recording"
