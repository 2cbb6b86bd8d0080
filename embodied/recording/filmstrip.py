"""Pictures of a run for people: one image, or a strip of moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embodied.bodies import CameraBody, Cameras
from embodied.errors import FOREIGN, WorldFailed, told
from embodied.runtime.episode import Watcher
from embodied.runtime.lockstep import Lockstep

VIEW = "overview"
"""The camera that pictures for people are taken with."""

SIZE = (640, 480)
"""Width and height of such a picture [px]."""

COLUMNS = 4

FRAMES = 12
"""How many pictures a filmstrip has."""

EVERY = 500_000_000
"""Between two pictures that are kept [ns of virtual time]."""

MOST = 120
"""More pictures are not kept; those there are lie twice as far apart then."""

Picture = NDArray[np.uint8]


class Photographer(Watcher):
    """Base of those who take pictures of a run, each from one place.

    Args:
        size: width and height [px].
    """

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        self._size = size
        self._camera: CameraBody | None = None

    def shoot(self, run: Lockstep) -> Picture | None:
        """Take a picture of the world as it is now.

        Returns:
            RGB of shape (h, w, 3), from `VIEW` or else from the world's first camera; None where there is no camera.

        Raises:
            WorldFailed: the camera broke.
        """
        world: object = run.plan.graph.world
        if not isinstance(world, Cameras) or not world.views:
            return None
        view = VIEW if VIEW in world.views else world.views[0]
        try:
            if self._camera is None:
                self._camera = world.camera(view, width=self._size[0], height=self._size[1])
            return self._camera.render(rgb=True).rgb
        except FOREIGN as error:
            raise WorldFailed(f"cannot render a picture from '{view}': {told(error)}") from error


class Film(Photographer):
    """Watches a run and keeps pictures of it, the last moment among them."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[tuple[float, Picture]] = []
        self._every, self._due = EVERY, 0

    def look(self, run: Lockstep) -> None:
        """Take a picture, if one is due."""
        if run.now >= self._due:
            self.end(run)

    def end(self, run: Lockstep) -> None:
        """Take a picture."""
        picture = self.shoot(run)
        if picture is not None:
            self.pictures.append((run.now / 1e9, picture))
        if len(self.pictures) > MOST:
            self.pictures = self.pictures[::2]
            self._every *= 2
        self._due = run.now + self._every

    def strip(self, title: str) -> Picture | None:
        """At most `FRAMES` of the pictures, evenly spread, with the first and the last; None where there are none."""
        count = min(FRAMES, len(self.pictures))
        if not count:
            return None
        chosen = [self.pictures[round(i * (len(self.pictures) - 1) / max(1, count - 1))] for i in range(count)]
        return strip(chosen, title)


def save(picture: Picture, file: Path) -> None:
    """Write an RGB image of shape (h, w, 3) as a PNG.

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
    """Moments side by side, each with its time, under a title.

    Args:
        pictures: (time [s], RGB image); all of one size, at least one.
        title: a line above them.

    Returns:
        an RGB image.
    """
    import cv2

    height, width = pictures[0][1].shape[:2]
    half = (width // 2, height // 2)
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    top = 28
    sheet = np.full((top + rows * half[1], columns * half[0], 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    # The letters of OpenCV's fonts end at ASCII; a title wider than the sheet is cut, not shrunk.
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
