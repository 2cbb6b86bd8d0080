"""The cameras of a tabletop: TinyRenderer for what moves, closed forms for what never does.

The table and the floor fill most pixels and are two planes, so their colour, depth and number are worked out once per
camera, ray by ray, and laid behind what TinyRenderer draws; that is what makes a frame cheap. Light follows
TinyRenderer's own model for both: colour x (ambient + diffuse x max(0, cos)), with no shadows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embodied.messages import CameraInfo
from embodied.world import Rendering
from sims.bullet import Bullet
from sims.scene import TABLE, Look
from sims.view import FAR, View, metres

AMBIENT, DIFFUSE = 0.55, 0.45
FLOOR = -0.75  # height [m]
FLOOR_COLOUR = (0.55, 0.57, 0.60)
GRAIN = 0.012  # contrast of one wave


class Camera:
    """A camera in a simulated world.

    Args:
        bullet: the simulator.
        view: its place and lens.
        look: the light, and what the table looks like.
        table: number of the table in a segmentation.
    """

    def __init__(self, bullet: Bullet, view: View, look: Look, table: int) -> None:
        self._bullet = bullet
        self._view = view
        self._look = look
        self._info = view.info()
        self._matrices = view.opengl()
        self._behind = _backdrop(view, look, table)
        # The exposure of the camera; applied by table, one look-up per byte.
        self._exposure = np.minimum(np.arange(256) * look.brightness, 255.0).astype(np.uint8)

    def info(self) -> CameraInfo:
        """True intrinsics and pose."""
        return self._info

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        """What it sees now; rendering never changes the world."""
        bullet, view = self._bullet, self._view
        _, _, colours, buffer, numbers = bullet.getCameraImage(
            view.width,
            view.height,
            *self._matrices,
            lightDirection=self._look.light,
            lightColor=(1.0, 1.0, 1.0),
            lightAmbientCoeff=AMBIENT,
            lightDiffuseCoeff=DIFFUSE,
            lightSpecularCoeff=0.0,
            shadow=0,
            renderer=bullet.ER_TINY_RENDERER,
        )
        shape = (view.height, view.width)
        numbers = np.reshape(numbers, shape)
        empty = numbers < 0
        behind = self._behind
        seen = np.where(empty[..., None], behind[0], np.reshape(colours, (*shape, 4))[..., :3]) if rgb else None
        return Rendering(
            None if seen is None else self._exposure[seen.astype(np.uint8, copy=False)],
            np.where(empty, behind[1], metres(np.reshape(buffer, shape))).astype(np.float32) if depth else None,
            np.where(empty, behind[2], numbers).astype(np.int32) if segmentation else None,
        )


def _backdrop(view: View, look: Look, table: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
    """Colour (h, w, 3), depth (h, w) [m] and numbers (h, w) of the table and the floor, with nothing on them."""
    rays = view.rays()
    with np.errstate(divide="ignore"):
        # A ray has depth 1, so its length to a level plane is the depth there.
        reach = [np.where(rays[..., 2] < 0, (z - view.position[2]) / rays[..., 2], np.inf) for z in (0.0, FLOOR)]
    x, y = (view.position[i] + reach[0] * rays[..., i] for i in (0, 1))
    (x0, x1), (y0, y1) = TABLE
    on = np.isfinite(reach[0]) & (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)
    depth = np.where(on, reach[0], reach[1])
    depth = np.where(depth < FAR, depth, 0.0)
    shade = AMBIENT + DIFFUSE * look.light[2]
    flat = np.where(on, (x, y), 0.0)
    waves = np.zeros_like(depth)
    for fx, fy, phase in look.grain:
        waves += np.sin(fx * flat[0] + fy * flat[1] + phase)
    colour = np.where(on[..., None], np.array(look.table) * (1 + GRAIN * waves)[..., None], FLOOR_COLOUR)
    return (
        np.clip(255 * shade * colour, 0, 255).astype(np.uint8),
        depth.astype(np.float32),
        np.where(on, table, -1).astype(np.int32),
    )


def overhead(look: Look, width: int, height: int) -> View:
    """The camera above the blocks, landscape along y, forward at the top; its mounting differs a little by seed."""
    view = View.towards((0.44, 0.0, 0.80), (0.44, 0.0, 0.0), width, height, span=0.50)
    return view.disturbed(look.shift, look.tilt)


def overview(width: int, height: int) -> View:
    """A three-quarter view for people."""
    return View.towards((1.30, 0.95, 0.95), (0.27, 0.10, 0.20), width, height, span=1.15)
