"""Codec of MAVLink messages: commands, states, batteries and parameters to messages and back, no I/O.

Source: mavlink.io, message set `common`; PX4 User Guide, "MAVLink".
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import attitude, body_axes, heading, world_axes
from drivers.mavlink.modes import mode_name
from embodied.clock import Time
from embodied.messages import Battery, DroneCommand, DroneState, Vector

NO_POSITION = 0x007
"""Bits of a set-point's mask for a missing position."""

NO_VELOCITY = 0x038
"""Bits of a set-point's mask for a missing velocity."""

NO_ACCELERATION = 0x1C0
"""Bits of a set-point's mask for a missing acceleration."""

NO_YAW = 0x400
"""Bit of a set-point's mask for a missing yaw."""

NO_YAW_RATE = 0x800
"""Bit of a set-point's mask for a missing yaw rate."""

NO_CELL = 0xFFFF
"""Voltage of a cell that does not exist [mV]."""

VIRTUAL = b"embodied"
"""First bytes of the 18-byte unique number of a virtual autopilot; no maker's number begins with them."""

Value = int | float
"""Value of a parameter: PX4 keeps 32-bit integers and single-precision numbers apart."""


def encode_setpoint(command: DroneCommand, since_boot: int, system: int) -> Any:
    """Encode a drone command as MAVLink's SET_POSITION_TARGET_LOCAL_NED.

    Args:
        command: command with a position, a velocity, or both.
        since_boot: time of the sender's clock [ms].
        system: id of the vehicle.
    """
    mask = NO_ACCELERATION | NO_YAW_RATE
    mask |= 0 if command.position is not None else NO_POSITION
    mask |= 0 if command.velocity is not None else NO_VELOCITY
    mask |= 0 if command.yaw is not None else NO_YAW
    zero = np.zeros(3)
    position = world_axes(zero if command.position is None else command.position)
    velocity = world_axes(zero if command.velocity is None else command.velocity)
    yaw = 0.0 if command.yaw is None else heading(command.yaw)
    return common.MAVLink_set_position_target_local_ned_message(
        since_boot & 0xFFFFFFFF,
        system,
        common.MAV_COMP_ID_AUTOPILOT1,
        common.MAV_FRAME_LOCAL_NED,
        mask,
        *map(float, position),
        *map(float, velocity),
        *(0.0, 0.0, 0.0),
        yaw,
        0.0,
    )


def rounded(command: DroneCommand) -> DroneCommand:
    """Return a drone command in the single precision in which MAVLink transmits it."""

    def single(vector: Vector | None) -> Vector | None:
        return None if vector is None else np.asarray(vector, dtype=np.float32).astype(np.float64)

    yaw = None if command.yaw is None else heading(float(np.float32(heading(command.yaw))))
    return DroneCommand(
        position=single(command.position), velocity=single(command.velocity), yaw=yaw, frame=command.frame
    )


def decode_setpoint(message: Any, frame: str) -> DroneCommand:
    """Decode the drone command in MAVLink's SET_POSITION_TARGET_LOCAL_NED.

    Args:
        message: set-point.
        frame: name of the local frame.
    """
    mask = message.type_mask
    position = world_axes(np.array([message.x, message.y, message.z]))
    velocity = world_axes(np.array([message.vx, message.vy, message.vz]))
    return DroneCommand(
        position=None if mask & NO_POSITION else position,
        velocity=None if mask & NO_VELOCITY else velocity,
        yaw=None if mask & NO_YAW else heading(message.yaw) if math.isfinite(message.yaw) else message.yaw,
        frame=frame,
    )


def decode_state(position: Any, attitude_: Any, heartbeat: Any, landed: bool, frame: str, now: Time) -> DroneState:
    """Decode the drone state in the newest MAVLink messages of a vehicle.

    Args:
        position: LOCAL_POSITION_NED of the vehicle.
        attitude_: ATTITUDE_QUATERNION of the vehicle.
        heartbeat: HEARTBEAT of the vehicle.
        landed: whether it stands on the ground, by EXTENDED_SYS_STATE.
        frame: name of the local frame.
        now: time of acquisition.
    """
    return DroneState(
        position=world_axes(np.array([position.x, position.y, position.z])),
        orientation=attitude(np.array([attitude_.q2, attitude_.q3, attitude_.q4, attitude_.q1])),
        linear_velocity=world_axes(np.array([position.vx, position.vy, position.vz])),
        angular_velocity=body_axes(np.array([attitude_.rollspeed, attitude_.pitchspeed, attitude_.yawspeed])),
        armed=is_armed(heartbeat),
        landed=landed,
        mode=mode_name(heartbeat.custom_mode),
        frame=frame,
        acquired=now,
    )


