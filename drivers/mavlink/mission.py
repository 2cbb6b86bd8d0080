"""Plans as they go over the wire: missions, and the items of a geofence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pymavlink.dialects.v20 import common

from drivers.mavlink.frames import Origin, heading
from drivers.mavlink.geofence import Geofence
from embodied.messages import Vector

DEGREE = 1e7
"""Places are integers of this part of a degree, about a centimetre."""

FRAME = common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
INCLUDED = common.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION
CORNER = common.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION

KINDS = {
    "fly": common.MAV_CMD_NAV_WAYPOINT,
    "takeoff": common.MAV_CMD_NAV_TAKEOFF,
    "land": common.MAV_CMD_NAV_LAND,
    "return": common.MAV_CMD_NAV_RETURN_TO_LAUNCH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """One step of a mission.

    Attributes:
        do: `fly` there, `takeoff` above where it stands, `land` there, or `return` to home and land.
        position: east and north of the local origin, and up from home, shape (3,) [m]; of `return` it is not looked at.
        hold: it stays there so long [s].
        yaw: from east [rad]; None leaves it as it is.
    """

    do: Literal["fly", "takeoff", "land", "return"] = "fly"
    position: Vector
    hold: float = 0.0
    yaw: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What one item of a plan says, beside its number.

    Attributes:
        command: MAV_CMD.
        frame: MAV_FRAME.
        parameters: the first four.
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
    def of(cls, message: Any) -> Item:
        """From MISSION_ITEM_INT."""
        four = (message.param1, message.param2, message.param3, message.param4)
        return cls(message.command, message.frame, four, message.x, message.y, message.z)

    def same(self, other: Item) -> bool:
        """Whether it is this one after the wire, in single precision; NaN is as NaN."""
        numbers = zip((*self.parameters, self.z), (*other.parameters, other.z), strict=True)
        close = all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) or (a != a and b != b) for a, b in numbers)
        return close and (self.command, self.frame, self.x, self.y) == (other.command, other.frame, other.x, other.y)


def items(mission: Sequence[Waypoint], origin: Origin) -> list[Item]:
    """The items of a mission.

    Raises:
        ValueError: there is no such step, or a number is not finite; the sentence says which step.
    """
    return [_item(number, step, origin) for number, step in enumerate(mission, 1)]


def _item(number: int, step: Waypoint, origin: Origin) -> Item:
    if step.do not in KINDS:
        raise ValueError(f"step {number} of the mission is '{step.do}', and there are {', '.join(KINDS)}")
    numbers = [*map(float, step.position), step.hold, step.yaw or 0.0]
    if len(numbers) != 5 or not all(map(math.isfinite, numbers)):
        raise ValueError(
            f"step {number} of the mission is not three finite numbers of metres, a time and a yaw: {step}"
        )
    if step.do == "return":
        return Item(KINDS[step.do], common.MAV_FRAME_MISSION, (0.0, 0.0, 0.0, 0.0))
    # NaN is MAVLink's word for a heading that stays.
    yaw = math.nan if step.yaw is None else math.degrees(heading(step.yaw))
    latitude, longitude = origin.globe(numbers[0], numbers[1])
    hold = step.hold if step.do == "fly" else 0.0
    return Item(KINDS[step.do], FRAME, (hold, 0.0, 0.0, yaw), *_units(latitude, longitude), numbers[2])


def fence_items(fence: Geofence, origin: Origin) -> list[Item]:
    """The items of a geofence; its altitude is a parameter."""
    if not fence.polygon:
        place = _units(origin.latitude, origin.longitude)
        return [Item(INCLUDED, common.MAV_FRAME_GLOBAL_INT, (float(fence.radius), 0.0, 0.0, 0.0), *place)]
    count = float(len(fence.polygon))
    corners = (_units(*origin.globe(*corner)) for corner in fence.polygon)
    return [Item(CORNER, common.MAV_FRAME_GLOBAL_INT, (count, 0.0, 0.0, 0.0), *corner) for corner in corners]


def fence_of(plan: Sequence[Item], origin: Origin, altitude: float) -> Geofence | None:
    """The geofence that some items are; None for none.

    Raises:
        ValueError: they are another kind of fence.
    """
    if not plan:
        return None
    if len(plan) == 1 and plan[0].command == INCLUDED:
        east, north = place(plan[0], origin)
        if math.hypot(east, north) > 1.0:
            raise ValueError("a circle that is not about the origin")
        return Geofence(altitude, radius=plan[0].parameters[0])
    if any(item.command != CORNER or item.parameters[0] != len(plan) for item in plan):
        raise ValueError("neither one circle nor one polygon to stay inside of")
    return Geofence(altitude, polygon=tuple(place(item, origin) for item in plan))


def place(item: Item, origin: Origin) -> tuple[float, float]:
    """East and north of an item [m]."""
    return origin.local(item.x / DEGREE, item.y / DEGREE)


def unfit(plan: Sequence[Item]) -> Iterator[str]:
    """Why a vehicle cannot fly a plan, a sentence each. A heading, which may stay as it is, may be NaN."""
    for number, item in enumerate(plan, 1):
        if item.command not in KINDS.values():
            yield f"item {number} is command {item.command}, which it does not know"
        if not all(map(math.isfinite, (*item.parameters[:3], item.z))):
            yield f"item {number} is not finite"


def _units(latitude: float, longitude: float) -> tuple[int, int]:
    return round(latitude * DEGREE), round(longitude * DEGREE)
