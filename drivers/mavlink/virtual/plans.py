"""Handler of the virtual autopilot for the mission protocol: keeps and returns the plans that a client uploads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import mission
from drivers.mavlink.coordinates import Origin, heading
from drivers.mavlink.mission import COMMANDS, Item
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.mission_follower import Leg

PLANS = (common.MAV_MISSION_TYPE_MISSION, common.MAV_MISSION_TYPE_FENCE)
"""Types of plan that it keeps."""

ITEMS_MOST = 100
"""Greatest number of items in a plan."""


@dataclass
class PlanHandler:
    """Handler of the mission protocol, for the plans of one virtual autopilot.

    Attributes:
        autopilot: autopilot that flies them.
        origin: origin of its local frame.
        kept: items of each type of plan.
    """

    autopilot: Autopilot
    origin: Origin
    kept: dict[int, list[Item]] = field(default_factory=lambda: {kind: [] for kind in PLANS})

    def __post_init__(self) -> None:
        # Type, number of items, and items so far of the plan that is being uploaded.
        self._upload: tuple[int, int, list[Item]] | None = None

    def answer(self, message: Any) -> Iterator[Any]:
        """Yield the answers to a message of the mission protocol."""
        kind, sender = message.mission_type, (message.get_srcSystem(), message.get_srcComponent())
        name = message.get_type()
        if name == "MISSION_ACK":
            return
        if kind not in PLANS:
            if name == "MISSION_REQUEST_LIST":
                yield common.MAVLink_mission_count_message(*sender, 0, kind)
            else:
                yield common.MAVLink_mission_ack_message(*sender, common.MAV_MISSION_UNSUPPORTED, kind)
        elif name == "MISSION_REQUEST_LIST":
            yield common.MAVLink_mission_count_message(*sender, len(self.kept[kind]), kind)
        elif name in ("MISSION_REQUEST_INT", "MISSION_REQUEST"):
            if message.seq < len(self.kept[kind]):
                yield _message(sender, self.kept[kind][message.seq], message.seq, kind)
            else:
                yield common.MAVLink_mission_ack_message(*sender, common.MAV_MISSION_INVALID_SEQUENCE, kind)
        elif name == "MISSION_CLEAR_ALL":
            yield common.MAVLink_mission_ack_message(*sender, self._keep(kind, []), kind)
        elif name == "MISSION_COUNT":
            if message.count > ITEMS_MOST:
                yield common.MAVLink_mission_ack_message(*sender, common.MAV_MISSION_NO_SPACE, kind)
            elif message.count:
                self._upload = (kind, message.count, [])
                yield common.MAVLink_mission_request_int_message(*sender, 0, kind)
            else:
                yield common.MAVLink_mission_ack_message(*sender, self._keep(kind, []), kind)
        elif name == "MISSION_ITEM_INT":
            yield from self._item(message, kind, sender)

    def _item(self, message: Any, kind: int, sender: tuple[int, int]) -> Iterator[Any]:
        if self._upload is None or self._upload[0] != kind:
            yield common.MAVLink_mission_ack_message(*sender, common.MAV_MISSION_INVALID_SEQUENCE, kind)
            return
        _, count, items = self._upload
        if message.seq == len(items):
            items.append(Item.from_message(message))
        if len(items) < count:
            yield common.MAVLink_mission_request_int_message(*sender, len(items), kind)
            return
        self._upload = None
        yield common.MAVLink_mission_ack_message(*sender, self._keep(kind, items), kind)

    def _keep(self, kind: int, items: list[Item]) -> int:
        """Keep a plan that can be flown, and return the MAV_MISSION_RESULT; otherwise the plan before it stays."""
        autopilot = self.autopilot
        try:
            if kind == common.MAV_MISSION_TYPE_FENCE:
                numbers = (value for item in items for value in item.parameters)
                if not all(map(math.isfinite, numbers)):
                    raise ValueError("a fence that is not finite")
                autopilot.fence = mission.fence_from_items(items, self.origin, math.inf)
            else:
                if problems := list(mission.problems(items)):
                    raise ValueError("; ".join(problems))
                autopilot.mission.load([self._leg(item) for item in items])
        except ValueError as error:
            autopilot.texts.append((2, f"Plan rejected: {error}"[:50]))
            return int(common.MAV_MISSION_INVALID)
        self.kept[kind] = items
        return int(common.MAV_MISSION_ACCEPTED)

    def _leg(self, item: Item) -> Leg:
        # A take-off without a place goes straight up.
        here = not (item.x or item.y) or item.command == COMMANDS["return"]
        east, north = (0.0, 0.0) if here else mission.local_position(item, self.origin)
        if item.frame == common.MAV_FRAME_GLOBAL_INT:
            raise ValueError("heights count from home")
        yaw = item.parameters[3]
        return Leg(
            land=item.command == COMMANDS["land"],
            back=item.command == COMMANDS["return"],
            position=np.array([east, north, item.z]),
            hold=item.parameters[0] if item.command == COMMANDS["fly"] else 0.0,
            yaw=heading(math.radians(yaw)) if math.isfinite(yaw) else None,
        )


def _message(receiver: tuple[int, int], item: Item, number: int, kind: int) -> Any:
    return common.MAVLink_mission_item_int_message(
        *receiver, number, item.frame, item.command, 0, 1, *item.parameters, item.x, item.y, item.z, kind
    )
