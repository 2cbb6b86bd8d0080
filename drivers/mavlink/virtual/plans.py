"""Handler of the virtual autopilot for the mission protocol: keeps and returns the plans that a client uploads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin
from drivers.mavlink.mission import DEGREE_UNITS, Item
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.legs import RefusedItem, as_kept, leg, rally_place
from drivers.mavlink.virtual.zones import zones_from_items

PLANS = (common.MAV_MISSION_TYPE_MISSION, common.MAV_MISSION_TYPE_FENCE, common.MAV_MISSION_TYPE_RALLY)
"""Types of plan that it keeps."""

ITEMS_MOST = 500
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
        # Type, number of items, and items so far of the plan that is being uploaded; and the type of the newest plan.
        self._upload: tuple[int, int, list[Item]] | None = None
        self._uploaded: int | None = None

    def answer(self, message: Any) -> Iterator[Any]:
        """Yield the answers to a message of the mission protocol."""
        name, sender = message.get_type(), (message.get_srcSystem(), message.get_srcComponent())
        if name == "MISSION_SET_CURRENT":
            if message.seq < len(self.autopilot.mission.legs):
                self.autopilot.mission.begin(message.seq)
            return
        kind = getattr(message, "mission_type", None)
        if name == "MISSION_ACK" or kind is None:
            return
        if kind not in PLANS:
            if name == "MISSION_CLEAR_ALL" and kind == common.MAV_MISSION_TYPE_ALL:
                yield common.MAVLink_mission_ack_message(*sender, max(self._keep(plan, []) for plan in PLANS), kind)
            elif name == "MISSION_REQUEST_LIST":
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
        elif name in ("MISSION_ITEM_INT", "MISSION_ITEM"):
            yield from self._item(message, kind, sender)

    def _item(self, message: Any, kind: int, sender: tuple[int, int]) -> Iterator[Any]:
        if self._upload is None or self._upload[0] != kind:
            # The client has sent the last one again, because its acknowledgement came late.
            again = self._uploaded == kind and message.seq == len(self.kept[kind]) - 1
            result = common.MAV_MISSION_ACCEPTED if again else common.MAV_MISSION_INVALID_SEQUENCE
            yield common.MAVLink_mission_ack_message(*sender, result, kind)
            return
        _, count, items = self._upload
        if message.seq == len(items):
            items.append(_item_of(message))
        if len(items) < count:
            yield common.MAVLink_mission_request_int_message(*sender, len(items), kind)
            return
        self._upload, self._uploaded = None, kind
        yield common.MAVLink_mission_ack_message(*sender, self._keep(kind, items), kind)

    def _keep(self, kind: int, items: list[Item]) -> int:
        """Keep a plan that can be flown, and return the MAV_MISSION_RESULT; otherwise the plan before it stays."""
        autopilot = self.autopilot
        try:
            if kind == common.MAV_MISSION_TYPE_FENCE:
                autopilot.fence = zones_from_items(items, self.origin)
            elif kind == common.MAV_MISSION_TYPE_RALLY:
                autopilot.rally = [rally_place(number, item, self.origin) for number, item in enumerate(items, 1)]
            else:
                autopilot.mission.load([leg(number, item, self.origin) for number, item in enumerate(items, 1)])
        except ValueError as error:
            autopilot.say(2, f"Plan rejected: {error}"[:50])
            return error.result if isinstance(error, RefusedItem) else int(common.MAV_MISSION_INVALID)
        self.kept[kind] = [as_kept(item) for item in items]
        return int(common.MAV_MISSION_ACCEPTED)


def _item_of(message: Any) -> Item:
    """Return the item in a MISSION_ITEM_INT, or in the older MISSION_ITEM with degrees."""
    if message.get_type() == "MISSION_ITEM_INT":
        return Item.from_message(message)
    parameters = (message.param1, message.param2, message.param3, message.param4)
    place = (round(DEGREE_UNITS * message.x), round(DEGREE_UNITS * message.y))
    return Item(message.command, message.frame, parameters, *place, message.z)


def _message(receiver: tuple[int, int], item: Item, number: int, kind: int) -> Any:
    return common.MAVLink_mission_item_int_message(
        *receiver, number, item.frame, item.command, 0, 1, *item.parameters, item.x, item.y, item.z, kind
    )
