"""A PX4 multirotor over MAVLink: set-points streamed at 50 Hz, and a hold whenever nobody commands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from drivers.mavlink import sdk, transport
from drivers.mavlink.command_check import refusal
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from embodied.bodies import WORLD
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, NoDevice, NotStopped
from embodied.messages import Battery, DeviceStatus, DroneCommand, DroneState, Vector
from embodied.node.identity import Identity
from embodied.node.node import Driver
from embodied.node.ports import Ports

if TYPE_CHECKING:
    from drivers.mavlink.frames import Origin
    from drivers.mavlink.mission import Waypoint
    from drivers.mavlink.vehicle import Vehicle

BOOT = 10.0
"""A vehicle is waited for so long, and so long until it knows where it is [s]."""

SILENT = 1.0
"""Positions come 50 times a second; without one for so long it is lost [s]."""

SETTLE = 4.0
"""So long it may take from full speed until it stands [s]."""

GAP = 0.4
"""After so long without a set-point the autopilot may have gone to hold by itself: PX4's own limit is 0.5 s [s]."""

AGAIN = 0.2
"""A mode that is asked for is asked for again after this [s]."""

OVER, SLOW, CLOSE, SETTLED = 0.10, 0.15, 0.03, 3.0
"""It comes down where it then is, so that over a place it lands only if it is `CLOSE` to above it [m], and slow [m/s];
in gusts it may never be: from its first moment within `OVER` [m] that is by and by enough, in `SETTLED` [s]."""

DENIED = 3.0
"""A mode that is not reached within this is denied [s]."""

ENDS = {"land": (Mode.LAND,), "return": (Mode.RETURN, Mode.LAND)}
"""Modes that an autopilot goes on to by itself after such a step of a mission."""


class MavlinkOutput(NamedTuple):
    """What the vehicle says of itself, and what it was really told."""

    state: DroneState | None
    battery: Battery | None
    applied: DroneCommand | None
    status: DeviceStatus


