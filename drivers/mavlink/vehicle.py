"""A vehicle as a driver sees it: what it last said of itself, and what it can be told to do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec, mission, upload
from drivers.mavlink.codec import Value
from drivers.mavlink.frames import Origin, world_axes
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.mission import Item
from drivers.mavlink.modes import Mode, told
from drivers.mavlink.session import Session
from embodied.clock import Time
from embodied.errors import DeviceLost, NoDevice, NotStopped
from embodied.messages import Battery, DroneCommand, DroneState, Vector
from embodied.node.identity import Identity

STREAMS = {
    common.MAVLINK_MSG_ID_LOCAL_POSITION_NED: 50.0,
    common.MAVLINK_MSG_ID_ATTITUDE_QUATERNION: 50.0,
    common.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: 5.0,
    common.MAVLINK_MSG_ID_BATTERY_STATUS: 2.0,
}
"""What is asked of a vehicle, and how often [Hz]; a heartbeat comes once a second whatever is asked."""

ROTORS = {
    common.MAV_TYPE_QUADROTOR: "quadrotor",
    common.MAV_TYPE_HEXAROTOR: "hexarotor",
    common.MAV_TYPE_OCTOROTOR: "octorotor",
    common.MAV_TYPE_TRICOPTER: "tricopter",
}

STILL = 0.3
"""What is slower stands, as far as a vehicle in the wind can [m/s]."""

SAID = 1.0
"""What the vehicle says so long before and after a denial is its reason [s]."""


class Vehicle:
    """A vehicle at the other end of a session.

    Args:
        session: with it.
        frame: name of its local frame.
    """

    def __init__(self, session: Session, frame: str) -> None:
        self.session = session
        self._frame = frame
        self._given = -1
        self._charged = 0.0

    def meet(self, seconds: float) -> None:
        """Wait for it, and ask it to stream.

        Raises:
            DeviceLost: nobody is heard.
            NoDevice: others are, and it is not.
        """
        session = self.session
        if session.until(lambda m: m.get_type() == "HEARTBEAT", seconds) is None:
            missing = f"vehicle with system id {session.system}"
            if session.others:
                others = ", ".join(map(str, sorted(session.others)))
                raise NoDevice(missing, f"heard are {others}: 'system' is to be the one that is meant")
            raise DeviceLost(f"no {missing} is heard in {seconds:g} s, nor any other: is it on, and does it send here?")
        for number, rate in STREAMS.items():
            session.command(common.MAV_CMD_SET_MESSAGE_INTERVAL, number, 1e6 / rate)

    def identity(self) -> Identity:
        """What it is.

        Raises:
            DeviceLost: it does not say.
        """
        about = self.session.request(common.MAVLINK_MSG_ID_AUTOPILOT_VERSION, "AUTOPILOT_VERSION")
        if about is None:
            raise DeviceLost(f"the vehicle with system id {self.session.system} does not say what it is")
        beat, unique = self._newest("HEARTBEAT"), bytes(about.uid2)
        unfit = []
        if beat.autopilot != common.MAV_AUTOPILOT_PX4:
            unfit.append(f"its autopilot is of kind {beat.autopilot}, and modes and parameters here are PX4's")
        if beat.type not in ROTORS:
            unfit.append(f"it is a vehicle of kind {beat.type}, and this flies multirotors")
        version = about.flight_sw_version
        return Identity(
            model=f"PX4 {ROTORS.get(beat.type, 'vehicle')}",
            serial=(unique.hex() if any(unique) else f"{about.uid:016x}"),
            firmware=".".join(str(version >> shift & 0xFF) for shift in (24, 16, 8)),
            virtual=unique.startswith(codec.VIRTUAL),
            unfit=tuple(unfit),
        )

    @property
    def mode(self) -> Mode | None:
        """By its newest heartbeat."""
        return Mode.of(self._newest("HEARTBEAT").custom_mode)

    @property
    def word(self) -> str:
        """A word for that mode, whatever it is."""
        return told(self._newest("HEARTBEAT").custom_mode)

    @property
    def armed(self) -> bool:
        """By its newest heartbeat."""
        return codec.armed(self._newest("HEARTBEAT"))

    @property
    def beaten(self) -> float:
        """When that came [s]."""
        return self.session.newest["HEARTBEAT"][1]

    @property
    def landed(self) -> bool:
        """Whether it stands on the ground; it counts as flying as long as it does not say."""
        said = self.session.newest.get("EXTENDED_SYS_STATE")
        return said is not None and said[0].landed_state == common.MAV_LANDED_STATE_ON_GROUND

    @property
    def speed(self) -> float:
        """[m/s]; infinite before it says."""
        place = self.session.newest.get("LOCAL_POSITION_NED")
        return float("inf") if place is None else float(np.linalg.norm([place[0].vx, place[0].vy, place[0].vz]))

    @property
    def position(self) -> Vector | None:
        """In its local frame [m]."""
        place = self.session.newest.get("LOCAL_POSITION_NED")
        return None if place is None else world_axes(np.array([place[0].x, place[0].y, place[0].z]))

    def state(self, now: Time) -> DroneState | None:
        """How it flies; None while there is nothing new that can be believed."""
        newest = self.session.newest
        if "LOCAL_POSITION_NED" not in newest or "ATTITUDE_QUATERNION" not in newest:
            return None
        place, turned = newest["LOCAL_POSITION_NED"][0], newest["ATTITUDE_QUATERNION"][0]
        if place.time_boot_ms <= self._given:
            return None
        self._given = place.time_boot_ms
        if self.session.stale(place.time_boot_ms) or not codec.finite(place, turned):
            return None
        return codec.state(place, turned, self._newest("HEARTBEAT"), self.landed, self._frame, now)

    def battery(self, now: Time) -> Battery | None:
        """Its battery, where it said something new."""
        said = self.session.newest.get("BATTERY_STATUS")
        if said is None or said[1] <= self._charged:
            return None
        self._charged = said[1]
        return codec.battery(said[0], now)

    def origin(self) -> Origin | None:
        """Where its local frame begins; None if it does not know yet."""
        said = self.session.request(common.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN, "GPS_GLOBAL_ORIGIN")
        return None if said is None else Origin(said.latitude / 1e7, said.longitude / 1e7, said.altitude / 1e3)

    def home(self) -> Vector | None:
        """Where it returns to, in its local frame [m]; None if it does not know yet."""
        said = self.session.request(common.MAVLINK_MSG_ID_HOME_POSITION, "HOME_POSITION")
        return None if said is None else world_axes(np.array([said.x, said.y, said.z]))

    def set(self, parameters: Mapping[str, Value]) -> None:
        """Set parameters, and read each back."""
        for name, value in parameters.items():
            upload.parameter(self.session, name, value)

    def enclose(self, fence: Geofence, origin: Origin) -> None:
        """Bring it its geofence, and read that back."""
        upload.parameter(self.session, "GF_MAX_VER_DIST", float(fence.altitude))
        upload.upload(self.session, mission.fence_items(fence, origin), common.MAV_MISSION_TYPE_FENCE)

    def plan(self, items: Sequence[Item]) -> None:
        """Bring it a mission, and read that back."""
        upload.upload(self.session, items, common.MAV_MISSION_TYPE_MISSION)

    def follow(self, command: DroneCommand) -> DroneCommand:
        """Send a set-point; what was sent, in its precision."""
        self.session.send(codec.setpoint(command, time.monotonic_ns() // 1_000_000, self.session.system))
        return codec.single(command)

    def request(self, mode: Mode) -> None:
        """Ask for a mode, and for a heartbeat that says whether it is in it; nothing is waited for."""
        main, sub = mode.value
        send, order = self.session.send, self.session.order
        send(order(common.MAV_CMD_DO_SET_MODE, common.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED, main, sub))
        send(order(common.MAV_CMD_REQUEST_MESSAGE, common.MAVLINK_MSG_ID_HEARTBEAT))

    def rouse(self) -> None:
        """Ask it to arm, and for a heartbeat that says whether it is; nothing is waited for."""
        self.session.send(self.session.order(common.MAV_CMD_COMPONENT_ARM_DISARM, 1.0))
        self.session.send(self.session.order(common.MAV_CMD_REQUEST_MESSAGE, common.MAVLINK_MSG_ID_HEARTBEAT))

    def change(self, mode: Mode, seconds: float) -> None:
        """Ask for a mode until it is in it.

        Raises:
            NotStopped: it is not.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.request(mode)
            asked = time.monotonic()
            if self.session.until(lambda m: m.get_type() == "HEARTBEAT" and self.mode is mode, 0.2):
                return
        raise NotStopped(f"the vehicle was asked for mode {mode.word}, and is in {self.word}{self.reason(asked)}")

    def rise(self, height: float, seconds: float) -> None:
        """Have it take off.

        Args:
            height: above home [m].
            seconds: it may take until it is on its way [s].

        Raises:
            NotStopped: it denies it.
        """
        home = self.session.request(common.MAVLINK_MSG_ID_HOME_POSITION, "HOME_POSITION")
        above = float("nan") if home is None else home.altitude / 1e3 + height
        asked, none = time.monotonic(), float("nan")
        result = self.session.command(common.MAV_CMD_NAV_TAKEOFF, none, none, none, none, none, none, above)
        if result != common.MAV_RESULT_ACCEPTED:
            self.session.until(lambda _: False, 0.2)
            denied = "no answer" if result is None else _result(result)
            raise NotStopped(f"the vehicle does not take off: {denied}{self.reason(asked)}")
        self.session.send(self.session.order(common.MAV_CMD_REQUEST_MESSAGE, common.MAVLINK_MSG_ID_HEARTBEAT))
        if self.session.until(lambda m: m.get_type() == "HEARTBEAT" and self.mode is Mode.TAKEOFF, seconds) is None:
            raise NotStopped(f"the vehicle took the order, and is in {self.word}{self.reason(asked)}")

    def rests(self, seconds: float) -> bool:
        """Whether it comes to rest within a time: half a second of positions with hardly any speed."""
        began: list[float] = []

        def still(message: Any) -> bool:
            if message.get_type() != "LOCAL_POSITION_NED":
                return False
            if self.speed > STILL:
                began.clear()
            else:
                began.append(time.monotonic())
            return bool(began) and began[-1] - began[0] > 0.5

        return self.session.until(still, seconds) is not None

    def switch(self, on: bool) -> None:
        """Arm or disarm its motors, and read that back.

        Raises:
            DeviceLost: it does not answer.
            NotStopped: it denies it; the sentence says what it said.
        """
        asked = time.monotonic()
        result = self.session.command(common.MAV_CMD_COMPONENT_ARM_DISARM, float(on))
        word = "armed" if on else "disarmed"
        if result is None:
            raise DeviceLost(f"the vehicle with system id {self.session.system} does not answer when it is {word}")
        if result != common.MAV_RESULT_ACCEPTED:
            self.session.until(lambda _: False, 0.2)
            raise NotStopped(f"the vehicle is not {word}: {_result(result)}{self.reason(asked)}")
        self.session.send(self.session.order(common.MAV_CMD_REQUEST_MESSAGE, common.MAVLINK_MSG_ID_HEARTBEAT))
        if self.session.until(lambda m: m.get_type() == "HEARTBEAT" and self.armed is on, 2 * SAID) is None:
            raise NotStopped(f"the vehicle took the order, and does not say that it is {word}{self.reason(asked)}")

    def reason(self, since: float) -> str:
        """What it said since about then, in brackets; or nothing."""
        said = dict.fromkeys(text for at, text in self.session.texts if at >= since - SAID)
        return f" ({'; '.join(said)})" if said else ""

    def _newest(self, kind: str) -> Any:
        return self.session.newest[kind][0]


def _result(number: int) -> str:
    entry = common.enums["MAV_RESULT"].get(number)
    return entry.name if entry else f"result {number}"
