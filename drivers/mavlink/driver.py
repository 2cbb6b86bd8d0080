"""Driver of a PX4 multirotor over MAVLink: set-points in offboard mode, and a hold without a command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from drivers.mavlink import sdk, transport
from drivers.mavlink.command_check import refusal
from drivers.mavlink.flights import MODE_TIMEOUT, Flights
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from drivers.mavlink.motors import Motors
from embodied.bodies import WORLD
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, NoDevice, NotStopped
from embodied.messages import Battery, DeviceStatus, DroneCommand, DroneState, Vector
from embodied.node.identity import Identity
from embodied.node.node import Driver
from embodied.node.ports import Ports
from embodied.ranges import FINITE, Range, positive

if TYPE_CHECKING:
    from drivers.mavlink.vehicle import Vehicle

BOOT_TIMEOUT = 10.0
"""Time for a vehicle that has just been switched on to send a heartbeat [s]."""

ASK_PERIOD = 0.5
"""Time between two questions who the vehicle is [s]."""

BATTERY_TIMEOUT = 3.0
"""Time without a report of the battery, of two a second, after which the status says so [s]."""

MOVING_SPEED = 0.1
"""Speed above which a flying vehicle counts as moving [m/s]."""


class MavlinkOutput(NamedTuple):
    """Output of the driver `Mavlink`: state and battery of the vehicle, the sent command, and the driver's status."""

    state: DroneState | None
    battery: Battery | None
    applied: DroneCommand | None
    status: DeviceStatus


