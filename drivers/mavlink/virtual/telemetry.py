"""What a virtual autopilot streams, and the messages that it is asked for, each made of how it is now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.frames import Origin, heading, world_axes
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.autopilot import Autopilot
from embodied.autopilot import Estimate
from embodied.clock import Time
from embodied.messages import DroneState

RATES = {
    "HEARTBEAT": 1.0,
    "SYS_STATUS": 1.0,
    "BATTERY_STATUS": 1.0,
    "EXTENDED_SYS_STATE": 2.0,
    "GPS_RAW_INT": 5.0,
    "GLOBAL_POSITION_INT": 10.0,
    "HOME_POSITION": 0.5,
    "ESTIMATOR_STATUS": 1.0,
    "LOCAL_POSITION_NED": 30.0,
    "ATTITUDE_QUATERNION": 30.0,
    "ATTITUDE": 20.0,
    "MISSION_CURRENT": 1.0,
}
"""How often each is sent, unless somebody asks for another rate [Hz]."""

FASTEST = 100.0
"""[Hz]"""

SENSORS = (
    common.MAV_SYS_STATUS_SENSOR_3D_GYRO
    | common.MAV_SYS_STATUS_SENSOR_3D_ACCEL
    | common.MAV_SYS_STATUS_SENSOR_3D_MAG
    | common.MAV_SYS_STATUS_SENSOR_ABSOLUTE_PRESSURE
    | common.MAV_SYS_STATUS_SENSOR_GPS
    | common.MAV_SYS_STATUS_AHRS
    | common.MAV_SYS_STATUS_SENSOR_BATTERY
)

CAPABILITIES = (
    common.MAV_PROTOCOL_CAPABILITY_MISSION_INT
    | common.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
    | common.MAV_PROTOCOL_CAPABILITY_PARAM_ENCODE_BYTEWISE
    | common.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
    | common.MAV_PROTOCOL_CAPABILITY_MAVLINK2
    | common.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
)

VERSION = 1 << 24 | 15 << 16 | 4 << 8 | 0xFF
"""Of the firmware that it takes after: PX4 1.15.4, a release."""


@dataclass
class Telemetry:
    """How it is, as messages.

    Attributes:
        autopilot: its mind.
        origin: where on earth its world's origin is.
        unique: its number, 18 bytes.
        estimate: how it flies.
        voltage: of its battery [V].
        ready: whether it knows where it is.
        waited: how long it was on before its world's clock began [ns].
    """

    autopilot: Autopilot
    origin: Origin
    unique: bytes
    estimate: Estimate
    voltage: float
    ready: bool = False
    waited: int = 0

    def __post_init__(self) -> None:
        self._rates = dict(RATES)
        self._due = dict.fromkeys(RATES, 0)

    def due(self, now: Time) -> Iterator[Any]:
        """The messages whose time has come, by its world's clock."""
        now = Time(now + self.waited)
        for kind, rate in self._rates.items():
            if rate and now >= self._due[kind]:
                self._due[kind] = max(self._due[kind] + round(1e9 / rate), now)
                yield self.message(kind)

    def pace(self, number: int, interval: float) -> bool:
        """Send a kind at another rate; whether there is such a stream.

        Args:
            number: of the kind.
            interval: between two [µs]; 0 for the usual one, -1 for none.
        """
        kind = _name(number)
        if kind not in RATES or not math.isfinite(interval):
            return False
        self._rates[kind] = RATES[kind] if interval == 0 else 0.0 if interval < 0 else min(1e6 / interval, FASTEST)
        return True

    def asked(self, number: int) -> Any:
        """The message of a kind that was asked for; None if there is none."""
        kind = _name(number)
        return self.message(kind) if hasattr(self, f"_{kind.lower()}") else None

    def message(self, kind: str) -> Any:
        """The message of a kind."""
        return getattr(self, f"_{kind.lower()}")()

    @property
    def clock(self) -> Time:
        """Its own, which runs since it is on, at the newest estimate."""
        return Time(self.estimate.acquired + self.waited)

    @property
    def _ms(self) -> int:
        return self.clock // 1_000_000

    def _heartbeat(self) -> Any:
        mind = self.autopilot
        base = common.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
        base |= common.MAV_MODE_FLAG_SAFETY_ARMED if mind.armed else 0
        base |= common.MAV_MODE_FLAG_AUTO_ENABLED if mind.mode.value[0] in (4, 6) else 0
        system = common.MAV_STATE_ACTIVE if mind.armed else common.MAV_STATE_STANDBY
        kind = common.MAV_TYPE_QUADROTOR
        return common.MAVLink_heartbeat_message(kind, common.MAV_AUTOPILOT_PX4, base, mind.mode.custom, system, 3)

    def _sys_status(self) -> Any:
        check = common.MAV_SYS_STATUS_PREARM_CHECK
        health = SENSORS | (0 if any(self.autopilot.unready()) else check)
        millivolts, percent = round(1000 * self.voltage), math.floor(100 * self.autopilot.charge)
        return common.MAVLink_sys_status_message(
            *(SENSORS | check, SENSORS | check, health), 200, millivolts, -1, percent, *(0, 0, 0, 0, 0, 0)
        )

    def _battery_status(self) -> Any:
        return codec.charged(self.autopilot.charge, self.voltage, None)

    def _extended_sys_state(self) -> Any:
        mind = self.autopilot
        landed = common.MAV_LANDED_STATE_ON_GROUND if mind.landed else common.MAV_LANDED_STATE_IN_AIR
        if not mind.landed and mind.mode in (Mode.TAKEOFF, Mode.LAND):
            taking = mind.mode is Mode.TAKEOFF
            landed = common.MAV_LANDED_STATE_TAKEOFF if taking else common.MAV_LANDED_STATE_LANDING
        return common.MAVLink_extended_sys_state_message(common.MAV_VTOL_STATE_UNDEFINED, landed)

    def _gps_raw_int(self) -> Any:
        latitude, longitude, altitude = self._globe()
        fix = common.GPS_FIX_TYPE_3D_FIX if self.ready else common.GPS_FIX_TYPE_NO_FIX
        speed = round(100 * float(np.linalg.norm(self.estimate.velocity[:2])))
        return common.MAVLink_gps_raw_int_message(
            self._ms * 1000, fix, latitude, longitude, altitude, 80, 90, speed, 65535, 12
        )

    def _global_position_int(self) -> Any:
        latitude, longitude, altitude = self._globe()
        home = self.autopilot.home
        relative = round(1000 * float(self.estimate.position[2] - (0.0 if home is None else home[2])))
        speed = (round(100 * float(value)) for value in world_axes(self.estimate.velocity))
        north = round(100 * math.degrees(heading(self.yaw))) % 36000
        return common.MAVLink_global_position_int_message(
            self._ms, latitude, longitude, altitude, relative, *speed, north
        )

    def _home_position(self) -> Any:
        home = self.autopilot.home
        if home is None:
            return None
        latitude, longitude = self.origin.globe(float(home[0]), float(home[1]))
        altitude = round(1000 * (self.origin.altitude + float(home[2])))
        place = map(float, world_axes(home))
        still = [1.0, 0.0, 0.0, 0.0]
        return common.MAVLink_home_position_message(
            *(round(1e7 * latitude), round(1e7 * longitude), altitude), *place, still, *(0.0, 0.0, 0.0)
        )

    def _gps_global_origin(self) -> Any:
        if not self.ready:
            return None
        origin = self.origin
        return common.MAVLink_gps_global_origin_message(
            round(1e7 * origin.latitude), round(1e7 * origin.longitude), round(1000 * origin.altitude)
        )

    def _estimator_status(self) -> Any:
        flags = common.ESTIMATOR_ATTITUDE
        if self.ready:
            flags |= common.ESTIMATOR_VELOCITY_HORIZ | common.ESTIMATOR_VELOCITY_VERT
            flags |= common.ESTIMATOR_POS_HORIZ_REL | common.ESTIMATOR_POS_HORIZ_ABS | common.ESTIMATOR_POS_VERT_ABS
        return common.MAVLink_estimator_status_message(self._ms * 1000, flags, *(0.1,) * 6, 0.05, 0.1)

    def _local_position_ned(self) -> Any:
        return codec.place(self._state(), self._ms) if self.ready else None

    def _attitude_quaternion(self) -> Any:
        return codec.turned(self._state(), self._ms)

    def _attitude(self) -> Any:
        turned = self._attitude_quaternion()
        w, x, y, z = turned.q1, turned.q2, turned.q3, turned.q4
        roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
        pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
        yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        return common.MAVLink_attitude_message(
            self._ms, roll, pitch, yaw, turned.rollspeed, turned.pitchspeed, turned.yawspeed
        )

    def _mission_current(self) -> Any:
        mind = self.autopilot
        return common.MAVLink_mission_current_message(min(mind.leg, max(len(mind.mission) - 1, 0)), len(mind.mission))

    def _autopilot_version(self) -> Any:
        empty = [0] * 8
        return common.MAVLink_autopilot_version_message(
            CAPABILITIES, *(VERSION, VERSION, VERSION, 0), empty, empty, empty, *(0, 0, 0), list(self.unique)
        )

    @property
    def yaw(self) -> float:
        """Of its forward axis from east [rad]."""
        x, y, z, w = self.estimate.orientation
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))

    def _globe(self) -> tuple[int, int, int]:
        east, north, up = map(float, self.estimate.position)
        latitude, longitude = self.origin.globe(east, north)
        return round(1e7 * latitude), round(1e7 * longitude), round(1000 * (self.origin.altitude + up))

    def _state(self) -> DroneState:
        estimate, mind = self.estimate, self.autopilot
        return DroneState(
            position=estimate.position,
            orientation=estimate.orientation,
            linear_velocity=estimate.velocity,
            angular_velocity=estimate.angular_velocity,
            armed=mind.armed,
            landed=mind.landed,
            mode=mind.mode.word,
            frame="",
            acquired=estimate.acquired,
        )


def _name(number: int) -> str:
    known = common.mavlink_map.get(number)
    return "" if known is None else str(known.msgname)
