"""Reading of the files that a user brings, bounded: a pipe, a device or a file without end never holds up a check.

Each error is an `OSError` whose `strerror` is the reason in a few words, to stand behind `cannot be read: `.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
from pathlib import Path


def read_bytes(path: Path, most: int) -> bytes:
    """Read a regular file, up to a size.

    Args:
        path: path of the file.
        most: size of the largest file that is read [B].

    Raises:
        OSError: the file cannot be read, is not a regular one, gives nothing at once, or is larger.
    """
    try:
        # Before it is opened: some devices take notice of that.
        _require_regular(path.stat().st_mode, path)
        # Opening a pipe that nobody writes, or reading a file of the kernel that is empty for now, would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError as error:  # a null character in the path
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    try:
        status = os.fstat(descriptor)
        _require_regular(status.st_mode, path)
        if status.st_size > most:
            raise _too_large(path, most)
        data = bytearray()
        # Files of the kernel have size 0, whatever they hold.
        while len(data) <= most and (part := _part(descriptor, most + 1 - len(data), path)):
            data += part
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise _too_large(path, most)
    return bytes(data)


def read_text(path: Path, most: int, fallback: str = "") -> str:
    """Read a text file in UTF-8, or in UTF-16 with its mark, up to a size.

    Args:
        path: path of the file.
        most: size of the largest file that is read [B].
        fallback: encoding of files that are no UTF-8, in which what it cannot show is replaced; empty for none.

    Raises:
        OSError: the file cannot be read, see `read_bytes`, or is no text.
    """
    data = read_bytes(path, most)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if fallback:
            return data.decode(fallback, "replace")
        raise OSError(errno.EILSEQ, "it is no text in UTF-8", str(path)) from error


def _require_regular(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no file with content, but a pipe, a socket or a device", str(path))


def _part(descriptor: int, most: int, path: Path) -> bytes:
    try:
        return os.read(descriptor, min(most, 1 << 20))
    except BlockingIOError as error:
        raise OSError(errno.EAGAIN, "it gives nothing to read, and has no end", str(path)) from error


def _too_large(path: Path, most: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {most} bytes, the most that is read of such a file", str(path))
