"""Cameras of Linux, from a system's folders and the answers to ioctls."""

from __future__ import annotations

import errno
from pathlib import Path

from drivers.uvc.v4l2 import ENUM_FORMATS, ENUM_SIZES, FORMAT, SIZE, Card, list_sizes, local_cameras


def system(root: Path) -> tuple[Path, Path]:
    """Folders as the kernel and udev make them for one camera with two nodes, on USB."""
    usb = root / "devices/usb1/1-2"
    interface = usb / "1-2:1.0"
    for number in (0, 1):
        entry = interface / f"video4linux/video{number}"
        entry.mkdir(parents=True)
        (entry / "name").write_text("HD Pro Webcam C920\n", encoding="utf-8")
        (entry / "index").write_text(f"{number}\n", encoding="utf-8")
        (entry / "device").symlink_to(interface)
    (usb / "serial").write_text("A1B2C3\n", encoding="utf-8")
    listed_in = root / "class/video4linux"
    listed_in.mkdir(parents=True)
    devices = root / "dev"
    named = devices / "v4l/by-id"
    named.mkdir(parents=True)
    for number in (0, 1):
        (listed_in / f"video{number}").symlink_to(interface / f"video4linux/video{number}")
        (devices / f"video{number}").touch()
        (named / f"usb-046d_C920_A1B2C3-video-index{number}").symlink_to(devices / f"video{number}")
    return listed_in, devices


def test_a_camera_has_the_name_the_serial_number_and_the_path_that_stays(tmp_path: Path) -> None:
    cameras, devices = system(tmp_path)
    named = str(devices / "v4l/by-id/usb-046d_C920_A1B2C3-video-index0")
    for path in (str(devices / "video0"), named):
        assert Card.of(path, cameras, devices) == Card(named, "HD Pro Webcam C920", "A1B2C3")


def test_a_camera_that_says_nothing_has_its_path_alone(tmp_path: Path) -> None:
    assert Card.of("/dev/video7", tmp_path, tmp_path) == Card("/dev/video7", "", "")


def test_a_scan_finds_each_camera_once(tmp_path: Path) -> None:
    (found,) = local_cameras(*system(tmp_path))
    assert found.address.endswith("v4l/by-id/usb-046d_C920_A1B2C3-video-index0")
    assert found.what == "HD Pro Webcam C920, serial A1B2C3"
    assert found.settings == {"source": found.address}


def test_a_machine_without_cameras_has_none(tmp_path: Path) -> None:
    assert list(local_cameras(tmp_path / "none", tmp_path)) == []


def test_the_numbers_of_the_ioctls_are_those_of_the_kernels_header() -> None:
    assert (ENUM_FORMATS, ENUM_SIZES) == (0xC0405602, 0xC02C564A)


def test_sizes_are_those_of_every_format_and_of_a_range_its_ends() -> None:
    given = {1111: [(1, 640, 480, 0, 0, 0, 0), (1, 1280, 720, 0, 0, 0, 0)], 2222: [(3, 16, 1920, 2, 16, 1080, 2)]}

    def kernel(number: int, about: bytearray) -> None:
        index = FORMAT.unpack(about)[0] if number == ENUM_FORMATS else SIZE.unpack(about)[0]
        if number == ENUM_FORMATS:
            if index >= len(given):
                raise OSError(errno.EINVAL, "no more")
            about[:] = FORMAT.pack(index, 1, 0, b"some", list(given)[index], 0, 0, 0, 0)
            return
        pixels = SIZE.unpack(about)[1]
        if index >= len(given[pixels]):
            raise OSError(errno.EINVAL, "no more")
        about[:] = SIZE.pack(index, pixels, *given[pixels][index], 0, 0)

    assert list(list_sizes(kernel)) == [(640, 480), (1280, 720), (16, 16), (1920, 1080)]
