"""PX4 vehicle behind a session: its newest state, and commands for its mode, motors, plans and parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec, mission, transfer
from drivers.mavlink.codec import Value
from drivers.mavlink.coordinates import Origin, world_axes
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.mission import Item
from drivers.mavlink.modes import Mode, mode_name
from drivers.mavlink.session import Session
from embodied.clock import Time
from embodied.errors import DeviceLost, NoDevice, NotStopped
from embodied.messages import Battery, DroneCommand, DroneState, Vector
from embodied.node.identity import Identity

STREAM_RATES = {
    common.MAVLINK_MSG_ID_LOCAL_POSITION_NED: 50.0,
    common.MAVLINK_MSG_ID_ATTITUDE_QUATERNION: 50.0,
    common.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: 5.0,
    common.MAVLINK_MSG_ID_BATTERY_STATUS: 2.0,
}
"""Rates that are requested of the vehicle's messages [Hz]; a heartbeat comes once a second in any case."""

MULTIROTORS = {
    common.MAV_TYPE_QUADROTOR: "quadrotor",
    common.MAV_TYPE_HEXAROTOR: "hexarotor",
    common.MAV_TYPE_OCTOROTOR: "octorotor",
    common.MAV_TYPE_TRICOPTER: "tricopter",
}
"""Names of the types of vehicle that the driver flies, by MAV_TYPE."""

REST_SPEED = 0.3
"""Speed up to which a vehicle in wind counts as at rest [m/s]."""

REST_TIME = 0.5
"""Time at that speed after which a vehicle is at rest [s]."""

MODE_PERIOD = 0.2
"""Time between two requests of a mode [s]."""

REASON_TIME = 1.0
"""Time before and after a denial in which texts of the vehicle count as its reason [s]."""


