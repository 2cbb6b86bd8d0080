"""Reading of images of a board, from files and folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from embodied.calibration.board import Grey
from embodied.errors import LaunchError, Problem

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
"""Suffixes of images in a folder; a file that is named itself may have another."""

FILE_SIZE_MOST = 64 << 20
"""Largest image file [B]."""

_HELP = "name the images, or a folder with images that one camera took at one resolution"


def files(named: Iterable[Path]) -> list[Path]:
    """List image files of a board, those in folders in the order of their names; each once.

    Args:
        named: files and folders.

    Raises:
        LaunchError: there are none, or a path does not exist.
    """
    unique: dict[Path, Path] = {}
    for path in named:
        if not path.exists():
            raise _wrong(f"there is no {path}", _HELP)
        inside = [path]
        if path.is_dir():
            inside = [file for file in sorted(path.iterdir()) if file.suffix.lower() in SUFFIXES and file.is_file()]
            if not inside:
                raise _wrong(f"there are no images in {path}", _HELP, f"images end in {', '.join(SUFFIXES)}")
        for file in inside:
            unique.setdefault(file.resolve(), file)
    if not unique:
        raise _wrong("there are no images", _HELP)
    return list(unique.values())


def images(paths: Sequence[Path]) -> Iterator[tuple[Path, Grey]]:
    """Read images of a board one after another, in greyscale, all of one size.

    Raises:
        LaunchError: a file is not an image, or of another size than the first.
    """
    size: tuple[int, ...] = ()
    for path in paths:
        image = _image(path)
        size = size or image.shape
        if image.shape != size:
            one, other = (f"{shape[1]}x{shape[0]}" for shape in (size, image.shape))
            raise _wrong(f"the images are of several sizes: {paths[0]} of {one} px, {path} of {other}", _HELP)
        yield path, image


def _image(path: Path) -> Grey:
    if not path.is_file() or path.stat().st_size > FILE_SIZE_MOST:
        raise _wrong(f"{path} is no image: it is no file, or has more than {FILE_SIZE_MOST >> 20} MiB", _HELP)
    # As the sensor recorded it: a camera node does not apply the EXIF orientation either.
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise _wrong(f"{path} is no image", _HELP)
    return image.astype(np.uint8, copy=False)


def _wrong(message: str, *help_: str) -> LaunchError:
    return LaunchError([Problem("E921", message, help=help_)])