def is_finite(*messages: Any) -> bool:
    """Return whether all floating-point fields of some MAVLink messages are finite."""
    values = [getattr(message, name) for message in messages for name in message.fieldnames]
    return all(math.isfinite(value) for value in values if isinstance(value, float))


def encode_position(state: DroneState, since_boot: int) -> Any:
    """Encode a drone state as MAVLink's LOCAL_POSITION_NED."""
    position, velocity = world_axes(state.position), world_axes(state.linear_velocity)
    return common.MAVLink_local_position_ned_message(since_boot, *map(float, position), *map(float, velocity))


def encode_attitude(state: DroneState, since_boot: int) -> Any:
    """Encode a drone state as MAVLink's ATTITUDE_QUATERNION."""
    x, y, z, w = map(float, attitude(state.orientation))
    rates = body_axes(state.angular_velocity)
    return common.MAVLink_attitude_quaternion_message(since_boot, w, x, y, z, *map(float, rates))


def is_armed(heartbeat: Any) -> bool:
    """Return whether a MAVLink heartbeat reports that the motors are armed."""
    return bool(heartbeat.base_mode & common.MAV_MODE_FLAG_SAFETY_ARMED)


def decode_battery(message: Any, now: Time) -> Battery | None:
    """Decode the battery in MAVLink's BATTERY_STATUS; None if it has no voltage, or no charge of 0 to 100 %."""
    cells = [cell for cell in (*message.voltages, *message.voltages_ext) if cell not in (0, NO_CELL)]
    if not cells or not 0 <= message.battery_remaining <= 100:
        return None
    current = None if message.current_battery < 0 else -message.current_battery / 100.0
    return Battery(voltage=sum(cells) / 1000.0, current=current, charge=message.battery_remaining / 100.0, acquired=now)


def encode_battery(charge: float, voltage: float, current: float | None, number: int = 0) -> Any:
    """Encode a battery as MAVLink's BATTERY_STATUS.

    Args:
        charge: charge of the battery, 0 to 1.
        voltage: voltage of all its cells together [V].
        current: current drawn from it [A]; None if it is not measured.
        number: id of the battery.
    """
    cells = [min(round(1000 * voltage), NO_CELL - 1)] + [NO_CELL] * 9
    drawn = -1 if current is None else round(100 * current)
    return common.MAVLink_battery_status_message(
        number,
        common.MAV_BATTERY_FUNCTION_ALL,
        common.MAV_BATTERY_TYPE_LIPO,
        32767,
        cells,
        drawn,
        -1,
        -1,
        max(0, min(100, math.floor(100 * charge))),
    )


def encode_value(value: Value) -> tuple[float, int]:
    """Encode a parameter's value as PX4 does, byte for byte in the float of a MAVLink message, with its MAV_PARAM_TYPE.

    Raises:
        ValueError: the value is not finite, or an integer of more than 32 bits.
    """
    if isinstance(value, int):
        if not -(2**31) <= value < 2**31:
            raise ValueError(f"{value} does not fit into 32 bits")
        bits: float = struct.unpack("<f", struct.pack("<i", value))[0]
        return bits, common.MAV_PARAM_TYPE_INT32
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return float(np.float32(value)), common.MAV_PARAM_TYPE_REAL32


def decode_value(value: float, kind: int) -> Value:
    """Decode a parameter's value from the float and the MAV_PARAM_TYPE of a MAVLink message.

    Raises:
        ValueError: the value is not finite.
    """
    if kind == common.MAV_PARAM_TYPE_INT32:
        integer: int = struct.unpack("<i", struct.pack("<f", value))[0]
        return integer
    if not math.isfinite(value):
        raise ValueError(f"the vehicle's value of a parameter is {value}, and must be finite")
    return float(value)


def encode_name(name: str) -> bytes:
    """Encode a parameter's name as MAVLink transmits it.

    Raises:
        ValueError: the name is not 1 to 16 ASCII characters.
    """
    data = name.encode("ascii", errors="replace")
    if not 0 < len(data) <= 16 or b"?" in data:
        raise ValueError(f"name of a parameter must be 1 to 16 ASCII characters, got '{name}'")
    return data