class Vehicle:
    """PX4 vehicle at the other end of a session, with its newest state and its commands.

    Args:
        session: session with the vehicle.
        frame: name of its local frame.
    """

    def __init__(self, session: Session, frame: str) -> None:
        self.session = session
        self._frame = frame
        self._state_time = -1
        self._battery_time = 0.0

    def connect(self, seconds: float) -> None:
        """Wait for a heartbeat, and request the streams of messages.

        Args:
            seconds: longest time to wait [s].

        Raises:
            DeviceLost: no vehicle sends.
            NoDevice: others send, and this one does not.
        """
        session = self.session
        if session.wait_for(lambda m: m.get_type() == "HEARTBEAT", seconds) is None:
            missing = f"vehicle with system id {session.system}"
            if session.others:
                others = ", ".join(map(str, sorted(session.others)))
                raise NoDevice(missing, f"those that send have {others}: set 'system' to the one to fly")
            raise DeviceLost(f"no {missing} sends in {seconds:g} s, nor any other: is it on, and does it send here?")
        for number, rate in STREAM_RATES.items():
            session.command(common.MAV_CMD_SET_MESSAGE_INTERVAL, number, 1e6 / rate)

    def identity(self) -> Identity:
        """Read what the vehicle is, and why it is unfit for this driver, if it is.

        Raises:
            DeviceLost: the vehicle does not answer.
        """
        version = self.session.request(common.MAVLINK_MSG_ID_AUTOPILOT_VERSION, "AUTOPILOT_VERSION")
        if version is None:
            raise DeviceLost(f"the vehicle with system id {self.session.system} does not answer what it is")
        heartbeat, unique = self._newest("HEARTBEAT"), bytes(version.uid2)
        unfit = []
        if heartbeat.autopilot != common.MAV_AUTOPILOT_PX4:
            unfit.append(f"its autopilot must be PX4, got kind {heartbeat.autopilot} of MAV_AUTOPILOT")
        if heartbeat.type not in MULTIROTORS:
            unfit.append(f"it must be a multirotor, got kind {heartbeat.type} of MAV_TYPE")
        firmware = version.flight_sw_version
        return Identity(
            model=f"PX4 {MULTIROTORS.get(heartbeat.type, 'vehicle')}",
            serial=(unique.hex() if any(unique) else f"{version.uid:016x}"),
            firmware=".".join(str(firmware >> shift & 0xFF) for shift in (24, 16, 8)),
            virtual=unique.startswith(codec.VIRTUAL),
            unfit=tuple(unfit),
        )

    @property
    def mode(self) -> Mode | None:
        """Mode in its newest heartbeat; None for one that is not known here."""
        return Mode.from_custom(self._newest("HEARTBEAT").custom_mode)

    @property
    def mode_name(self) -> str:
        """Name of the mode in its newest heartbeat."""
        return mode_name(self._newest("HEARTBEAT").custom_mode)

    @property
    def armed(self) -> bool:
        """Whether its motors are armed, by its newest heartbeat."""
        return codec.is_armed(self._newest("HEARTBEAT"))

    @property
    def heartbeat_time(self) -> float:
        """Time at which its newest heartbeat came [s]."""
        return self.session.newest["HEARTBEAT"][1]

    @property
    def landed(self) -> bool:
        """Whether it stands on the ground; False before it has reported that."""
        newest = self.session.newest.get("EXTENDED_SYS_STATE")
        return newest is not None and newest[0].landed_state == common.MAV_LANDED_STATE_ON_GROUND

    @property
    def speed(self) -> float:
        """Magnitude of its velocity [m/s]; infinite before it has reported it."""
        newest = self.session.newest.get("LOCAL_POSITION_NED")
        return float("inf") if newest is None else float(np.linalg.norm([newest[0].vx, newest[0].vy, newest[0].vz]))

    @property
    def position(self) -> Vector | None:
        """Position in its local frame [m]; None before it has reported it."""
        newest = self.session.newest.get("LOCAL_POSITION_NED")
        return None if newest is None else world_axes(np.array([newest[0].x, newest[0].y, newest[0].z]))

    def state(self, now: Time) -> DroneState | None:
        """Return its state; None unless there is a new one that is finite and not stale.

        Args:
            now: time of acquisition.
        """
        newest = self.session.newest
        if "LOCAL_POSITION_NED" not in newest or "ATTITUDE_QUATERNION" not in newest:
            return None
        position, attitude = newest["LOCAL_POSITION_NED"][0], newest["ATTITUDE_QUATERNION"][0]
        if position.time_boot_ms <= self._state_time:
            return None
        self._state_time = position.time_boot_ms
        if self.session.is_stale(position.time_boot_ms) or not codec.is_finite(position, attitude):
            return None
        return codec.decode_state(position, attitude, self._newest("HEARTBEAT"), self.landed, self._frame, now)

    def battery(self, now: Time) -> Battery | None:
        """Return its battery; None unless there is a new report of it.

        Args:
            now: time of acquisition.
        """
        newest = self.session.newest.get("BATTERY_STATUS")
        if newest is None or newest[1] <= self._battery_time:
            return None
        self._battery_time = newest[1]
        return codec.decode_battery(newest[0], now)

    def origin(self) -> Origin | None:
        """Read the origin of its local frame; None if it does not know it yet."""
        answer = self.session.request(common.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN, "GPS_GLOBAL_ORIGIN")
        return None if answer is None else Origin(answer.latitude / 1e7, answer.longitude / 1e7, answer.altitude / 1e3)

    def home(self) -> Vector | None:
        """Read its home position in its local frame [m]; None if it does not know it yet."""
        answer = self.session.request(common.MAVLINK_MSG_ID_HOME_POSITION, "HOME_POSITION")
        return None if answer is None else world_axes(np.array([answer.x, answer.y, answer.z]))

    def set_parameters(self, parameters: Mapping[str, Value]) -> None:
        """Set parameters by name, and read each back."""
        for name, value in parameters.items():
            transfer.set_parameter(self.session, name, value)

    def set_fence(self, fence: Geofence, origin: Origin) -> None:
        """Upload a geofence and its ceiling, and read both back."""
        transfer.set_parameter(self.session, "GF_MAX_VER_DIST", float(fence.altitude))
        transfer.upload(self.session, mission.fence_items(fence, origin), common.MAV_MISSION_TYPE_FENCE)

    def set_mission(self, items: Sequence[Item]) -> None:
        """Upload a mission, and read it back."""
        transfer.upload(self.session, items, common.MAV_MISSION_TYPE_MISSION)

    def send_setpoint(self, command: DroneCommand) -> DroneCommand:
        """Send a set-point; return it in the precision in which it was sent."""
        self.session.send(codec.encode_setpoint(command, time.monotonic_ns() // 1_000_000, self.session.system))
        return codec.rounded(command)

    def request_mode(self, mode: Mode) -> None:
        """Request a mode, and a heartbeat that reports the result, without waiting."""
        main, sub = mode.value
        flag = common.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
        self.session.send(self.session.command_message(common.MAV_CMD_DO_SET_MODE, flag, main, sub))
        self._request_heartbeat()

    def request_arming(self) -> None:
        """Request that it arms, and a heartbeat that reports the result, without waiting."""
        self.session.send(self.session.command_message(common.MAV_CMD_COMPONENT_ARM_DISARM, 1.0))
        self._request_heartbeat()

    def change_mode(self, mode: Mode, seconds: float) -> None:
        """Request a mode until the vehicle reports it.

        Args:
            mode: mode to change to.
            seconds: longest time to wait [s].

        Raises:
            NotStopped: the vehicle does not report it in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.request_mode(mode)
            requested = time.monotonic()
            if self.session.wait_for(lambda m: m.get_type() == "HEARTBEAT" and self.mode is mode, MODE_PERIOD):
                return
        raise NotStopped(f"the vehicle is in {self.mode_name} instead of {mode.label}{self.reason(requested)}")

    def take_off(self, height: float, seconds: float) -> None:
        """Command a take-off, and wait until the vehicle reports that it has begun.

        Args:
            height: height above home [m].
            seconds: longest time to wait [s].

        Raises:
            NotStopped: the vehicle denies it.
        """
        home = self.session.request(common.MAVLINK_MSG_ID_HOME_POSITION, "HOME_POSITION")
        altitude = float("nan") if home is None else home.altitude / 1e3 + height
        requested, default = time.monotonic(), float("nan")
        result = self.session.command(common.MAV_CMD_NAV_TAKEOFF, *(default,) * 6, altitude)
        if result != common.MAV_RESULT_ACCEPTED:
            self.session.wait_for(lambda _: False, 0.2)
            denial = "no answer" if result is None else _result_name(result)
            raise NotStopped(f"the vehicle does not take off: {denial}{self.reason(requested)}")
        self._request_heartbeat()
        if self.session.wait_for(lambda m: m.get_type() == "HEARTBEAT" and self.mode is Mode.TAKEOFF, seconds) is None:
            raise NotStopped(f"the vehicle accepted to take off, and is in {self.mode_name}{self.reason(requested)}")

    def comes_to_rest(self, seconds: float) -> bool:
        """Wait until it has been slower than `REST_SPEED` for `REST_TIME`; return whether that came in time.

        Args:
            seconds: longest time to wait [s].
        """
        since: float | None = None

        def resting(message: Any) -> bool:
            nonlocal since
            if message.get_type() != "LOCAL_POSITION_NED":
                return False
            now = time.monotonic()
            since = None if self.speed > REST_SPEED else now if since is None else since
            return since is not None and now - since > REST_TIME

        return self.session.wait_for(resting, seconds) is not None

    def set_armed(self, armed: bool) -> None:
        """Arm or disarm its motors, and read that back.

        Raises:
            DeviceLost: the vehicle does not answer.
            NotStopped: the vehicle denies it; the message has its reason.
        """
        requested = time.monotonic()
        result = self.session.command(common.MAV_CMD_COMPONENT_ARM_DISARM, float(armed))
        word = "armed" if armed else "disarmed"
        if result is None:
            raise DeviceLost(f"the vehicle with system id {self.session.system} does not answer when it is {word}")
        if result != common.MAV_RESULT_ACCEPTED:
            self.session.wait_for(lambda _: False, 0.2)
            raise NotStopped(f"the vehicle is not {word}: {_result_name(result)}{self.reason(requested)}")
        self._request_heartbeat()
        if (
            self.session.wait_for(lambda m: m.get_type() == "HEARTBEAT" and self.armed is armed, 2 * REASON_TIME)
            is None
        ):
            raise NotStopped(
                f"the vehicle accepted to be {word}, and does not report that it is{self.reason(requested)}"
            )

    def reason(self, since: float) -> str:
        """Return its texts since about a time [s], in brackets; empty if there are none."""
        texts = dict.fromkeys(text for at, text in self.session.texts if at >= since - REASON_TIME)
        return f" ({'; '.join(texts)})" if texts else ""

    def _request_heartbeat(self) -> None:
        number = common.MAVLINK_MSG_ID_HEARTBEAT
        self.session.send(self.session.command_message(common.MAV_CMD_REQUEST_MESSAGE, number))

    def _newest(self, kind: str) -> Any:
        return self.session.newest[kind][0]


def _result_name(number: int) -> str:
    entry = common.enums["MAV_RESULT"].get(number)
    return entry.name if entry else f"result {number}"
