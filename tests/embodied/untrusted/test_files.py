"""Files that a user brings are read whole or refused at once: what waits, never ends or is too large costs nothing."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from embodied.untrusted.files import read_bytes, read_text


def test_a_file_is_read_whole_with_its_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\r\nb: \xc3\xa4\n")
    assert read_text(file, 100) == "a: 1\r\nb: ä\n"
    assert read_bytes(file, 12) == file.read_bytes()


def test_a_file_is_read_up_to_its_limit_and_not_a_byte_further(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * (3 << 20))
    assert len(read_bytes(file, 3 << 20)) == 3 << 20
    with pytest.raises(OSError, match=f"it is larger than {(3 << 20) - 1} bytes"):
        read_bytes(file, (3 << 20) - 1)


def test_a_sparse_file_of_a_terabyte_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sparse"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(OSError, match="it is larger than 1000 bytes"):
        read_bytes(file, 1000)


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "it")
    return folder / "it"


def bound(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "it"))
    return folder / "it"


def loop(folder: Path) -> Path:
    (folder / "it").symlink_to(folder / "it")
    return folder / "it"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (fifo, "it is no file with content"),
        (bound, "it is no file with content"),
        (loop, "ymbolic link"),
        (lambda folder: folder, "it is a folder"),
        (lambda folder: folder / "missing", "No such file"),
        (lambda folder: folder / "with\0null", "null"),
        (lambda folder: folder / ("n" * 300), "File name too long"),
        (lambda _: Path("/dev/zero"), "it is no file with content"),
        (lambda _: Path("/dev/tty"), "it is no file with content"),
    ],
)
def test_what_is_no_file_is_refused_with_its_reason(make: object, reason: str, tmp_path: Path) -> None:
    assert callable(make)
    path = make(tmp_path)
    with pytest.raises(OSError, match=reason):
        read_bytes(path, 1000)


def test_a_file_of_the_process_file_system_that_waits_for_more_is_refused() -> None:
    # Readable by root alone; for everybody else its opening is refused.
    with pytest.raises(OSError, match=r"it gives nothing to read|not permitted|denied|No such file"):
        read_bytes(Path("/proc/kmsg"), 1000)


def test_a_file_of_the_process_file_system_that_ends_is_read() -> None:
    assert read_text(Path("/proc/self/status"), 10_000).startswith("Name:")
