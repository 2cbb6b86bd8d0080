"""Transfer of parameters and plans to a vehicle, each read back (mavlink.io, "Mission" and "Parameter Protocol")."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.codec import Value
from drivers.mavlink.mission import Item
from drivers.mavlink.session import AUTOPILOT, TRIES, Session
from embodied.errors import DeviceLost

UPLOAD_TIMEOUT = 30.0
"""Time in which a plan must be uploaded [s]."""


class Refused(ValueError):
    """Transfer that failed: a parameter or plan that the vehicle does not take, or keeps in another form."""


def read_parameter(session: Session, name: str) -> Value:
    """Transfer a parameter from a vehicle by the parameter protocol, and return its value.

    Args:
        session: session with the vehicle.
        name: name of the parameter.

    Raises:
        DeviceLost: there is no answer.
        ValueError: the name is too long or not ASCII, or the vehicle's value is not finite.
    """
    identifier = codec.encode_name(name)
    message = common.MAVLink_param_request_read_message(session.system, AUTOPILOT, identifier, -1)
    return _exchange(session, name, message)


def set_parameter(session: Session, name: str, value: Value) -> None:
    """Transfer a parameter to a vehicle, and read it back; integers and other numbers are never converted.

    Args:
        session: session with the vehicle.
        name: name of the parameter.
        value: value to set.

    Raises:
        DeviceLost: there is no answer.
        Refused: the parameter has the other type, or another value afterwards.
        ValueError: the value is not finite, or the name is too long or not ASCII.
    """
    bits, kind = codec.encode_value(value)
    before = read_parameter(session, name)
    if type(before) is not type(value):
        raise Refused(f"parameter {name} must be {_type_name(before)}, got {value!r}, {_type_name(value)}")
    if _equal(before, value):
        return
    message = common.MAVLink_param_set_message(session.system, AUTOPILOT, codec.encode_name(name), bits, kind)
    # An answer with another value may be a late one to the reading before.
    session.ask(
        message, lambda m: _is_value(m, name) and _equal(codec.decode_value(m.param_value, m.param_type), value)
    )
    session.flush()
    after = read_parameter(session, name)
    if not _equal(after, value):
        raise Refused(f"parameter {name} was set to {value}, and the vehicle keeps {after}")


def _is_value(message: Any, name: str) -> bool:
    return bool(message.get_type() == "PARAM_VALUE" and message.param_id == name)


def _equal(kept: Value, value: Value) -> bool:
    same = kept == value if isinstance(value, int) else math.isclose(kept, value, rel_tol=1e-6)
    return type(kept) is type(value) and same


def _exchange(session: Session, name: str, message: Any) -> Value:
    answer = session.ask(message, lambda m: _is_value(m, name))
    if answer is None:
        raise DeviceLost(f"the vehicle does not answer about its parameter {name}: does it have one of this name?")
    return codec.decode_value(answer.param_value, answer.param_type)


def upload(session: Session, items: Sequence[Item], kind: int) -> None:
    """Transfer a plan to a vehicle in place of its own, and read it back.

    Args:
        session: session with the vehicle.
        items: items of the plan; none clears it.
        kind: type of plan, a MAV_MISSION_TYPE.

    Raises:
        DeviceLost: there is no answer.
        Refused: the vehicle does not take the plan, or has another one afterwards.
    """
    message: Any = common.MAVLink_mission_count_message(session.system, AUTOPILOT, len(items), kind)
    # An answer that comes late is none to what is sent from here on.
    session.flush()
    deadline = time.monotonic() + UPLOAD_TIMEOUT
    tries = 0
    # The vehicle requests item by item; whatever was sent last is repeated until it requests the next.
    while True:
        session.send(message)
        answer = session.wait_for(
            lambda m: _concerns(m, kind, ("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK")),
            session.answer_timeout,
        )
        if answer is None:
            tries += 1
        elif answer.get_type() == "MISSION_ACK":
            if answer.type != common.MAV_MISSION_ACCEPTED:
                raise Refused(f"the vehicle does not take the plan: {_result_name(answer.type)}{_last_text(session)}")
            break
        elif answer.seq < len(items):
            message, tries = _message(session.system, items[answer.seq], answer.seq, kind), 0
        if tries >= TRIES or time.monotonic() > deadline:
            raise DeviceLost("the vehicle does not answer any more while a plan is uploaded")
    session.flush()
    kept = download(session, kind)
    if len(kept) != len(items) or not all(a.matches(b) for a, b in zip(items, kept, strict=True)):
        raise Refused(f"the vehicle took {len(items)} items, and has others afterwards: {kept}")


def download(session: Session, kind: int) -> list[Item]:
    """Transfer a plan from a vehicle by the mission protocol, and return its items.

    Args:
        session: session with the vehicle.
        kind: type of plan, a MAV_MISSION_TYPE.

    Raises:
        DeviceLost: there is no answer.
    """
    message = common.MAVLink_mission_request_list_message(session.system, AUTOPILOT, kind)
    count = session.ask(message, lambda m: _concerns(m, kind, ("MISSION_COUNT",)))
    if count is None:
        raise DeviceLost("the vehicle does not answer what plan it has")
    items = []
    for number in range(count.count):
        message = common.MAVLink_mission_request_int_message(session.system, AUTOPILOT, number, kind)
        item = session.ask(message, lambda m: _concerns(m, kind, ("MISSION_ITEM_INT",)) and m.seq == number)  # noqa: B023
        if item is None:
            raise DeviceLost(f"the vehicle does not answer what item {number + 1} of its plan is")
        items.append(Item.from_message(item))
    session.send(common.MAVLink_mission_ack_message(session.system, AUTOPILOT, common.MAV_MISSION_ACCEPTED, kind))
    return items


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


def _concerns(message: Any, kind: int, types: tuple[str, ...]) -> bool:
    return message.get_type() in types and message.mission_type == kind


def _type_name(value: Value) -> str:
    return "an integer" if isinstance(value, int) else "a number with a fraction"


def _result_name(number: int) -> str:
    entry = common.enums["MAV_MISSION_RESULT"].get(number)
    return entry.name if entry else f"result {number}"


def _last_text(session: Session) -> str:
    return f" ({session.texts[-1][1]})" if session.texts else ""
