"""Virtual aircraft behind `device.py`: a multirotor with its autopilot, flight controller and radio link."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.coordinates import Origin
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.commands import CommandHandler
from drivers.mavlink.virtual.flight_control import FlightControl
from drivers.mavlink.virtual.parameters import ParameterHandler
from drivers.mavlink.virtual.plans import PlanHandler
from drivers.mavlink.virtual.radio import Radio
from drivers.mavlink.virtual.services import answer_service
from drivers.mavlink.virtual.setpoints import SetpointHandler
from drivers.mavlink.virtual.targets import AttitudeTarget, Target
from drivers.mavlink.virtual.telemetry import Telemetry
from embodied.autopilot import Estimator, Setpoint
from embodied.bodies import DroneBody
from embodied.clock import SECOND, Time
from embodied.devices.virtual import RECEIVED_MOST
from embodied.messages import DroneCommand

ARM = common.MAV_CMD_COMPONENT_ARM_DISARM
"""Command to arm or disarm the motors."""

ARMING_TIME = 0.8
"""Time for which arming is in progress, if it is slow [s]."""


class Aircraft:
    """Virtual aircraft: a multirotor whose autopilot is switched on as soon as this is constructed.

    A driver may connect and arm it before the clock of its world begins: until the first step it stands still,
    communicates, and its own clock runs.

    Args:
        body: body of the multirotor.
        period: time between two steps [s].
        system: id of the vehicle.
        origin: origin of its world.
        parameters: parameters with other values than by default.

    Attributes:
        autopilot: state machine that decides.
        radio: link that the caller opens and closes.
        telemetry: messages about its state.
        lock: lock for access to any of them from another thread.
        received: newest set-points that have come.
        slow: whether arming is in progress for `ARMING_TIME` before it is done.
        foreign: set-point of another client, which comes without end; None for none.
    """

    def __init__(
        self, body: DroneBody, period: float, system: int, origin: Origin, parameters: Mapping[str, int | float]
    ) -> None:
        self.lock = threading.RLock()
        self.received: deque[DroneCommand] = deque(maxlen=RECEIVED_MOST)
        self._reported_charge: float | None = None
        self._body = body
        self._period = period
        self._system = system
        self._power_on = time.monotonic_ns()
        self._stepped = self._restarts = self.slow = False
        self.foreign: Target | None = None
        self._orders: list[tuple[float, Any]] = []
        self.autopilot = Autopilot(dict(parameters) | {"MAV_SYS_ID": system})
        self._plans = PlanHandler(self.autopilot, origin)
        self.radio = Radio(system, self._answer, self._idle, self.lock)
        self._boot(origin, codec.VIRTUAL.ljust(17, b"\0") + bytes([system]))

    def _boot(self, origin: Origin, unique: bytes) -> None:
        """Begin with an autopilot that has just been switched on."""
        sensors = self._body.read()
        self._estimator = Estimator(self._body.quadrotor)
        self._control = FlightControl(self._body.quadrotor)
        self._charge = self.autopilot.charge = sensors.charge
        self.telemetry = Telemetry(self.autopilot, origin, unique, self._estimator.update(sensors), sensors.voltage)
        self.telemetry.ready = self._estimator.ready
        self._commands = CommandHandler(self.autopilot, self.telemetry, self._request_restart)
        self._plans.autopilot = self.autopilot
        self._parameters = ParameterHandler(self.autopilot.parameters)
        self._setpoints = SetpointHandler(self.autopilot, origin, self.received)

    def restart(self, unique: bytes | None = None) -> None:
        """Restart the autopilot: it keeps its parameters and plans, and its clock begins at 0.

        Args:
            unique: unique number of the one that answers from now on; None for the same.
        """
        with self.lock:
            before, self.autopilot = self.autopilot, Autopilot(self.autopilot.parameters)
            telemetry = self.telemetry
            self.autopilot.fence, self.autopilot.rally = before.fence, before.rally
            self.autopilot.mission.load(before.mission.legs)
            self._boot(telemetry.origin, telemetry.unique if unique is None else unique)
            self.telemetry.offset = -self.telemetry.estimate.acquired
            self._power_on = time.monotonic_ns()
            self.radio.restart()

    def step(self, now: Time) -> None:
        """Read the sensors, decide, set the rotors, and send what is due."""
        with self.lock:
            self._stepped = True
            if self._restarts:
                self._restarts = False
                self.restart()
            sensors, telemetry = self._body.read(), self.telemetry
            if not self.autopilot.gnss:
                sensors = replace(sensors, position=None, velocity=None)
            if sensors.acquired > telemetry.estimate.acquired:
                telemetry.estimate = self._estimator.update(sensors)
                telemetry.inertial = sensors.specific_force, sensors.angular_velocity
            telemetry.ready, telemetry.voltage = self._estimator.ready, sensors.voltage
            if self.foreign is not None:
                self.autopilot.receive_setpoint(self.foreign)
            self._charge = sensors.charge
            self.autopilot.charge = self._charge if self._reported_charge is None else self._reported_charge
            setpoint, autopilot = self._decide(now), self.autopilot
            hover = float(autopilot.parameters["MPC_THR_HOVER"])
            self._body.thrust(
                self._control.thrusts(telemetry.estimate, setpoint, autopilot.speeds, hover, self._period)
            )
            self._send_due(now)

    def report_charge(self, charge: float | None) -> None:
        """Report another charge of the battery from now on, 0 to 1; None for the true one."""
        with self.lock:
            self._reported_charge = charge
            self.autopilot.charge = self._charge if charge is None else charge

    def _request_restart(self) -> None:
        self._restarts = True

    def _idle(self) -> None:
        """Run the autopilot until the clock of its world begins."""
        with self.lock:
            if not self._stepped:
                self.telemetry.offset = time.monotonic_ns() - self._power_on
                self._decide(Time(0))
                self._send_due(Time(0))

    def _decide(self, now: Time) -> Setpoint | AttitudeTarget | None:
        telemetry = self.telemetry
        return self.autopilot.step((now + telemetry.offset) / SECOND, telemetry.estimate, telemetry.ready)

    def _begin(self, message: Any) -> list[Any]:
        """Begin to carry out an order; return its answer for now."""
        self._orders.append((self.telemetry.clock / SECOND + ARMING_TIME, message))
        sender = (message.get_srcSystem(), message.get_srcComponent())
        return [common.MAVLink_command_ack_message(message.command, common.MAV_RESULT_IN_PROGRESS, 50, 0, *sender)]

    def _send_due(self, now: Time) -> None:
        while self._orders and self._orders[0][0] <= self.telemetry.clock / SECOND:
            self.radio.send(self._commands.answer(self._orders.pop(0)[1]))
        texts, self.autopilot.texts = self.autopilot.texts, []
        messages = [common.MAVLink_statustext_message(severity, text[:50].encode()) for severity, text in texts]
        self.radio.send([*messages, *(message for message in self.telemetry.due(now) if message is not None)])

    def _answer(self, message: Any) -> list[Any]:
        """Return the answers to a message; there are none to one for another system."""
        kind, sender = message.get_type(), (message.get_srcSystem(), message.get_srcComponent())
        if getattr(message, "target_system", self._system) not in (0, self._system):
            return []
        answers: list[Any] = []
        if kind == "HEARTBEAT":
            self.autopilot.heartbeat_time = self.telemetry.clock / SECOND
        elif kind in ("COMMAND_LONG", "COMMAND_INT"):
            answers = self._begin(message) if self.slow and message.command == ARM else self._commands.answer(message)
        elif kind == "SET_MODE":
            self._commands.set_mode(message.custom_mode)
        elif kind == "TIMESYNC" and message.tc1 == 0:
            answers = [common.MAVLink_timesync_message(self.telemetry.clock, message.ts1)]
        elif kind == "PING":
            answers = [common.MAVLink_ping_message(message.time_usec, message.seq, *sender)]
        elif kind.startswith("MISSION_"):
            answers = list(self._plans.answer(message))
        elif kind in ("PARAM_REQUEST_LIST", "PARAM_REQUEST_READ", "PARAM_SET"):
            answers = list(self._parameters.answer(message))
        elif not self._setpoints.handle(message, self.telemetry.estimate.yaw):
            answers = answer_service(message, self._parameters)
        return answers
