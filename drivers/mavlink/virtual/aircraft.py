"""A virtual autopilot with its multirotor: it measures, decides, flies and talks; `virtual.py` is its node."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.frames import Origin
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.commands import Orders
from drivers.mavlink.virtual.plans import Parameters, Plans
from drivers.mavlink.virtual.radio import Radio
from drivers.mavlink.virtual.telemetry import Telemetry
from embodied.autopilot import Controller, Estimator, Setpoint
from embodied.bodies import DroneBody
from embodied.clock import SECOND, Time
from embodied.messages import DroneCommand


class Aircraft:
    """A multirotor with an autopilot, which is switched on as soon as it is made.

    Whoever flies it may meet and arm it before the clock of its world begins: until the first step it stands still, it
    talks, and its own clock runs.

    Args:
        body: the multirotor.
        period: between two steps [s].
        system: its id.
        origin: of its world.
        parameters: of its own, in place of those that it has.

    Attributes:
        mind: what decides.
        radio: its wire; `open` and `close` are the caller's.
        telemetry: how it is.
        lock: held by whoever looks at any of them from another thread.
        heard: every set-point that came.
    """

    def __init__(
        self, body: DroneBody, period: float, system: int, origin: Origin, parameters: Mapping[str, int | float]
    ) -> None:
        self.lock = threading.RLock()
        self.heard: list[DroneCommand] = []
        self._drained: float | None = None
        self._body = body
        self._period = period
        self._system = system
        self._on = time.monotonic_ns()
        self._begun = False
        self._estimator = Estimator(body.quadrotor)
        self._controller = Controller(body.quadrotor)
        sensors = body.read()
        unique = codec.VIRTUAL.ljust(17, b"\0") + bytes([system])
        self.mind = Autopilot(dict(parameters) | {"MAV_SYS_ID": system})
        self._charge = self.mind.charge = sensors.charge
        self.telemetry = Telemetry(self.mind, origin, unique, self._estimator.update(sensors), sensors.voltage)
        self.telemetry.ready = self._estimator.ready
        self.radio = Radio(system, self._answer, self._wait, self.lock)
        self._orders = Orders(self.mind, self.telemetry)
        self._plans, self._parameters = Plans(self.mind, origin), Parameters(self.mind)

    def step(self, now: Time) -> None:
        """Read the body, decide, set its rotors, and send what is due."""
        with self.lock:
            self._begun = True
            sensors, telemetry, mind = self._body.read(), self.telemetry, self.mind
            if sensors.acquired > telemetry.estimate.acquired:
                telemetry.estimate = self._estimator.update(sensors)
            telemetry.ready, telemetry.voltage = self._estimator.ready, sensors.voltage
            self._charge = sensors.charge
            mind.charge = self._charge if self._drained is None else self._drained
            wanted = self._decide(now)
            if wanted is None:
                self._controller.reset()
                self._body.thrust(np.zeros(4))
            else:
                self._body.thrust(self._controller.step(telemetry.estimate, wanted, self._period))
            self._speak(now)

    def drain(self, charge: float | None) -> None:
        """From now on its battery says that so much is left, 0 to 1; None: what it really has."""
        with self.lock:
            self._drained = charge
            self.mind.charge = self._charge if charge is None else charge

    def _wait(self) -> None:
        """Until its world's clock begins."""
        with self.lock:
            if not self._begun:
                self.telemetry.waited = time.monotonic_ns() - self._on
                self._decide(Time(0))
                self._speak(Time(0))

    def _decide(self, now: Time) -> Setpoint | None:
        """What its mind wants at a time of its world; None for motors that only idle, or stand."""
        told = self.telemetry
        return self.mind.advance((now + told.waited) / SECOND, told.estimate, told.yaw, told.ready)

    def _speak(self, now: Time) -> None:
        """Send what is to be told to people, and what is due at a time of its world."""
        said, self.mind.said = self.mind.said, []
        texts = [common.MAVLink_statustext_message(level, text[:50].encode()) for level, text in said]
        self.radio.send([*texts, *(message for message in self.telemetry.due(now) if message is not None)])

    def _answer(self, message: Any) -> list[Any]:
        """What it says to a message; one that is for another is not answered."""
        kind, who = message.get_type(), (message.get_srcSystem(), message.get_srcComponent())
        if getattr(message, "target_system", self._system) not in (0, self._system):
            return []
        found: list[Any] = []
        if kind == "HEARTBEAT":
            self.mind.linked = self.telemetry.clock / SECOND
        elif kind in ("COMMAND_LONG", "COMMAND_INT"):
            found = self._orders.answer(message)
        elif kind == "SET_MODE":
            self._orders.set_mode(message.custom_mode)
        elif kind == "SET_POSITION_TARGET_LOCAL_NED":
            self._offered(message)
        elif kind == "TIMESYNC" and message.tc1 == 0:
            found = [common.MAVLink_timesync_message(self.telemetry.clock, message.ts1)]
        elif kind == "PING":
            found = [common.MAVLink_ping_message(message.time_usec, message.seq, *who)]
        elif kind.startswith("MISSION_"):
            found = list(self._plans.answer(message))
        elif kind.startswith("PARAM_"):
            found = list(self._parameters.answer(message))
        return found

    def _offered(self, message: Any) -> None:
        command = codec.command(message, "world")
        self.heard.append(command)
        if codec.finite(message) and not (command.position is None and command.velocity is None):
            self.mind.offer(command)