@dataclass
class Mavlink(Flights, Motors, Driver):
    """Driver of a PX4 multirotor over MAVLink; armed, it stands on the ground or hovers until it is commanded.

    A command is sent as a set-point in offboard mode; on the ground the motors, which stop by themselves after a while,
    are armed again for it, and the vehicle lifts if the command leads up. Without a command it goes to hold. A landing
    command brings it down over the position in it, or where it is.
    A command also ends a take-off, a landing, a return and a mission that were requested.
    When the autopilot leaves the requested mode, because a pilot or a failsafe took over, when it restarts, when
    somebody else commands it or stops its motors, and when it was lost, nothing more is sent until the vehicle is armed
    again. Commands that are not finite, too fast, or outside the geofence are refused whole.

    Attributes:
        url: `udpin:127.0.0.1:14540`, `udpout:10.41.1.1:14540` or `serial:/dev/ttyACM0:57600`.
        system: id of the vehicle.
        own: id of this end, which no other system has.
        serial: unique number (uid2) of the autopilot to fly; empty takes any.
        fence: geofence, uploaded before the vehicle is armed; None leaves the one that it has.
        speed: highest speed to command [m/s].
        parameters: parameters of the autopilot, set before it is armed; integers without a point, others with one.
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
        """Return the ports, all in the vehicle's local frame."""
        ports = super().ports()
        for port in ("command", "state", "applied"):
            ports = ports.refine(port, frame=self.frame)
        return ports

    def claims(self) -> Iterable[str]:
        """Yield the unique number of the autopilot, and the connection to the vehicle."""
        yield from (*super().claims(), transport.claim(self.url, self.system))

    def check(self) -> Iterable[str]:
        """Check the url, ids, speed, geofence and parameters, and that pymavlink is installed."""
        if reason := transport.problem(self.url):
            yield reason
        yield from Range(1, 255).problems(system=self.system, own=self.own)
        if self.system == self.own:
            yield f"system and own must differ, got {self.own} for both"
        yield from positive("m/s").problems(speed=self.speed)
        if self.fence is not None:
            yield from self.fence.problems()
        yield from (f"parameter {problem}" for problem in FINITE.problems(**self.parameters))
        sdk.require()

    def open(self) -> None:
        """Connect to the vehicle and request its streams; it is not armed.

        Raises:
            DeviceLost: the port cannot be opened, or nobody sends there.
            NoDevice: there is no such serial port, or only vehicles of other ids send there.
            MissingExtra: pymavlink is not installed.
        """
        sdk.require()
        from drivers.mavlink.landing import LandingApproach
        from drivers.mavlink.mode_supervisor import ModeSupervisor
        from drivers.mavlink.parts import LossWatch
        from drivers.mavlink.session import Session
        from drivers.mavlink.vehicle import Vehicle

        self._armed, self._reason = False, "not armed yet"
        self._home: Vector | None = None
        self._met: Identity | None = None
        # Lost; lost or restarted since it was identified; ordered to arm, which nobody has taken back.
        self._lost = self._strange = self._ordered = False
        self._voltage: float | None = None
        self._battery_time: Time | None = None
        self._asked = Time(-SECOND)
        self._landing = LandingApproach()
        self._watch = LossWatch()
        self._vehicle: Vehicle | None = None
        session = Session(transport.open_transport(self.url, self.system), self.system, self.own)
        vehicle = Vehicle(session, self.frame)
        try:
            vehicle.connect(BOOT_TIMEOUT)
        except DeviceLost as error:
            session.close()
            if isinstance(error, NoDevice):
                raise NoDevice(f"{error.what} at {self.url}", error.help) from error
            raise DeviceLost(f"{self.url}: {error}") from error
        self._supervisor = ModeSupervisor(vehicle)
        self._vehicle = vehicle
        self._jumps = session.clock.jumps

    def identify(self) -> Identity:
        """Read what the autopilot is; unfit if its home is outside the geofence, or not known yet.

        Raises:
            DeviceLost: the vehicle does not answer.
        """
        identity = self._open_vehicle().identity()
        self._met = identity
        problem = self._home_problem()
        return replace(identity, unfit=(*identity.unfit, problem)) if problem else identity

    def arm(self) -> None:
        """Set parameters and geofence, change to hold, and arm the motors; the vehicle does not lift.

        A vehicle that was lost or has restarted is identified again before.

        Raises:
            DeviceLost: the vehicle does not answer.
            NotStopped: the vehicle denies it, or is not the one that was identified; the message has its reason.
        """
        self._armed = False
        vehicle = self._open_vehicle()
        jumps = vehicle.session.clock.jumps
        if self._strange or jumps != self._jumps:
            self._meet_again(vehicle)
        if problem := self._home_problem():
            raise NotStopped(f"the vehicle at {self.url} is not armed: {problem}")
        if vehicle.armed and not vehicle.landed and vehicle.mode in (Mode.RETURN, Mode.LAND):
            raise NotStopped(
                f"the vehicle at {self.url} is in {vehicle.mode_name} by its pilot or by itself"
                f"{vehicle.reason(vehicle.heartbeat_time)}: wait until it stands, or have its pilot bring it to hold"
            )
        try:
            vehicle.set_parameters(self.parameters)
            if self.fence is not None:
                vehicle.set_fence(self.fence, self._origin())
        except ValueError as error:
            raise NotStopped(f"the vehicle at {self.url} is not armed: {error}") from error
        vehicle.change_mode(Mode.HOLD, MODE_TIMEOUT)
        if not vehicle.armed:
            self._order_arming(vehicle)
        if vehicle.session.clock.jumps != jumps:
            raise NotStopped(f"the vehicle at {self.url} restarted while it was armed: arm it again")
        self._supervisor.begin()
        self._watch.begin()
        self._jumps, self._strange, self._lost, self._battery_time = jumps, False, False, None
        self._armed, self._reason = True, ""

    def step(self, command: DroneCommand | None, now: Time) -> MavlinkOutput:
        """Process what has come, supervise the mode, and send a set-point.

        Raises:
            DeviceLost: the port is gone, or positions or heartbeats have not come for too long.
        """
        vehicle = self._open_vehicle()
        try:
            vehicle.session.poll()
            if loss := self._watch.loss(vehicle.session.newest, now):
                raise DeviceLost(f"the vehicle at {self.url} sent no new, whole {loss}")
        except DeviceLost as error:
            self._let_go(f"{error}; arm it again")
            self._lost = self._strange = True
            vehicle.session.newest.pop("AUTOPILOT_VERSION", None)
            raise
        self._supervisor.now = now
        if vehicle.session.clock.jumps != self._jumps:
            self._jumps, self._strange = vehicle.session.clock.jumps, True
            self._let_go("its clock began again: the autopilot restarted, or another one answers; arm it again")
            vehicle.request_streams(wait=False)
        if self._strange:
            self._strange = not self._is_known_again(vehicle, now)
        if self._armed and (reason := self._supervisor.step()):
            self._let_go(reason)
        applied = self._follow(vehicle, command, now) if self._armed else None
        # Nothing is published of one that may be another.
        state, battery = (None, None) if self._strange else (vehicle.state(now), vehicle.battery(now))
        if battery is not None:
            self._voltage, self._battery_time = battery.voltage, now
        return MavlinkOutput(state, battery, applied, self._status(vehicle, now))

    def halt(self) -> None:
        """In the air, hold position; on the ground, stop the motors; and read back that the vehicle does.

        Raises:
            NotStopped: the vehicle does not report it.
        """
        self._armed, self._reason = False, "halted"
        vehicle = self._open_vehicle()
        try:
            if self._stopped_on_ground(vehicle):
                return
            self._hold(vehicle)
        except DeviceLost as error:
            raise NotStopped(f"whether it has stopped cannot be read: {error}") from error

    def close(self) -> None:
        """Leave the vehicle in hold, or on the ground with its motors off; one that was lost, as far as it is reached.

        Raises:
            NotStopped: the vehicle does not report it.
        """
        vehicle, self._vehicle = getattr(self, "_vehicle", None), None
        if vehicle is None:
            return
        try:
            self._leave(vehicle)
        except (DeviceLost, NotStopped) as error:
            # Its loss was reported already; its own failsafe holds it.
            if not self._lost:
                raise NotStopped(f"the vehicle at {self.url} is closed, and may not have stopped: {error}") from error
        finally:
            vehicle.session.close()

    def _let_go(self, reason: str) -> None:
        """Send nothing more until it is armed again."""
        # Motors that the vehicle has reported to turn belong to whoever took over; an order that is under way does not.
        self._ordered = self._ordered and self._supervisor.arming_since is not None
        self._armed, self._reason = False, reason

    def _meet_again(self, vehicle: Vehicle) -> None:
        """Identify a vehicle again that was lost or has restarted.

        Raises:
            DeviceLost: the vehicle does not answer.
            NotStopped: it is another one, or unfit.
        """
        identity = vehicle.identity()
        vehicle.request_streams()
        if self._met is not None and identity.serial != self._met.serial:
            raise NotStopped(
                f"the vehicle at {self.url} must be the one that was identified, {self._met}, got {identity}: "
                f"start the driver again"
            )
        if identity.unfit:
            raise NotStopped(f"the vehicle at {self.url} is not armed: {'; '.join(identity.unfit)}")

    def _is_known_again(self, vehicle: Vehicle, now: Time) -> bool:
        """Ask one that was lost or restarted who it is, without waiting; return whether it is the one identified."""
        serial = vehicle.serial
        if not serial and now - self._asked > ASK_PERIOD * SECOND:
            self._asked = now
            vehicle.request_serial()
        return self._met is None or serial == self._met.serial

    def _home_problem(self) -> str:
        """Read its home; return why it may not fly from there, empty if it may or there is no geofence."""
        if self.fence is None:
            return ""
        self._home = self._open_vehicle().home()
        if self._home is None:
            return "it does not know its home yet: has it a GNSS fix?"
        east, north, _ = map(float, self._home)
        if self.fence.contains(east, north, 0.0):
            return ""
        return f"its home, {east:.1f} m east and {north:.1f} m north, is outside the geofence"

    def _follow(self, vehicle: Vehicle, command: DroneCommand | None, now: Time) -> DroneCommand | None:
        """Send the command of one step; return what was sent of it, None if it was not sent."""
        supervisor = self._supervisor
        self._reason = "" if command is None else refusal(command, self.frame, self.speed, self.fence, self._home)
        if command is None or self._reason or not command.land:
            self._landing.reset()
        if command is None or self._reason:
            if supervisor.requested is Mode.OFFBOARD:
                supervisor.request(Mode.HOLD)
            return None
        if command.land:
            # A landing that has begun goes on where it is, even if wind blows the vehicle off the place.
            landing = supervisor.requested is Mode.LAND
            if landing or vehicle.landed or self._landing.may_land(command, vehicle, now):
                if not landing:
                    supervisor.request(Mode.LAND)
                return DroneCommand(land=True, frame=self.frame)
            command = self._landing.setpoint(command, vehicle.position)
        if not vehicle.armed and supervisor.arming_since is None:
            if not supervisor.may_arm:
                return None
            self._ordered = True
        if not vehicle.armed:
            supervisor.request_arming()
        applied = vehicle.send_setpoint(command)
        supervisor.setpoint_sent(applied)
        return applied

    def _status(self, vehicle: Vehicle, now: Time) -> DeviceStatus:
        moving = not vehicle.landed and vehicle.speed > MOVING_SPEED
        state = ("moving" if moving else "ready") if self._armed else "stopped"
        reason, reported = self._reason, self._battery_time
        if not reason and reported is not None and now - reported > BATTERY_TIMEOUT * SECOND:
            reason = f"its battery has not been reported for {(now - reported) / SECOND:.1f} s"
        return DeviceStatus(state=state, reason=reason, rejected=vehicle.session.rejected, voltage=self._voltage)

    def _open_vehicle(self) -> Vehicle:
        if self._vehicle is None:
            raise DeviceLost(f"{self.url} is closed")
        return self._vehicle
