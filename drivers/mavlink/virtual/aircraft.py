"""Virtual aircraft behind `device.py`: a multirotor with its autopilot, flight controller and radio link."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.coordinates import Origin
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.commands import CommandHandler
from drivers.mavlink.virtual.parameters import ParameterHandler
from drivers.mavlink.virtual.plans import PlanHandler
from drivers.mavlink.virtual.radio import Radio
from drivers.mavlink.virtual.telemetry import Telemetry
from embodied.autopilot import Controller, Estimator, Setpoint
from embodied.bodies import DroneBody
from embodied.clock import SECOND, Time
from embodied.messages import DroneCommand


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
        received: all set-points that have come.
    """

    def __init__(
        self, body: DroneBody, period: float, system: int, origin: Origin, parameters: Mapping[str, int | float]
    ) -> None:
        self.lock = threading.RLock()
        self.received: list[DroneCommand] = []
        self._reported_charge: float | None = None
        self._body = body
        self._period = period
        self._system = system
        self._power_on = time.monotonic_ns()
        self._stepped = False
        self._estimator = Estimator(body.quadrotor)
        self._controller = Controller(body.quadrotor)
        sensors = body.read()
        unique = codec.VIRTUAL.ljust(17, b"\0") + bytes([system])
        self.autopilot = Autopilot(dict(parameters) | {"MAV_SYS_ID": system})
        self._charge = self.autopilot.charge = sensors.charge
        self.telemetry = Telemetry(self.autopilot, origin, unique, self._estimator.update(sensors), sensors.voltage)
        self.telemetry.ready = self._estimator.ready
        self.radio = Radio(system, self._answer, self._idle, self.lock)
        self._commands = CommandHandler(self.autopilot, self.telemetry)
        self._plans = PlanHandler(self.autopilot, origin)
        self._parameters = ParameterHandler(self.autopilot.parameters)

    def step(self, now: Time) -> None:
        """Read the sensors, decide, set the rotors, and send what is due."""
        with self.lock:
            self._stepped = True
            sensors, telemetry = self._body.read(), self.telemetry
            if sensors.acquired > telemetry.estimate.acquired:
                telemetry.estimate = self._estimator.update(sensors)
            telemetry.ready, telemetry.voltage = self._estimator.ready, sensors.voltage
            self._charge = sensors.charge
            self.autopilot.charge = self._charge if self._reported_charge is None else self._reported_charge
            setpoint = self._decide(now)
            if setpoint is None:
                self._controller.reset()
                self._body.thrust(np.zeros(4))
            else:
                self._body.thrust(self._controller.step(telemetry.estimate, setpoint, self._period))
            self._send_due(now)

    def report_charge(self, charge: float | None) -> None:
        """Report another charge of the battery from now on, 0 to 1; None for the true one."""
        with self.lock:
            self._reported_charge = charge
            self.autopilot.charge = self._charge if charge is None else charge

    def _idle(self) -> None:
        """Run the autopilot until the clock of its world begins."""
        with self.lock:
            if not self._stepped:
                self.telemetry.waited = time.monotonic_ns() - self._power_on
                self._decide(Time(0))
                self._send_due(Time(0))

    def _decide(self, now: Time) -> Setpoint | None:
        telemetry = self.telemetry
        return self.autopilot.step((now + telemetry.waited) / SECOND, telemetry.estimate, telemetry.ready)

    def _send_due(self, now: Time) -> None:
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
            answers = self._commands.answer(message)
        elif kind == "SET_MODE":
            self._commands.set_mode(message.custom_mode)
        elif kind == "SET_POSITION_TARGET_LOCAL_NED":
            self._receive_setpoint(message)
        elif kind == "TIMESYNC" and message.tc1 == 0:
            answers = [common.MAVLink_timesync_message(self.telemetry.clock, message.ts1)]
        elif kind == "PING":
            answers = [common.MAVLink_ping_message(message.time_usec, message.seq, *sender)]
        elif kind.startswith("MISSION_"):
            answers = list(self._plans.answer(message))
        elif kind.startswith("PARAM_"):
            answers = list(self._parameters.answer(message))
        return answers

    def _receive_setpoint(self, message: Any) -> None:
        command = codec.decode_setpoint(message, "world")
        self.received.append(command)
        if codec.is_finite(message) and not (command.position is None and command.velocity is None):
            self.autopilot.receive_setpoint(command)
