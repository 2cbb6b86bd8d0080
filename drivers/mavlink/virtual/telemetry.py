"""Telemetry of the virtual autopilot: messages about its newest state, streamed at their rates or on request."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.coordinates import Origin, body_axes, heading, world_axes
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.autopilot import Autopilot
from embodied.autopilot import Estimate
from embodied.clock import Time
from embodied.geometry import roll_pitch_yaw, rotation
from embodied.messages import DroneState, Vector

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
    "ALTITUDE": 1.0,
    "VFR_HUD": 4.0,
    "HIGHRES_IMU": 0.0,
    "SYSTEM_TIME": 0.0,
    "POSITION_TARGET_LOCAL_NED": 0.0,
}
"""Rates of the streams, unless a client sets another; 0 for one that comes on request alone [Hz]."""

RATE_MOST = 100.0
"""Highest rate of a stream [Hz]."""

SENSORS = (
    common.MAV_SYS_STATUS_SENSOR_3D_GYRO
    | common.MAV_SYS_STATUS_SENSOR_3D_ACCEL
    | common.MAV_SYS_STATUS_SENSOR_3D_MAG
    | common.MAV_SYS_STATUS_SENSOR_ABSOLUTE_PRESSURE
    | common.MAV_SYS_STATUS_SENSOR_GPS
    | common.MAV_SYS_STATUS_AHRS
    | common.MAV_SYS_STATUS_SENSOR_BATTERY
)
"""Sensors in SYS_STATUS, all of which are present, enabled and healthy."""

CAPABILITIES = (
    common.MAV_PROTOCOL_CAPABILITY_MISSION_INT
    | common.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
    | common.MAV_PROTOCOL_CAPABILITY_PARAM_ENCODE_BYTEWISE
    | common.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
    | common.MAV_PROTOCOL_CAPABILITY_MAVLINK2
    | common.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
    | common.MAV_PROTOCOL_CAPABILITY_SET_ATTITUDE_TARGET
    | common.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
    | common.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
)
"""Capabilities in AUTOPILOT_VERSION."""

VERSION = 1 << 24 | 15 << 16 | 4 << 8 | 0xFF
"""Version of the firmware that it resembles: PX4 1.15.4, a release."""


@dataclass
class Telemetry:
    """Telemetry of one virtual autopilot.

    Attributes:
        autopilot: autopilot whose state it reports.
        origin: place of its world's origin on the globe.
        unique: unique number of the autopilot, 18 bytes.
        estimate: newest estimated state of the vehicle.
        voltage: voltage of its battery [V].
        ready: whether the estimate has a position.
        offset: its own clock minus that of its world [ns].
        inertial: specific force [m/s²] and angular velocity [rad/s] in the body's axes, shape (3,) each.
        batteries: charges that further batteries report, 0 to 1, by their ids.
    """

    autopilot: Autopilot
    origin: Origin
    unique: bytes
    estimate: Estimate
    voltage: float
    ready: bool = False
    offset: int = 0
    inertial: tuple[Vector, Vector] = (np.zeros(3), np.zeros(3))
    batteries: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Stream at the rates by default, each message once at the beginning."""
        self._rates = dict(RATES)
        self._due = dict.fromkeys(RATES, 0)

    def due(self, now: Time) -> Iterator[Any]:
        """Yield the messages that are due at a time of its world's clock."""
        now = Time(now + self.offset)
        for kind, rate in self._rates.items():
            if rate and now >= self._due[kind]:
                self._due[kind] = max(self._due[kind] + round(1e9 / rate), now)
                yield self.message(kind)
        yield from self._events()

    def _events(self) -> Iterator[Any]:
        """Yield a message for each step of the mission that was reached, and for each further battery."""
        reached, self.autopilot.mission.reached = self.autopilot.mission.reached, []
        for index in reached:
            yield common.MAVLink_mission_item_reached_message(index)
        if self._battery_reported:
            self._battery_reported = False
            for number, charge in self.batteries.items():
                yield codec.encode_battery(charge, self.voltage, None, number)

    def set_interval(self, number: int, interval: float) -> bool:
        """Set the interval of a stream; return whether there is such a stream.

        Args:
            number: id of the message.
            interval: time between two messages [µs]; 0 for that by default, -1 for no messages.
        """
        kind = _name(number)
        if kind not in RATES or not math.isfinite(interval):
            return False
        self._rates[kind] = RATES[kind] if interval == 0 else 0.0 if interval < 0 else min(1e6 / interval, RATE_MOST)
        return True

    def requested(self, number: int) -> Any:
        """Return the message of an id; None if there is no such message, or nothing to report in it."""
        kind = _name(number)
        return self.message(kind) if hasattr(self, f"_{kind.lower()}") else None

    def message(self, kind: str) -> Any:
        """Return the message of a type."""
        return getattr(self, f"_{kind.lower()}")()

    @property
    def clock(self) -> Time:
        """Time of its own clock, which runs from power on, at the newest estimate."""
        return Time(self.estimate.acquired + self.offset)

    @property
    def _ms(self) -> int:
        return self.clock // 1_000_000

    def _heartbeat(self) -> Any:
        autopilot = self.autopilot
        base = common.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
        base |= common.MAV_MODE_FLAG_SAFETY_ARMED if autopilot.armed else 0
        base |= common.MAV_MODE_FLAG_AUTO_ENABLED if autopilot.mode.value[0] in (4, 6) else 0
        system = common.MAV_STATE_ACTIVE if autopilot.armed else common.MAV_STATE_STANDBY
        kind = common.MAV_TYPE_QUADROTOR
        return common.MAVLink_heartbeat_message(kind, common.MAV_AUTOPILOT_PX4, base, autopilot.mode.custom, system, 3)

    def _sys_status(self) -> Any:
        check = common.MAV_SYS_STATUS_PREARM_CHECK
        health = SENSORS | (0 if any(self.autopilot.denials()) else check)
        millivolts, percent = round(1000 * self.voltage), math.floor(100 * self.autopilot.charge)
        return common.MAVLink_sys_status_message(
            *(SENSORS | check, SENSORS | check, health), 200, millivolts, -1, percent, *(0, 0, 0, 0, 0, 0)
        )

    _battery_reported = False

    def _battery_status(self) -> Any:
        self._battery_reported = True
        return codec.encode_battery(self.autopilot.charge, self.voltage, None)

    def _extended_sys_state(self) -> Any:
        autopilot = self.autopilot
        landed = common.MAV_LANDED_STATE_ON_GROUND if autopilot.landed else common.MAV_LANDED_STATE_IN_AIR
        if not autopilot.landed and autopilot.mode in (Mode.TAKEOFF, Mode.LAND):
            taking = autopilot.mode is Mode.TAKEOFF
            landed = common.MAV_LANDED_STATE_TAKEOFF if taking else common.MAV_LANDED_STATE_LANDING
        return common.MAVLink_extended_sys_state_message(common.MAV_VTOL_STATE_UNDEFINED, landed)

    def _gps_raw_int(self) -> Any:
        latitude, longitude, altitude = self._geodetic()
        fix = common.GPS_FIX_TYPE_3D_FIX if self.ready else common.GPS_FIX_TYPE_NO_FIX
        speed = round(100 * float(np.linalg.norm(self.estimate.velocity[:2])))
        return common.MAVLink_gps_raw_int_message(
            self._ms * 1000, fix, latitude, longitude, altitude, 80, 90, speed, 65535, 12
        )

    def _global_position_int(self) -> Any:
        latitude, longitude, altitude = self._geodetic()
        home = self.autopilot.home
        relative = round(1000 * float(self.estimate.position[2] - (0.0 if home is None else home[2])))
        speed = (round(100 * float(value)) for value in world_axes(self.estimate.velocity))
        north = round(100 * math.degrees(heading(self.estimate.yaw))) % 36000
        return common.MAVLink_global_position_int_message(
            self._ms, latitude, longitude, altitude, relative, *speed, north
        )

    def _home_position(self) -> Any:
        home = self.autopilot.home
        if home is None:
            return None
        latitude, longitude = self.origin.geodetic(float(home[0]), float(home[1]))
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
        return codec.encode_position(self._state(), self._ms) if self.ready else None

    def _attitude_quaternion(self) -> Any:
        return codec.encode_attitude(self._state(), self._ms)

    def _attitude(self) -> Any:
        turned = self._attitude_quaternion()
        angles = roll_pitch_yaw(rotation(np.array([turned.q2, turned.q3, turned.q4, turned.q1])))
        rates = turned.rollspeed, turned.pitchspeed, turned.yawspeed
        return common.MAVLink_attitude_message(self._ms, *angles.tolist(), *rates)

    def _altitude(self) -> Any:
        up = float(self.estimate.position[2])
        home = self.autopilot.home
        above_home, sea = up - (0.0 if home is None else float(home[2])), self.origin.altitude + up
        return common.MAVLink_altitude_message(self._ms * 1000, sea, sea, up, above_home, math.nan, math.nan)

    def _vfr_hud(self) -> Any:
        east, north, climb = map(float, self.estimate.velocity)
        degrees = round(math.degrees(heading(self.estimate.yaw))) % 360
        sea = self.origin.altitude + float(self.estimate.position[2])
        ground = math.hypot(east, north)
        return common.MAVLink_vfr_hud_message(ground, ground, degrees, 0, sea, climb)

    def _highres_imu(self) -> Any:
        force, turning = (body_axes(vector) for vector in self.inertial)
        # Acceleration, angular velocity and height are measured; it has no magnetometer and no barometer.
        up = float(self.estimate.position[2])
        updated = 0x3F | 0x800
        return common.MAVLink_highres_imu_message(
            self._ms * 1000, *map(float, force), *map(float, turning), *(0.0, 0.0, 0.0), *(0.0, 0.0), up, 20.0, updated
        )

    def _position_target_local_ned(self) -> Any:
        target = self.autopilot.target
        if target is None:
            return None
        # Its mask is empty, and what is left open is NaN, as in PX4.
        numbers = (*map(float, world_axes(target.position)), *map(float, world_axes(target.velocity)), *(math.nan,) * 3)
        frame = common.MAV_FRAME_LOCAL_NED
        yaw = math.nan if target.yaw is None else heading(target.yaw)
        return common.MAVLink_position_target_local_ned_message(self._ms, frame, 0, *numbers, yaw, math.nan)

    def _system_time(self) -> Any:
        return common.MAVLink_system_time_message(0, self._ms)

    def _mission_current(self) -> Any:
        mission = self.autopilot.mission
        count = len(mission.legs)
        return common.MAVLink_mission_current_message(min(mission.current, max(count - 1, 0)), count)

    def _autopilot_version(self) -> Any:
        empty = [0] * 8
        return common.MAVLink_autopilot_version_message(
            CAPABILITIES, *(VERSION, VERSION, VERSION, 0), empty, empty, empty, *(0, 0, 0), list(self.unique)
        )

    def _geodetic(self) -> tuple[int, int, int]:
        east, north, up = map(float, self.estimate.position)
        latitude, longitude = self.origin.geodetic(east, north)
        return round(1e7 * latitude), round(1e7 * longitude), round(1000 * (self.origin.altitude + up))

    def _state(self) -> DroneState:
        estimate, autopilot = self.estimate, self.autopilot
        return DroneState(
            position=estimate.position,
            orientation=estimate.orientation,
            linear_velocity=estimate.velocity,
            angular_velocity=estimate.angular_velocity,
            armed=autopilot.armed,
            landed=autopilot.landed,
            mode=autopilot.mode.label,
            frame="",
            acquired=estimate.acquired,
        )


def _name(number: int) -> str:
    known = common.mavlink_map.get(number)
    return "" if known is None else str(known.msgname)
