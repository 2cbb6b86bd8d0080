"""The far end of the mission and parameter protocols: what a virtual autopilot keeps, and how it answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec, mission
from drivers.mavlink.frames import Origin, heading
from drivers.mavlink.mission import KINDS, Item
from drivers.mavlink.virtual.autopilot import Autopilot, Leg

PLANS = (common.MAV_MISSION_TYPE_MISSION, common.MAV_MISSION_TYPE_FENCE)
ACCEPTED, INVALID = common.MAV_MISSION_ACCEPTED, common.MAV_MISSION_INVALID
MOST = 100
"""Items of a plan."""


@dataclass
class Plans:
    """Missions and geofences.

    Attributes:
        autopilot: that flies them.
        origin: of its world.
        kept: the items of each kind of plan.
    """

    autopilot: Autopilot
    origin: Origin
    kept: dict[int, list[Item]] = field(default_factory=lambda: {kind: [] for kind in PLANS})

    def __post_init__(self) -> None:
        self._coming: tuple[int, int, list[Item]] | None = None

    def answer(self, message: Any) -> Iterator[Any]:
        """What it says to a message of the mission protocol."""
        kind, who = message.mission_type, (message.get_srcSystem(), message.get_srcComponent())
        name = message.get_type()
        if name == "MISSION_ACK":
            return
        if kind not in PLANS:
            if name == "MISSION_REQUEST_LIST":
                yield common.MAVLink_mission_count_message(*who, 0, kind)
            else:
                yield common.MAVLink_mission_ack_message(*who, common.MAV_MISSION_UNSUPPORTED, kind)
        elif name == "MISSION_REQUEST_LIST":
            yield common.MAVLink_mission_count_message(*who, len(self.kept[kind]), kind)
        elif name in ("MISSION_REQUEST_INT", "MISSION_REQUEST"):
            if message.seq < len(self.kept[kind]):
                yield _message(who, self.kept[kind][message.seq], message.seq, kind)
            else:
                yield common.MAVLink_mission_ack_message(*who, common.MAV_MISSION_INVALID_SEQUENCE, kind)
        elif name == "MISSION_CLEAR_ALL":
            yield common.MAVLink_mission_ack_message(*who, self._keep(kind, []), kind)
        elif name == "MISSION_COUNT":
            if message.count > MOST:
                yield common.MAVLink_mission_ack_message(*who, common.MAV_MISSION_NO_SPACE, kind)
            elif message.count:
                self._coming = (kind, message.count, [])
                yield common.MAVLink_mission_request_int_message(*who, 0, kind)
            else:
                yield common.MAVLink_mission_ack_message(*who, self._keep(kind, []), kind)
        elif name == "MISSION_ITEM_INT":
            yield from self._item(message, kind, who)

    def _item(self, message: Any, kind: int, who: tuple[int, int]) -> Iterator[Any]:
        if self._coming is None or self._coming[0] != kind:
            yield common.MAVLink_mission_ack_message(*who, common.MAV_MISSION_INVALID_SEQUENCE, kind)
            return
        _, count, items = self._coming
        if message.seq == len(items):
            items.append(Item.of(message))
        if len(items) < count:
            yield common.MAVLink_mission_request_int_message(*who, len(items), kind)
            return
        self._coming = None
        yield common.MAVLink_mission_ack_message(*who, self._keep(kind, items), kind)

    def _keep(self, kind: int, items: list[Item]) -> int:
        """Take a plan, if it is one that can be flown; what it had stays otherwise."""
        mind = self.autopilot
        try:
            if kind == common.MAV_MISSION_TYPE_FENCE:
                numbers = (value for item in items for value in item.parameters)
                if not all(map(math.isfinite, numbers)):
                    raise ValueError("a fence that is not finite")
                mind.fence = mission.fence_of(items, self.origin, math.inf)
            else:
                if wrong := list(mission.unfit(items)):
                    raise ValueError("; ".join(wrong))
                mind.mission, mind.leg = [self._leg(item) for item in items], 0
        except ValueError as error:
            mind.said.append((2, f"Plan rejected: {error}"[:50]))
            return int(INVALID)
        self.kept[kind] = items
        return int(ACCEPTED)

    def _leg(self, item: Item) -> Leg:
        # A take-off goes straight up where no place is given.
        here = not (item.x or item.y) or item.command == KINDS["return"]
        east, north = (0.0, 0.0) if here else mission.place(item, self.origin)
        if item.frame == common.MAV_FRAME_GLOBAL_INT:
            raise ValueError("heights count from home")
        yaw = item.parameters[3]
        return Leg(
            land=item.command == KINDS["land"],
            back=item.command == KINDS["return"],
            position=np.array([east, north, item.z]),
            hold=item.parameters[0] if item.command == KINDS["fly"] else 0.0,
            yaw=heading(math.radians(yaw)) if math.isfinite(yaw) else None,
        )


@dataclass
class Parameters:
    """The parameters of an autopilot, in the order of their names."""

    autopilot: Autopilot

    def answer(self, message: Any) -> Iterator[Any]:
        """What it says to a message of the parameter protocol."""
        have = self.autopilot.parameters
        if message.get_type() == "PARAM_REQUEST_LIST":
            yield from (self._value(name) for name in sorted(have))
            return
        name = message.param_id
        if message.get_type() == "PARAM_REQUEST_READ" and message.param_index >= 0:
            names = sorted(have)
            name = names[message.param_index] if message.param_index < len(names) else ""
        if name not in have:
            return
        if message.get_type() == "PARAM_SET":
            value = codec.unpacked(message.param_value, message.param_type)
            if type(value) is type(have[name]) and math.isfinite(value):
                have[name] = value
        yield self._value(name)

    def _value(self, name: str) -> Any:
        names = sorted(self.autopilot.parameters)
        bits, kind = codec.packed(self.autopilot.parameters[name])
        return common.MAVLink_param_value_message(codec.name(name), bits, kind, len(names), names.index(name))


def _message(who: tuple[int, int], item: Item, number: int, kind: int) -> Any:
    return common.MAVLink_mission_item_int_message(
        *who, number, item.frame, item.command, 0, 1, *item.parameters, item.x, item.y, item.z, kind
    )
