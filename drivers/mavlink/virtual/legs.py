"""Items of the mission protocol as the virtual autopilot takes them: steps to fly, or the reason to refuse one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin, heading
from drivers.mavlink.mission import WITH_HEADING, Item, local_position
from drivers.mavlink.virtual.mission_follower import Leg
from embodied.messages import Vector

HERE = 2**31 - 1
"""Latitude and longitude of an item that stand for the place where the vehicle is then."""

FLY = {
    common.MAV_CMD_NAV_WAYPOINT: "fly",
    common.MAV_CMD_NAV_LOITER_TIME: "fly",
    common.MAV_CMD_NAV_LOITER_UNLIM: "fly",
    common.MAV_CMD_NAV_TAKEOFF: "takeoff",
    common.MAV_CMD_NAV_LAND: "land",
}
"""What a step with a place does, by its MAV_CMD."""

HOLDS = (common.MAV_CMD_NAV_WAYPOINT, common.MAV_CMD_NAV_LOITER_TIME)
"""Commands whose first parameter is a time to stay [s]."""

ABOVE_HOME = (common.MAV_FRAME_GLOBAL_RELATIVE_ALT, common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)
"""Frames whose heights count from home."""

ABOVE_SEA = (common.MAV_FRAME_GLOBAL, common.MAV_FRAME_GLOBAL_INT)
"""Frames whose heights count from mean sea level."""

INVALID_PARAMETER = (
    common.MAV_MISSION_INVALID_PARAM1,
    common.MAV_MISSION_INVALID_PARAM2,
    common.MAV_MISSION_INVALID_PARAM3,
    common.MAV_MISSION_INVALID_PARAM4,
)
"""Results for each of the first four parameters of an item."""


class RefusedItem(ValueError):
    """Item that the virtual autopilot does not take.

    Attributes:
        result: MAV_MISSION_RESULT that says so.
    """

    def __init__(self, number: int, why: str, result: int) -> None:
        super().__init__(f"item {number} {why}")
        self.result = int(result)


def leg(number: int, item: Item, origin: Origin) -> Leg:
    """Return the step that an item stands for; NaN in it keeps what it is about as it is.

    Args:
        number: number of the item, from 1.
        item: item of a mission.
        origin: origin of the local frame.

    Raises:
        RefusedItem: it is of another kind or frame, or has a number that it cannot have.
    """
    first, second, *_ = item.parameters
    for index, value in enumerate(item.parameters):
        if math.isinf(value):
            raise RefusedItem(number, "is not finite", INVALID_PARAMETER[index])
    match item.command:
        case common.MAV_CMD_NAV_RETURN_TO_LAUNCH:
            return Leg(do="return")
        case common.MAV_CMD_DO_CHANGE_SPEED:
            # A speed of -1 or -2 stands for the one that it has.
            return Leg(do="speed", speed=second if second > 0 else None)
        case common.MAV_CMD_NAV_DELAY:
            if not first >= 0:
                raise RefusedItem(number, "waits for a time of day", common.MAV_MISSION_INVALID_PARAM1)
            return Leg(do="wait", hold=first)
        case common.MAV_CMD_DO_JUMP:
            if not (first >= 0 and math.isfinite(second)):
                raise RefusedItem(number, "jumps nowhere", common.MAV_MISSION_INVALID_PARAM1)
            return Leg(do="jump", target=int(first), times=int(second))
        case command if command in FLY:
            return _flight(number, item, origin)
    raise RefusedItem(number, f"has the unknown command {item.command}", common.MAV_MISSION_UNSUPPORTED)


def _flight(number: int, item: Item, origin: Origin) -> Leg:
    do = FLY[item.command]
    if item.frame not in (*ABOVE_HOME, *ABOVE_SEA):
        raise RefusedItem(number, f"has the unknown frame {item.frame}", common.MAV_MISSION_UNSUPPORTED_FRAME)
    # A landing needs no height; a place in the air does.
    if math.isinf(item.z) or (math.isnan(item.z) and do != "land"):
        raise RefusedItem(number, "has a height that is not finite", common.MAV_MISSION_INVALID_PARAM7)
    first, second, _, yaw = item.parameters
    # A take-off without a place goes straight up.
    here = HERE in (item.x, item.y) or not (item.x or item.y)
    east, north = (math.nan, math.nan) if here else local_position(item, origin)
    absolute = item.frame in ABOVE_SEA
    height = item.z - (origin.altitude if absolute else 0.0)
    stays = item.command == common.MAV_CMD_NAV_LOITER_UNLIM
    hold = max(first, 0.0) if item.command in HOLDS and math.isfinite(first) else 0.0
    return Leg(
        do=do,  # type: ignore[arg-type]
        position=np.array([east, north, height]),
        absolute=absolute,
        hold=math.inf if stays else hold,
        yaw=heading(math.radians(yaw)) if math.isfinite(yaw) else None,
        radius=second if item.command == common.MAV_CMD_NAV_WAYPOINT and second > 0 else 0.0,
    )


def rally_place(number: int, item: Item, origin: Origin) -> Vector:
    """Return the place of a rally point, shape (3,) [m].

    Raises:
        RefusedItem: it is none, or not finite.
    """
    if item.command != common.MAV_CMD_NAV_RALLY_POINT:
        raise RefusedItem(number, "is no rally point", common.MAV_MISSION_UNSUPPORTED)
    if not math.isfinite(item.z):
        raise RefusedItem(number, "has a height that is not finite", common.MAV_MISSION_INVALID_PARAM7)
    return np.array([*local_position(item, origin), item.z])


def as_kept(item: Item) -> Item:
    """Return an item as PX4 keeps it: a heading wrapped to 0 to 360 degrees."""
    yaw = item.parameters[3]
    if item.command not in WITH_HEADING or not math.isfinite(yaw):
        return item
    turned = math.degrees(float(np.float32(math.radians(yaw))) % math.tau)
    return replace(item, parameters=(*item.parameters[:3], turned))
