"""Filmstrip of a run: pictures of the world at several moments, in one image."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.bodies import CameraBody, Cameras
from embodied.clock import Time
from embodied.errors import EmbodiedError, WorldFailed, error_text
from embodied.interrupts import foreign
from embodied.runtime.episode import Watcher
from embodied.runtime.lockstep import Lockstep

VIEW = "overview"
"""Preferred camera for pictures of a run."""

SIZE = (640, 480)
"""Width and height of a picture [px]."""

COLUMNS = 4
"""Number of pictures side by side in a strip."""

FRAMES = 12
"""Largest number of pictures in a strip."""

PICTURE_PERIOD = 500_000_000
"""Time between two pictures, in virtual time [ns]."""

PICTURES_MOST = 120
"""Largest number of pictures in memory; beyond it every second one is dropped, and the period doubled."""

Picture = NDArray[np.uint8]
"""RGB image, shape (h, w, 3)."""


class Photographer(Watcher):
    """Base of watchers that take pictures of a run, each with one camera.

    Args:
        size: width and height [px].
        shadows: whether bodies throw shadows, which cost more than all else, where the world's cameras have them.
    """

    def __init__(self, size: tuple[int, int] = SIZE, *, shadows: bool = True) -> None:
        self._size = size
        self._shadows = shadows
        self._camera: CameraBody | None = None

    def shoot(self, run: Lockstep) -> Picture | None:
        """Take a picture of the world as it is now.

        Args:
            run: the running graph.

        Returns:
            RGB of shape (h, w, 3), from `VIEW` or else from a camera of the world that works; None where it has none.

        Raises:
            WorldFailed: the camera failed.
        """
        world: object = run.plan.graph.world
        if not isinstance(world, Cameras) or not world.views:
            return None
        if self._camera is not None:
            return self._camera.render(rgb=True).rgb
        failures = []
        for view in sorted(world.views, key=lambda name: name != VIEW):
            try:
                plain = not self._shadows and "shadows" in inspect.signature(world.camera).parameters
                options: dict[str, Any] = {"shadows": False} if plain else {}
                camera = world.camera(view, width=self._size[0], height=self._size[1], **options)
                picture = camera.render(rgb=True).rgb
            except foreign() as error:
                # Any camera will do.
                failures.append(f"cannot render a picture from '{view}': {error_text(error)}")
                continue
            self._camera = camera
            return picture
        raise WorldFailed("; ".join(failures))


class Film(Photographer):
    """Watcher that keeps pictures of a run, its last moment among them; for its arguments see `Photographer`.

    Attributes:
        pictures: (time [s], RGB image) of each.
        trouble: why no more pictures were taken; a picture that fails takes nothing from the run.
    """

    def __init__(self, *, shadows: bool = True) -> None:
        super().__init__(shadows=shadows)
        self.pictures: list[tuple[float, Picture]] = []
        self.trouble = ""
        self._every, self._due = PICTURE_PERIOD, 0

    def look(self, run: Lockstep) -> None:
        """Take a picture, if one is due by the period."""
        if run.now >= self._due:
            self.end(run)

    def end(self, run: Lockstep) -> None:
        """Take a picture of this moment."""
        if self.trouble:
            return
        try:
            picture = self.shoot(run)
        except foreign() as error:
            self.trouble = str(error) if isinstance(error, EmbodiedError) else error_text(error)
            return
        if picture is not None:
            self._keep(run.now, picture)
        self._due = run.now + self._every

    def take(self, now: Time, picture: Picture, *, last: bool = False) -> None:
        """Take over a picture that another watcher took, if one is due, or if it is the last.

        Args:
            now: time of the picture [ns].
            picture: RGB of shape (h, w, 3).
            last: whether the run ends with it.
        """
        if now >= self._due or last:
            self._keep(now, picture)

    def _keep(self, now: Time, picture: Picture) -> None:
        self.pictures.append((now / 1e9, picture))
        if len(self.pictures) > PICTURES_MOST:
            self.pictures = self.pictures[::2]
            self._every *= 2
        self._due = now + self._every

    def strip(self, title: str) -> Picture | None:
        """Draw a strip of at most `FRAMES` pictures, evenly spread from first to last; None where there are none."""
        count = min(FRAMES, len(self.pictures))
        if not count:
            return None
        chosen = [self.pictures[round(i * (len(self.pictures) - 1) / max(1, count - 1))] for i in range(count)]
        return strip(chosen, title)


def save(picture: Picture, file: Path) -> None:
    """Write a picture of a run, RGB of shape (h, w, 3), as a PNG.

    Raises:
        OSError: the file cannot be written.
    """
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(f"cannot encode {file}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.tobytes())


def strip(pictures: Sequence[tuple[float, Picture]], title: str) -> Picture:
    """Draw pictures of a run side by side, each with its time, under a title.

    Args:
        pictures: (time [s], RGB image), at least one, all of one size.
        title: line above the pictures.

    Returns:
        an RGB image, shape (h, w, 3).
    """
    import cv2

    height, width = pictures[0][1].shape[:2]
    half = (width // 2, height // 2)
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    top = 28
    sheet = np.full((top + rows * half[1], columns * half[0], 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    # OpenCV's fonts have ASCII alone; a title wider than the sheet is cut, not shrunk.
    text = title.encode("ascii", "replace").decode()
    cv2.putText(sheet, text, (8, 19), font, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
    for index, (at, picture) in enumerate(pictures):
        row, column = divmod(index, columns)
        small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
        cv2.rectangle(small, (0, 0), (72, 24), (40, 40, 40), -1)
        cv2.putText(small, f"{at:.2f} s", (6, 17), font, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        y, x = top + row * half[1], column * half[0]
        sheet[y : y + half[1], x : x + half[0]] = small
    return sheet
