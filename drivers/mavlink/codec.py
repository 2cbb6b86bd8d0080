"""MAVLink's messages to ours and back, no I/O. Source: mavlink.io, message set `common`; PX4 User Guide, "MAVLink"."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink.frames import attitude, body_axes, heading, world_axes
from drivers.mavlink.modes import told
from embodied.clock import Time
from embodied.messages import Battery, DroneCommand, DroneState, Vector

NO_POSITION, NO_VELOCITY, NO_ACCELERATION, NO_YAW, NO_YAW_RATE = 0x007, 0x038, 0x1C0, 0x400, 0x800
"""Bits of a set-point's mask for what is not in it."""

UNKNOWN = 0xFFFF
"""The voltage of a cell that is not there [mV]."""

VIRTUAL = b"embodied"
"""The first bytes of the 18 by which a virtual autopilot is known; no maker's begin so."""

Value = int | float
"""Of a parameter: PX4 has 32-bit integers and single precision, and keeps them apart."""


def setpoint(command: DroneCommand, since_boot: int, system: int) -> Any:
    """What goes over the wire for a command.

    Args:
        command: with a position, a velocity, or both.
        since_boot: by the sender's clock [ms].
        system: id of the vehicle that is meant.
    """
    mask = NO_ACCELERATION | NO_YAW_RATE
    mask |= 0 if command.position is not None else NO_POSITION
    mask |= 0 if command.velocity is not None else NO_VELOCITY
    mask |= 0 if command.yaw is not None else NO_YAW
    nothing = np.zeros(3)
    place = world_axes(nothing if command.position is None else command.position)
    speed = world_axes(nothing if command.velocity is None else command.velocity)
    yaw = 0.0 if command.yaw is None else heading(command.yaw)
    return common.MAVLink_set_position_target_local_ned_message(
        since_boot & 0xFFFFFFFF,
        system,
        common.MAV_COMP_ID_AUTOPILOT1,
        common.MAV_FRAME_LOCAL_NED,
        mask,
        *map(float, place),
        *map(float, speed),
        *(0.0, 0.0, 0.0),
        yaw,
        0.0,
    )


def single(command: DroneCommand) -> DroneCommand:
    """A command as it is after the wire, in single precision."""

    def rounded(vector: Vector | None) -> Vector | None:
        return None if vector is None else np.asarray(vector, dtype=np.float32).astype(np.float64)

    yaw = None if command.yaw is None else heading(float(np.float32(heading(command.yaw))))
    return DroneCommand(
        position=rounded(command.position), velocity=rounded(command.velocity), yaw=yaw, frame=command.frame
    )


def command(message: Any, frame: str) -> DroneCommand:
    """What a set-point asks for.

    Args:
        message: SET_POSITION_TARGET_LOCAL_NED.
        frame: name of the local frame.
    """
    mask = message.type_mask
    place = world_axes(np.array([message.x, message.y, message.z]))
    speed = world_axes(np.array([message.vx, message.vy, message.vz]))
    return DroneCommand(
        position=None if mask & NO_POSITION else place,
        velocity=None if mask & NO_VELOCITY else speed,
        yaw=None if mask & NO_YAW else heading(message.yaw) if math.isfinite(message.yaw) else message.yaw,
        frame=frame,
    )


def state(place: Any, turned: Any, beat: Any, landed: bool, frame: str, now: Time) -> DroneState:
    """How a vehicle flies.

    Args:
        place: LOCAL_POSITION_NED.
        turned: ATTITUDE_QUATERNION.
        beat: HEARTBEAT.
        landed: as EXTENDED_SYS_STATE has it.
        frame: name of the local frame.
        now: when it was acquired.
    """
    return DroneState(
        position=world_axes(np.array([place.x, place.y, place.z])),
        orientation=attitude(np.array([turned.q2, turned.q3, turned.q4, turned.q1])),
        linear_velocity=world_axes(np.array([place.vx, place.vy, place.vz])),
        angular_velocity=body_axes(np.array([turned.rollspeed, turned.pitchspeed, turned.yawspeed])),
        armed=armed(beat),
        landed=landed,
        mode=told(beat.custom_mode),
        frame=frame,
        acquired=now,
    )


def finite(*messages: Any) -> bool:
    """Whether every number in some messages is one."""
    values = [getattr(message, name) for message in messages for name in message.fieldnames]
    return all(math.isfinite(value) for value in values if isinstance(value, float))


def place(state: DroneState, since_boot: int) -> Any:
    """LOCAL_POSITION_NED of a state."""
    where, speed = world_axes(state.position), world_axes(state.linear_velocity)
    return common.MAVLink_local_position_ned_message(since_boot, *map(float, where), *map(float, speed))


def turned(state: DroneState, since_boot: int) -> Any:
    """ATTITUDE_QUATERNION of a state."""
    x, y, z, w = map(float, attitude(state.orientation))
    rates = body_axes(state.angular_velocity)
    return common.MAVLink_attitude_quaternion_message(since_boot, w, x, y, z, *map(float, rates))


def armed(beat: Any) -> bool:
    """Whether a heartbeat says that the motors may turn."""
    return bool(beat.base_mode & common.MAV_MODE_FLAG_SAFETY_ARMED)


def battery(message: Any, now: Time) -> Battery | None:
    """What BATTERY_STATUS says; None where it says nothing of use."""
    cells = [cell for cell in (*message.voltages, *message.voltages_ext) if cell not in (0, UNKNOWN)]
    if not cells or message.battery_remaining < 0:
        return None
    current = None if message.current_battery < 0 else -message.current_battery / 100.0
    return Battery(voltage=sum(cells) / 1000.0, current=current, charge=message.battery_remaining / 100.0, acquired=now)


def charged(charge: float, voltage: float, current: float | None) -> Any:
    """BATTERY_STATUS.

    Args:
        charge: 0 to 1.
        voltage: of the whole [V].
        current: that it gives [A]; None if it is not measured.
    """
    cells = [min(round(1000 * voltage), UNKNOWN - 1)] + [UNKNOWN] * 9
    drawn = -1 if current is None else round(100 * current)
    return common.MAVLink_battery_status_message(
        0,
        common.MAV_BATTERY_FUNCTION_ALL,
        common.MAV_BATTERY_TYPE_LIPO,
        32767,
        cells,
        drawn,
        -1,
        -1,
        max(0, min(100, math.floor(100 * charge))),
    )


def packed(value: Value) -> tuple[float, int]:
    """A parameter's value as PX4 wants it in its float, byte for byte, and its type.

    Raises:
        ValueError: it is not finite, or an integer of more than 32 bits.
    """
    if isinstance(value, int):
        if not -(2**31) <= value < 2**31:
            raise ValueError(f"{value} does not fit into 32 bits")
        bits: float = struct.unpack("<f", struct.pack("<i", value))[0]
        return bits, common.MAV_PARAM_TYPE_INT32
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return float(np.float32(value)), common.MAV_PARAM_TYPE_REAL32


def unpacked(value: float, kind: int) -> Value:
    """A parameter's value from the float and the type that came."""
    if kind == common.MAV_PARAM_TYPE_INT32:
        whole: int = struct.unpack("<i", struct.pack("<f", value))[0]
        return whole
    return float(value)


def name(text: str) -> bytes:
    """A parameter's name as it goes over the wire.

    Raises:
        ValueError: it has more than 16 characters, or others than ASCII.
    """
    data = text.encode("ascii", errors="replace")
    if not 0 < len(data) <= 16 or b"?" in data:
        raise ValueError(f"'{text}' is no name of a parameter: 1 to 16 ASCII characters")
    return data
