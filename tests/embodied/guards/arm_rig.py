"""Rig for an arm guard: steps it together with an arm that follows every command at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from embodied import SECOND, Stamped, Time
from embodied.guards import ArmGuard
from embodied.guards.arm import ArmGuardOutput
from embodied.guards.speed_separation import ProtectiveDistance
from embodied.messages import JointCommand, JointState, Reset, Separation, Stop, Vector
from embodied.robot import Robot

PERIOD = 0.01
LOW, HIGH = (0.0, -0.6, 0.005), (0.75, 0.65, 0.8)
ZONE = ProtectiveDistance(reaction=0.1, margin=0.2)


class Rig:
    """Steps a guard; inputs that are left out are silent, and `wired` names those that are wired."""

    def __init__(self, arm: Robot, *, wired: Sequence[str] = (), **about: object) -> None:
        self.guard = ArmGuard(arm, low=LOW, high=HIGH, **about)  # type: ignore[arg-type]
        self.guard.wired = frozenset(wired)
        self.guard.open()
        self.robot = arm
        self.measured = arm.limit("home")
        self.n = 0

    def step(
        self,
        position: Vector | None = None,
        *,
        command: JointCommand | None = None,
        teleop: JointCommand | None = None,
        operator: JointCommand | None = None,
        separation: Separation | None = None,
        age: float = 0.0,
        effort: Vector | None = None,
        velocity: Vector | None = None,
        stop: Sequence[str] = (),
        reset: bool = False,
        blind: bool = False,
    ) -> ArmGuardOutput:
        if position is not None:
            command = JointCommand(position=position)
        now = Time(self.n * 10_000_000)
        self.n += 1
        speed = np.zeros_like(self.measured) if velocity is None else velocity
        joints = JointState(position=self.measured, velocity=speed, effort=effort, acquired=now)
        seen = Time(now - round(age * SECOND))
        if separation is not None:
            separation = replace(separation, acquired=seen)
        given = self.guard.step(
            command=None if command is None else Stamped(command, now, self.n, "ik.command"),
            teleop=None if teleop is None else Stamped(teleop, now, self.n, "far.command"),
            operator=None if operator is None else Stamped(operator, now, self.n, "joystick.command"),
            joints=None if blind else joints,
            separation=None if separation is None else Stamped(separation, now, self.n, "scanner.separation"),
            stop=[Stop(reason=reason) for reason in stop],
            reset=[Stamped(Reset(by="a person"), now, self.n, "panel.reset")] if reset else [],
            now=now,
        )
        if given.command is not None and given.command.position is not None:
            self.measured = given.command.position.copy()
        elif given.command is not None and given.command.velocity is not None:
            self.measured = self.measured + given.command.velocity * PERIOD
        return given


def near(distance: float | None = None, speed: float | None = None) -> Separation:
    return Separation(distance=distance, speed=speed, acquired=Time(0))
