"""Codec of plans: missions and geofences to items of the mission protocol and back, no I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin, heading
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from embodied.messages import Vector

DEGREE_UNITS = 1e7
"""Units of latitude and longitude per degree; one is about a centimetre."""

FRAME = common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
"""Frame of mission items: latitude, longitude, and height above home."""

CIRCLE = common.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION
"""Item of a circle to stay inside of."""

CORNER = common.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION
"""Item of a corner of a polygon to stay inside of."""

COMMANDS = {
    "fly": common.MAV_CMD_NAV_WAYPOINT,
    "takeoff": common.MAV_CMD_NAV_TAKEOFF,
    "land": common.MAV_CMD_NAV_LAND,
    "return": common.MAV_CMD_NAV_RETURN_TO_LAUNCH,
}
"""MAV_CMD of mission items, by what a waypoint has the vehicle do."""

WITH_HEADING = (COMMANDS["fly"], COMMANDS["takeoff"], COMMANDS["land"])
"""Commands whose fourth parameter is a heading [deg], which autopilots keep as 0 to 360 or as ±180."""

HEADING_TOLERANCE = 1e-3
"""Difference of headings that are the same, since autopilots keep them in radians [deg]."""

INTEGER_FRAMES = {
    common.MAV_FRAME_GLOBAL: common.MAV_FRAME_GLOBAL_INT,
    common.MAV_FRAME_GLOBAL_RELATIVE_ALT: common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
    common.MAV_FRAME_GLOBAL_TERRAIN_ALT: common.MAV_FRAME_GLOBAL_TERRAIN_ALT_INT,
}
"""Frames with integers by the same frame without: in an item with integers both mean the same."""

FINAL_MODES = {"land": (Mode.LAND,), "return": (Mode.RETURN, Mode.LAND)}
"""Modes that the autopilot goes on to by itself after a step of a mission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """Step of a MAVLink mission, as a program states it before it is encoded.

    Attributes:
        do: `fly` there, `takeoff` above where it stands, `land` there, or `return` to home and land.
        position: east and north of the local origin, and up from home, shape (3,) [m]; unused by `return`.
        hold: time to stay there [s].
        yaw: yaw from east [rad]; None leaves it as it is.
    """

    do: Literal["fly", "takeoff", "land", "return"] = "fly"
    position: Vector
    hold: float = 0.0
    yaw: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Content of one item of the mission protocol, without its number.

    Attributes:
        command: command of the item, a MAV_CMD.
        frame: frame of its place, a MAV_FRAME.
        parameters: first four parameters of the command.
        x, y: latitude and longitude [1e-7 deg].
        z: height in the frame [m].
    """

    command: int
    frame: int
    parameters: tuple[float, float, float, float]
    x: int = 0
    y: int = 0
    z: float = 0.0

    @classmethod
    def from_message(cls, message: Any) -> Item:
        """Return the item in a MISSION_ITEM_INT."""
        parameters = (message.param1, message.param2, message.param3, message.param4)
        return cls(message.command, message.frame, parameters, message.x, message.y, message.z)

    def matches(self, other: Item) -> bool:
        """Return whether another item is this one as autopilots keep it: in single precision, headings modulo a turn.

        NaN equals NaN, and a frame is the same with integers for latitude and longitude and without.
        """
        numbers = [*zip((*self.parameters[:3], self.z), (*other.parameters[:3], other.z), strict=True)]
        fourth = (self.parameters[3], other.parameters[3])
        if self.command in WITH_HEADING and all(map(math.isfinite, fourth)):
            turn = math.remainder(fourth[0] - fourth[1], 360.0)
            if abs(turn) > HEADING_TOLERANCE:
                return False
        else:
            numbers.append(fourth)
        close = all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) or (a != a and b != b) for a, b in numbers)
        frames = (INTEGER_FRAMES.get(item.frame, item.frame) for item in (self, other))
        same = (self.command, self.x, self.y) == (other.command, other.x, other.y)
        return close and same and len(set(frames)) == 1


def mission_items(mission: Sequence[Waypoint], origin: Origin) -> list[Item]:
    """Encode a mission as items of the mission protocol.

    Raises:
        ValueError: a step has an unknown command, or a number that is not finite; the message names the step.
    """
    return [_mission_item(number, step, origin) for number, step in enumerate(mission, 1)]


def _mission_item(number: int, step: Waypoint, origin: Origin) -> Item:
    if step.do not in COMMANDS:
        raise ValueError(f"step {number} of the mission must be one of {', '.join(COMMANDS)}, got '{step.do}'")
    numbers = [*map(float, step.position), step.hold, step.yaw or 0.0]
    if len(numbers) != 5 or not all(map(math.isfinite, numbers)):
        raise ValueError(
            f"step {number} of the mission must have a position of three finite numbers, a finite time and yaw, got "
            f"{step}"
        )
    if step.do == "return":
        return Item(COMMANDS[step.do], common.MAV_FRAME_MISSION, (0.0, 0.0, 0.0, 0.0))
    # NaN is MAVLink's value of a heading that stays as it is.
    yaw = math.nan if step.yaw is None else math.degrees(heading(step.yaw))
    latitude, longitude = origin.geodetic(numbers[0], numbers[1])
    hold = step.hold if step.do == "fly" else 0.0
    return Item(COMMANDS[step.do], FRAME, (hold, 0.0, 0.0, yaw), *_units(latitude, longitude), numbers[2])


def fence_items(fence: Geofence, origin: Origin) -> list[Item]:
    """Encode a geofence as items of the mission protocol; its altitude is a parameter of the autopilot."""
    if not fence.polygon:
        centre = _units(origin.latitude, origin.longitude)
        return [Item(CIRCLE, common.MAV_FRAME_GLOBAL_INT, (float(fence.radius), 0.0, 0.0, 0.0), *centre)]
    count = float(len(fence.polygon))
    corners = (_units(*origin.geodetic(*corner)) for corner in fence.polygon)
    return [Item(CORNER, common.MAV_FRAME_GLOBAL_INT, (count, 0.0, 0.0, 0.0), *corner) for corner in corners]


def local_position(item: Item, origin: Origin) -> tuple[float, float]:
    """Return east and north of the place of a mission protocol's item [m]."""
    return origin.local(item.x / DEGREE_UNITS, item.y / DEGREE_UNITS)


def _units(latitude: float, longitude: float) -> tuple[int, int]:
    return round(latitude * DEGREE_UNITS), round(longitude * DEGREE_UNITS)
