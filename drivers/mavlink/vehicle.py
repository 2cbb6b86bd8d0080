"""PX4 vehicle behind a session: its newest state, and commands for its mode, motors, plans and parameters."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec, identity, mission, transfer
from drivers.mavlink.codec import Value
from drivers.mavlink.coordinates import Origin, world_axes
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.mission import Item
from drivers.mavlink.modes import Denied, Mode, mode_name
from drivers.mavlink.parts import PARTS, STREAM_RATES
from drivers.mavlink.session import SAMPLES, Session
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, NoDevice, NotStopped
from embodied.messages import Battery, DroneCommand, DroneState, Vector
from embodied.node.identity import Identity

REST_SPEED = 0.3
"""Speed up to which a vehicle in wind counts as at rest [m/s]."""

REST_TIME = 0.5
"""Time at that speed after which a vehicle is at rest [s]."""

HEARTBEAT_TIMEOUT = 3.0
"""Time for a heartbeat, of one a second, to come [s]."""

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
        self._published: tuple[Any, ...] = (None, None)  # samples of the newest state
        self._state_time = Time(0)
        self._battery_time = 0.0

    def connect(self, seconds: float) -> None:
        """Wait for a heartbeat, requested as soon as the vehicle sends anything, and request the streams.

        Args:
            seconds: longest time to wait [s].

        Raises:
            DeviceLost: no vehicle sends.
            NoDevice: others send, and this one does not.
        """
        session, deadline = self.session, time.monotonic() + seconds
        if session.wait_for(lambda _: True, seconds) is not None and self._heartbeat is None:
            self._request_heartbeat()  # it comes once a second anyway; now it comes at once
            session.wait_for(lambda m: m.get_type() == "HEARTBEAT", deadline - time.monotonic())
        if self._heartbeat is None:
            missing = f"vehicle with system id {session.system}"
            if session.others:
                others = ", ".join(map(str, sorted(session.others)))
                raise NoDevice(missing, f"those that send have {others}: set 'system' to the one to fly")
            raise DeviceLost(f"no {missing} sends in {seconds:g} s, nor any other: is it on, and does it send here?")
        session.flush()
        self.request_streams()
        # Its stream may take half a second to begin; whether it has landed decides how it is armed.
        session.request(common.MAVLINK_MSG_ID_EXTENDED_SYS_STATE, "EXTENDED_SYS_STATE")

    def request_streams(self, *, wait: bool = True) -> None:
        """Request the streams of messages that the driver needs, and a heartbeat.

        Args:
            wait: whether to wait until each is acknowledged; one that is not may come nevertheless.
        """
        send = self.session.command if wait else lambda *order: self.session.send(self.session.command_message(*order))
        for number, rate in STREAM_RATES.items():
            send(common.MAV_CMD_SET_MESSAGE_INTERVAL, number, 1e6 / rate)
        self._request_heartbeat()

    def identity(self) -> Identity:
        """Read what the vehicle is, and why it is unfit for this driver, if it is.

        Raises:
            DeviceLost: the vehicle does not answer.
        """
        version = self.session.request(common.MAVLINK_MSG_ID_AUTOPILOT_VERSION, "AUTOPILOT_VERSION")
        if version is None:
            raise DeviceLost(f"the vehicle with system id {self.session.system} does not answer what it is")
        if self._heartbeat is None:
            self.session.wait_for(lambda m: m.get_type() == "HEARTBEAT", HEARTBEAT_TIMEOUT)
        heartbeat = self._heartbeat
        if heartbeat is None:
            raise DeviceLost(f"the vehicle with system id {self.session.system} sends no heartbeat")
        return identity.decode(heartbeat, version)

    @property
    def serial(self) -> str:
        """Unique number of its autopilot, in hex; empty before it has reported it."""
        version = self.session.newest.get("AUTOPILOT_VERSION", (None, 0.0))[0]
        return "" if version is None else identity.decode_serial(version)

    def request_serial(self) -> None:
        """Request its unique number, without waiting."""
        number = common.MAVLINK_MSG_ID_AUTOPILOT_VERSION
        self.session.send(self.session.command_message(common.MAV_CMD_REQUEST_MESSAGE, number))

    @property
    def mode(self) -> Mode | None:
        """Mode in its newest heartbeat; None for one that is not known here, and before the first."""
        heartbeat = self._heartbeat
        return None if heartbeat is None else Mode.from_custom(heartbeat.custom_mode)

    def new_modes(self) -> list[str]:
        """Return the names of the modes, while its motors were armed, since the last call, oldest first."""
        heartbeats = list(self.session.heartbeats)
        self.session.heartbeats.clear()
        return [mode_name(heartbeat.custom_mode) for heartbeat in heartbeats if codec.is_armed(heartbeat)]

    @property
    def mode_name(self) -> str:
        """Name of the mode in its newest heartbeat."""
        heartbeat = self._heartbeat
        return "an unknown mode" if heartbeat is None else mode_name(heartbeat.custom_mode)

    @property
    def armed(self) -> bool:
        """Whether its motors are armed, by its newest heartbeat; False before the first."""
        heartbeat = self._heartbeat
        return heartbeat is not None and codec.is_armed(heartbeat)

    @property
    def heartbeat_time(self) -> float:
        """Time at which its newest heartbeat came [s]; 0 before the first."""
        return self.session.newest.get("HEARTBEAT", (None, 0.0))[1]

    @property
    def landed(self) -> bool:
        """Whether it stands on the ground; False if it has not reported that lately."""
        newest = self._fresh("EXTENDED_SYS_STATE")
        return newest is not None and newest.landed_state == common.MAV_LANDED_STATE_ON_GROUND

    @property
    def speed(self) -> float:
        """Magnitude of its velocity [m/s]; infinite if it has not reported it lately."""
        newest = self._fresh("LOCAL_POSITION_NED")
        return math.inf if newest is None else float(np.linalg.norm([newest.vx, newest.vy, newest.vz]))

    @property
    def position(self) -> Vector | None:
        """Position in its local frame [m]; None if it has not reported it lately."""
        newest = self._fresh("LOCAL_POSITION_NED")
        return None if newest is None else world_axes(np.array([newest.x, newest.y, newest.z]))

    def state(self, now: Time) -> DroneState | None:
        """Return its state, acquired when the older of its samples came; None unless both are new and no part too old.

        Args:
            now: time of the step.
        """
        position, attitude, landed, heartbeat = parts = [self._fresh(kind) for kind in PARTS]
        if None in parts or position is self._published[0] or attitude is self._published[1]:
            return None
        self._published = position, attitude
        age = time.monotonic() - min(self.session.newest[kind][1] for kind in SAMPLES)
        self._state_time = Time(max(now - round(age * SECOND), self._state_time + 1))
        on_ground = landed.landed_state == common.MAV_LANDED_STATE_ON_GROUND
        return codec.decode_state(position, attitude, heartbeat, on_ground, self._frame, self._state_time)

    def battery(self, now: Time) -> Battery | None:
        """Return the battery with the lowest charge, acquired now; None unless there is a new report of it."""
        known = [(codec.decode_battery(message, now), at) for message, at in self.session.batteries.values()]
        batteries = [(battery, at) for battery, at in known if battery is not None]
        if not batteries:
            return None
        battery, at = min(batteries, key=lambda known: known[0].charge)
        if at <= self._battery_time:
            return None
        self._battery_time = at
        return battery

    def origin(self) -> Origin | None:
        """Read the origin of its local frame; None if it does not know it yet."""
        answer = self.session.request(common.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN, "GPS_GLOBAL_ORIGIN")
        return None if answer is None else Origin(answer.latitude / 1e7, answer.longitude / 1e7, answer.altitude / 1e3)

    def home(self) -> Vector | None:
        """Read its home position in its local frame [m]; None if it does not know it yet."""
        answer = self.session.request(common.MAVLINK_MSG_ID_HOME_POSITION, "HOME_POSITION")
        home = None if answer is None else world_axes(np.array([answer.x, answer.y, answer.z]))
        return home if home is not None and np.isfinite(home).all() else None

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
        self.request_mode(mode)
        requested = time.monotonic()
        # Heartbeats that were under way before it received the request say nothing about it.
        self.session.flush()
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
            DeviceLost: the vehicle does not answer; it may have carried out the order nevertheless.
            Denied: the vehicle denies it; the message has its reason.
            NotStopped: the vehicle accepts it, and does not report it.
        """
        requested = time.monotonic()
        # An answer to an earlier order, and a heartbeat from before it, are none to this one.
        self.session.flush()
        result = self.session.command(common.MAV_CMD_COMPONENT_ARM_DISARM, float(armed))
        word = "armed" if armed else "disarmed"
        if result is None:
            if self._reports_armed(armed):
                return
            raise DeviceLost(f"the vehicle with system id {self.session.system} does not answer when it is {word}")
        if result != common.MAV_RESULT_ACCEPTED:
            self.session.wait_for(lambda _: False, 0.2)
            raise Denied(f"the vehicle is not {word}: {_result_name(result)}{self.reason(requested)}")
        if not self._reports_armed(armed):
            raise NotStopped(
                f"the vehicle accepted to be {word}, and does not report that it is{self.reason(requested)}"
            )

    def _reports_armed(self, armed: bool) -> bool:
        """Request a heartbeat; return whether it reports that the motors are armed, or are not."""
        self._request_heartbeat()
        reported = self.session.wait_for(lambda m: m.get_type() == "HEARTBEAT" and self.armed is armed, 2 * REASON_TIME)
        return reported is not None

    def reason(self, since: float) -> str:
        """Return its texts since about a time [s], in brackets; empty if there are none."""
        texts = dict.fromkeys(text for at, text in self.session.texts if at >= since - REASON_TIME)
        return f" ({'; '.join(texts)})" if texts else ""

    def _request_heartbeat(self) -> None:
        number = common.MAVLINK_MSG_ID_HEARTBEAT
        self.session.send(self.session.command_message(common.MAV_CMD_REQUEST_MESSAGE, number))

    @property
    def _heartbeat(self) -> Any:
        return self.session.newest.get("HEARTBEAT", (None, 0.0))[0]

    def _fresh(self, kind: str) -> Any:
        """Return the newest message of a part of the state; None if there is none, or it is too old."""
        message, at = self.session.newest.get(kind, (None, 0.0))
        return message if time.monotonic() - at <= PARTS[kind].age else None


def _result_name(number: int) -> str:
    entry = common.enums["MAV_RESULT"].get(number)
    return entry.name if entry else f"result {number}"