@dataclass
class Mavlink(Driver):
    """A multirotor with PX4. Armed, it stands on the ground or hovers until it is commanded.

    A command is streamed in offboard mode; on the ground its motors, which it stops by itself after a while, are armed
    again for it, and it lifts if the command leads up. Without one it goes to hold. Told to land, it does so over the
    position that is given with it, or where it is.
    A command also ends a take-off, a landing, a return and a mission that were asked for.
    When its autopilot leaves the mode that it was asked for, because a pilot or a failsafe took over, nothing more is
    sent until it is armed again. Commands that are not finite, too fast, or outside the geofence are refused whole.

    Attributes:
        url: `udpin:127.0.0.1:14540`, `udpout:10.41.1.1:14540` or `serial:/dev/ttyACM0:57600`.
        system: id of the vehicle that is meant.
        own: id of this end; no other system has it.
        serial: the autopilot's unique number (uid2) that is meant; empty takes any.
        fence: inside which it flies; brought to it before it is armed. None leaves the one that it has.
        speed: it is asked for at most [m/s].
        parameters: of the autopilot, set before it is armed; integers without, others with a point.
        frame: name of its local frame.
    """

    url: str = "udpin:127.0.0.1:14540"
    system: int = 1
    own: int = 245
    serial: str = ""
    fence: Geofence | None = None
    speed: float = 5.0
    parameters: dict[str, int | float] = field(default_factory=dict)
    frame: str = WORLD

    rate = 50.0
    stops_within = 3.0
    lost_within = 3.0

    def ports(self) -> Ports:
        """All in its local frame."""
        ports = super().ports()
        for port in ("command", "state", "applied"):
            ports = ports.refine(port, frame=self.frame)
        return ports

    def check(self) -> Iterable[str]:
        """What it needs is installed, the url leads to one vehicle, ids are ids, and what is a number is finite."""
        if reason := transport.wrong(self.url):
            yield reason
        for name, number in (("system", self.system), ("own", self.own)):
            if not 1 <= number <= 255:
                yield f"{name} is {number}, and a system's id is 1 to 255 (0 would be everyone)"
        if self.system == self.own:
            yield f"system and own are both {self.own}, and no two systems may have the same id"
        if not 0 < self.speed < math.inf:
            yield f"speed is {self.speed} m/s, and it is above 0 and finite"
        if self.fence is not None:
            yield from self.fence.wrong()
        for name, value in self.parameters.items():
            if not math.isfinite(value):
                yield f"the parameter {name} is {value}, and it has to be finite"
        sdk.needed()

    def open(self) -> None:
        """Find the vehicle, and ask it to stream; it is not armed.

        Raises:
            DeviceLost: the port cannot be opened, or nobody is heard there.
            NoDevice: there is no such serial port, or others are heard there, and not the vehicle of that id.
            MissingExtra: pymavlink is not installed.
        """
        sdk.needed()
        from drivers.mavlink.session import Session
        from drivers.mavlink.vehicle import Vehicle

        self._armed, self._reason = False, "not armed yet"
        self._home: Vector | None = None
        self._near: Time | None = None
        self._wanted, self._reached, self._after = Mode.HOLD, True, frozenset[Mode]()
        self._since, self._asked = Time(0), Time(0)
        self._heard: Time | None = None
        self._beat: tuple[float, Time] | None = None
        self._told: Time | None = None
        self._roused: Time | None = None
        self._now = Time(0)
        self._voltage: float | None = None
        self._vehicle: Vehicle | None = None
        vehicle = Vehicle(Session(transport.opened(self.url, self.system), self.system, self.own), self.frame)
        try:
            vehicle.meet(BOOT)
        except DeviceLost as error:
            vehicle.session.close()
            if isinstance(error, NoDevice):
                raise NoDevice(f"{error.what} at {self.url}", error.help) from error
            raise DeviceLost(f"{self.url}: {error}") from error
        self._vehicle = vehicle

    def identify(self) -> Identity:
        """What the autopilot is; unfit where its home is outside the geofence, or not known yet.

        Raises:
            DeviceLost: it does not say.
        """
        vehicle = self._open()
        identity = vehicle.identity()
        if self.fence is None:
            return identity
        self._home = vehicle.home()
        if self._home is None:
            return replace(identity, unfit=(*identity.unfit, "it does not know yet where its home is: has it a fix?"))
        east, north, _ = map(float, self._home)
        if not self.fence.holds(east, north, 0.0):
            text = f"its home, {east:.1f} m east and {north:.1f} m north, is outside the geofence"
            return replace(identity, unfit=(*identity.unfit, text))
        return identity

    def arm(self) -> None:
        """Bring it parameters and geofence, put it into hold, and arm its motors; it does not lift.

        Raises:
            DeviceLost: it does not answer.
            NotStopped: it denies; the sentence says why, as it said.
        """
        self._armed = False
        vehicle = self._open()
        if vehicle.armed and not vehicle.landed and vehicle.mode in (Mode.RETURN, Mode.LAND):
            raise NotStopped(
                f"the vehicle at {self.url} is in {vehicle.word} by its pilot or by itself"
                f"{vehicle.reason(vehicle.beaten)}: wait until it stands, or have its pilot bring it to hold"
            )
        try:
            vehicle.set(self.parameters)
            if self.fence is not None:
                vehicle.enclose(self.fence, self._origin())
        except ValueError as error:
            raise NotStopped(f"the vehicle at {self.url} is not armed: {error}") from error
        vehicle.change(Mode.HOLD, DENIED)
        if not vehicle.armed:
            vehicle.switch(True)
        self._want(Mode.HOLD)
        self._reached = True
        self._heard = self._beat = self._told = None
        self._roused = None
        self._armed, self._reason = True, ""

    def step(self, command: DroneCommand | None, now: Time) -> MavlinkOutput:
        """Take what came, see that it does what it was told, and send a set-point.

        Raises:
            DeviceLost: the port is gone, or positions or heartbeats stopped for too long.
        """
        vehicle = self._open()
        vehicle.session.pump()
        self._now = now
        state = self._listen(vehicle, now)
        if self._armed:
            self._watch(vehicle, now)
        applied = self._follow(vehicle, command, now) if self._armed else None
        battery = vehicle.battery(now)
        if battery is not None:
            self._voltage = battery.voltage
        return MavlinkOutput(state, battery, applied, self._status(vehicle))

    def takeoff(self, height: float) -> None:
        """Rise above where it stands; it hovers there then.

        Args:
            height: [m].

        Raises:
            NotStopped: it denies it, or it is not armed.
            ValueError: the height is outside the geofence, or none.
        """
        if not 0 < height < (math.inf if self.fence is None else self.fence.altitude):
            raise ValueError(f"a height of {height} m is none that it may rise to")
        self._may().rise(height, DENIED)
        self._want(Mode.TAKEOFF, Mode.HOLD)

    def land(self) -> None:
        """Come down where it is; its motors stop then.

        Raises:
            NotStopped: it denies it, or it is not armed.
        """
        self._may().change(Mode.LAND, DENIED)
        self._want(Mode.LAND)

    def back(self) -> None:
        """Return to home, and land there.

        Raises:
            NotStopped: it denies it, or it is not armed.
        """
        self._may().change(Mode.RETURN, DENIED)
        self._want(Mode.RETURN, Mode.LAND)

    def fly(self, mission: Sequence[Waypoint]) -> None:
        """Bring it a mission, read that back, and fly it.

        Raises:
            NotStopped: it denies it, or it is not armed.
            ValueError: a step is not finite, or outside the geofence; nothing was sent.
        """
        from drivers.mavlink.mission import items

        vehicle = self._may()
        plan = items(mission, self._origin())
        for number, step in enumerate(mission, 1):
            if self.fence is not None and step.do != "return" and not self.fence.allows(step.position):
                raise ValueError(f"step {number} of the mission is outside the geofence: {step}")
        vehicle.plan(plan)
        vehicle.change(Mode.MISSION, DENIED)
        self._want(Mode.MISSION, Mode.HOLD, *(mode for step in mission for mode in ENDS.get(step.do, ())))

    def halt(self) -> None:
        """In the air, hold where it is; on the ground, stop the motors; and read back that it does, and stands.

        Raises:
            NotStopped: it does not say so.
        """
        self._armed, self._reason = False, "told to halt"
        vehicle = self._open()
        try:
            if vehicle.landed:
                vehicle.switch(False)
                return
            vehicle.change(Mode.HOLD, DENIED)
            if not vehicle.rests(SETTLE):
                raise NotStopped(f"the vehicle says that it holds, and makes {vehicle.speed:.2f} m/s")
        except DeviceLost as error:
            raise NotStopped(f"whether it has stopped cannot be read: {error}") from error

    def close(self) -> None:
        """In the air, leave it in hold; on the ground, with its motors off; as far as it can still be told."""
        vehicle, self._vehicle = getattr(self, "_vehicle", None), None
        if vehicle is None:
            return
        try:
            if self._armed and vehicle.landed:
                vehicle.switch(False)
            elif self._armed and self._wanted is Mode.OFFBOARD:
                vehicle.change(Mode.HOLD, DENIED)
        except (DeviceLost, NotStopped):
            return  # its own failsafe holds it
        finally:
            vehicle.session.close()

    def _listen(self, vehicle: Vehicle, now: Time) -> DroneState | None:
        state = vehicle.state(now)
        if state is not None or self._heard is None:
            self._heard = now
        if self._beat is None or vehicle.beaten > self._beat[0]:
            self._beat = vehicle.beaten, now
        for what, since, most in (("position", self._heard, SILENT), ("heartbeat", self._beat[1], self.lost_within)):
            if now - since > most * SECOND:
                gone = (now - since) / SECOND
                raise DeviceLost(f"the vehicle at {self.url} gave no {what} that is new and whole for {gone:.2f} s")
        return state

    def _watch(self, vehicle: Vehicle, now: Time) -> None:
        """Whether it does what it was asked for; if not, somebody else has it, and nothing more is sent."""
        if not vehicle.armed:
            self._sleep(vehicle, now)
            return
        self._roused = None
        if self._wanted is Mode.OFFBOARD and self._told is not None and now - self._told > GAP * SECOND:
            self._want(Mode.HOLD)
        mode = vehicle.mode
        if mode is self._wanted:
            self._reached = True
        elif not self._reached:
            if now - self._since > DENIED * SECOND:
                self._stop(f"it does not go to {self._wanted.word}{vehicle.reason(vehicle.beaten)}; arm it again")
            elif now - self._asked > AGAIN * SECOND:
                self._asked = now
                vehicle.request(self._wanted)
        elif mode in self._after:
            self._want(mode, *self._after - {mode})
        else:
            by = f"it went to {vehicle.word} by its pilot or by itself{vehicle.reason(vehicle.beaten)}; arm it again"
            self._stop(by)

    def _sleep(self, vehicle: Vehicle, now: Time) -> None:
        """Its motors are off: as they may be on the ground, if nobody wanted it up."""
        if self._roused is not None:
            if now - self._roused > DENIED * SECOND:
                self._stop(f"it is not armed{vehicle.reason(vehicle.beaten)}; arm it again")
        elif not vehicle.landed or self._wanted in (Mode.OFFBOARD, Mode.TAKEOFF):
            self._stop(f"its motors are off{vehicle.reason(vehicle.beaten)}; arm it again")
        else:
            self._want(Mode.HOLD)
            self._reached = True

    def _follow(self, vehicle: Vehicle, command: DroneCommand | None, now: Time) -> DroneCommand | None:
        """What was sent of a command; None if there was none, or it was refused."""
        self._reason = "" if command is None else refusal(command, self.frame, self.speed, self.fence, self._home)
        if command is None or self._reason or not command.land:
            self._near = None
        if command is None or self._reason:
            if self._wanted is Mode.OFFBOARD:
                self._want(Mode.HOLD)
            return None
        # Once it comes down, the wind may push it about: where it does is settled.
        if command.land and (self._wanted is Mode.LAND or vehicle.landed or self._over(command, vehicle, now)):
            if self._wanted is not Mode.LAND:
                self._want(Mode.LAND)
            return DroneCommand(land=True, frame=self.frame)
        if not vehicle.armed and now - self._asked > AGAIN * SECOND:
            self._roused, self._asked = self._roused or now, now
            vehicle.rouse()
        applied = vehicle.follow(_towards(command, vehicle.position) if command.land else command)
        self._told = now
        if self._wanted is not Mode.OFFBOARD:
            self._want(Mode.OFFBOARD)
        return applied

    def _over(self, command: DroneCommand, vehicle: Vehicle, now: Time) -> bool:
        """Whether it is where it is to come down, and not on its way past; the longer it is near, the less exactly."""
        if command.position is None:
            return True
        away = math.inf if vehicle.position is None else math.hypot(*(command.position - vehicle.position)[:2])
        if away >= OVER or vehicle.speed >= SLOW:
            return False
        self._near = now if self._near is None else self._near
        return away < CLOSE + (OVER - CLOSE) * min(1.0, (now - self._near) / (SETTLED * SECOND))

    def _want(self, mode: Mode, *after: Mode) -> None:
        """Have it go to a mode, from which it may go on to others by itself."""
        self._wanted, self._reached, self._after = mode, False, frozenset(after)
        self._since, self._asked = self._now, Time(-SECOND)

    def _stop(self, reason: str) -> None:
        self._armed, self._reason = False, reason

    def _may(self) -> Vehicle:
        if not self._armed:
            raise NotStopped(f"the vehicle at {self.url} is not armed: {self._reason}")
        return self._open()

    def _origin(self) -> Origin:
        origin = self._open().origin()
        if origin is None:
            raise NotStopped(f"the vehicle at {self.url} does not know yet where it is: has it a fix?")
        return origin

    def _status(self, vehicle: Vehicle) -> DeviceStatus:
        moving = not vehicle.landed and vehicle.speed > 0.1
        state = ("moving" if moving else "ready") if self._armed else "stopped"
        return DeviceStatus(state=state, reason=self._reason, rejected=vehicle.session.rejected, voltage=self._voltage)

    def _open(self) -> Vehicle:
        if self._vehicle is None:
            raise DeviceLost(f"{self.url} is closed")
        return self._vehicle


def _towards(command: DroneCommand, at: Vector | None) -> DroneCommand:
    """The way to above where it is to come down, as high as it is."""
    assert command.position is not None
    height = command.position[2] if at is None else at[2]
    return replace(command, position=np.array([*command.position[:2], height]), velocity=None, land=False)
