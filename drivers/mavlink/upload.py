"""Parameters and plans brought to a vehicle, and read back. Source: mavlink.io, "Mission" and "Parameter Protocol"."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.codec import Value
from drivers.mavlink.mission import Item
from drivers.mavlink.session import ANSWER, AUTOPILOT, TRIES, Session
from embodied.errors import DeviceLost

LONGEST = 30.0
"""A plan takes no longer than this [s]."""


class Refused(ValueError):
    """The vehicle does not take it, or has something else afterwards."""


def parameter(session: Session, name: str, value: Value | None = None) -> Value:
    """Read a parameter, or set it and read it back.

    Args:
        session: with the vehicle.
        name: of the parameter.
        value: to set; None only reads. An integer is never made of a float, nor the other way round.

    Raises:
        DeviceLost: there is no answer.
        Refused: it is of the other type, or it is something else afterwards.
        ValueError: the value is not finite, or the name is none.
    """
    named = codec.name(name)
    kind = None
    if value is not None:
        bits, kind = codec.packed(value)
        have = parameter(session, name)
        if type(have) is not type(value):
            raise Refused(f"the parameter {name} is {_words(have)}, and {value!r} is {_words(value)}")
        message = common.MAVLink_param_set_message(session.system, AUTOPILOT, named, bits, kind)
    else:
        message = common.MAVLink_param_request_read_message(session.system, AUTOPILOT, named, -1)
    answer = session.ask(message, lambda m: m.get_type() == "PARAM_VALUE" and m.param_id == name)
    if answer is None:
        raise DeviceLost(f"the vehicle does not answer about its parameter {name}: is there such a one?")
    found = codec.unpacked(answer.param_value, answer.param_type)
    if value is not None and not math.isclose(found, value, rel_tol=1e-6):
        raise Refused(f"the parameter {name} was set to {value}, and the vehicle keeps {found}")
    return found


def upload(session: Session, plan: Sequence[Item], kind: int) -> None:
    """Bring a plan to a vehicle in place of the one it has, and compare what it has then.

    Args:
        session: with the vehicle.
        plan: its items; none clears it.
        kind: MAV_MISSION_TYPE.

    Raises:
        DeviceLost: there is no answer.
        Refused: the vehicle does not take it, or has another one afterwards.
    """
    message: Any = common.MAVLink_mission_count_message(session.system, AUTOPILOT, len(plan), kind)
    end = time.monotonic() + LONGEST
    tries = 0
    while True:
        session.send(message)
        asked = session.until(
            lambda m: _about(m, kind, ("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK")), ANSWER
        )
        if asked is None:
            tries += 1
        elif asked.get_type() == "MISSION_ACK":
            if asked.type != common.MAV_MISSION_ACCEPTED:
                raise Refused(f"the vehicle does not take it: {_result(asked.type)}{_said(session)}")
            break
        elif asked.seq < len(plan):
            message, tries = _message(session.system, plan[asked.seq], asked.seq, kind), 0
        if tries >= TRIES or time.monotonic() > end:
            raise DeviceLost("the vehicle went silent while a plan was brought to it")
    found = download(session, kind)
    if len(found) != len(plan) or not all(a.same(b) for a, b in zip(plan, found, strict=True)):
        raise Refused(f"the vehicle took {len(plan)} items, and has others afterwards: {found}")


def download(session: Session, kind: int) -> list[Item]:
    """The plan that a vehicle has.

    Raises:
        DeviceLost: there is no answer.
    """
    order = common.MAVLink_mission_request_list_message(session.system, AUTOPILOT, kind)
    count = session.ask(order, lambda m: _about(m, kind, ("MISSION_COUNT",)))
    if count is None:
        raise DeviceLost("the vehicle does not say what plan it has")
    found = []
    for number in range(count.count):
        wanted = common.MAVLink_mission_request_int_message(session.system, AUTOPILOT, number, kind)
        item = session.ask(wanted, lambda m: _about(m, kind, ("MISSION_ITEM_INT",)) and m.seq == number)  # noqa: B023
        if item is None:
            raise DeviceLost(f"the vehicle does not say what item {number + 1} of its plan is")
        found.append(Item.of(item))
    session.send(common.MAVLink_mission_ack_message(session.system, AUTOPILOT, common.MAV_MISSION_ACCEPTED, kind))
    return found


def _message(system: int, item: Item, number: int, kind: int) -> Any:
    return common.MAVLink_mission_item_int_message(
        system,
        AUTOPILOT,
        number,
        item.frame,
        item.command,
        0,
        1,
        *item.parameters,
        item.x,
        item.y,
        item.z,
        kind,
    )


def _about(message: Any, kind: int, types: tuple[str, ...]) -> bool:
    return message.get_type() in types and message.mission_type == kind


def _words(value: Value) -> str:
    return "an integer" if isinstance(value, int) else "a number with a fraction"


def _result(number: int) -> str:
    entry = common.enums["MAV_MISSION_RESULT"].get(number)
    return entry.name if entry else f"result {number}"


def _said(session: Session) -> str:
    return f" ({session.texts[-1][1]})" if session.texts else ""
