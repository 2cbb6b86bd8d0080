"""Arm kinematics with pinocchio: forward kinematics, and inverse kinematics by damped least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.geometry import rotation_vector
from embodied.guards.stopping import stoppable_speed
from embodied.messages import Vector
from embodied.robot import Robot


@dataclass(frozen=True, slots=True)
class Limits:
    """Joint limits of a robot for its kinematics, each of shape (n,)."""

    lower: Vector  # [rad]
    upper: Vector  # [rad]
    velocity: Vector  # [rad/s]
    acceleration: Vector  # [rad/s²]

    @classmethod
    def of(cls, robot: Robot, share: float) -> Limits:
        """Return a robot's limits, with velocity and acceleration reduced to a share."""
        velocity, acceleration = share * robot.limit("velocity"), share * robot.limit("acceleration")
        return cls(robot.limit("lower"), robot.limit("upper"), velocity, acceleration)

    def bound(self, wanted: Vector, q: Vector, before: Vector, dt: float) -> Vector:
        """Limit joint velocities, so that every limit holds now and when braking from here.

        Args:
            wanted: wanted velocities, shape (n,) [rad/s].
            q: positions, shape (n,) [rad].
            before: current velocities, shape (n,) [rad/s].
            dt: period for which the velocities hold [s].

        Returns:
            velocities, shape (n,) [rad/s].
        """
        a = self.acceleration
        low = np.maximum(before - a * dt, -self.velocity)
        high = np.minimum(before + a * dt, self.velocity)
        # Scaling all joints alike keeps the tool on its line; only what remains is clipped joint by joint.
        ratio = np.divide(np.where(wanted > 0.0, high, low), wanted, out=np.ones(len(q)), where=wanted != 0.0)
        velocity = np.minimum(np.maximum(wanted * min(1.0, max(0.0, float(ratio.min()))), low), high)
        # Braking from here must end before the end of the joint's range.
        rise = stoppable_speed(np.maximum(self.upper - q, 0.0), a, dt)
        fall = stoppable_speed(np.maximum(q - self.lower, 0.0), a, dt)
        bounded: Vector = np.minimum(np.maximum(velocity, -fall), rise)
        return bounded


class Arm:
    """Kinematics of a robot in pinocchio, with the base link as the origin."""

    def __init__(self, robot: Robot) -> None:
        import pinocchio

        self._pin: Any = pinocchio
        # The chain as this project reads it, so that pinocchio, which takes other files, has nothing left to refuse.
        model = pinocchio.buildModelFromXML(robot.kinematics)
        link = model.frames[len(model.frames) - 1]
        tool = pinocchio.SE3(pinocchio.rpy.rpyToMatrix(*robot.tool.rpy), np.array(robot.tool.position))
        frame = pinocchio.Frame("tool", link.parentJoint, link.placement * tool, pinocchio.FrameType.OP_FRAME)
        self._tool = model.addFrame(frame)
        self._model, self._data = model, model.createData()

    def solve_forward(self, q: Vector) -> tuple[Vector, Vector]:
        """Return the tool's position (3,) [m] and rotation (3, 3) at joint positions (n,) [rad]."""
        self._pin.forwardKinematics(self._model, self._data, q)
        placement = self._pin.updateFramePlacement(self._model, self._data, self._tool)
        return np.array(placement.translation), np.array(placement.rotation)

    def rates(self, q: Vector, twist: Vector, *, damping: float, weight: float) -> Vector:
        """Return joint velocities (n,) for a twist (6,) of the tool at positions q (n,), by damped least squares."""
        scale = np.array([1.0, 1.0, 1.0, weight, weight, weight])
        jacobian = scale[:, None] * self._pin.computeFrameJacobian(
            self._model, self._data, q, self._tool, self._pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
        )
        rates: Vector = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + damping**2 * np.eye(6), scale * twist)
        return rates

    def solve_inverse(
        self,
        position: Vector,
        rotation: Vector,
        q: Vector,
        limits: Limits,
        *,
        damping: float,
        weight: float,
        spare: Vector | None = None,
        iterations: int = 6,
    ) -> tuple[Vector, Vector]:
        """Solve inverse kinematics: joint positions for a pose of the tool, by damped least squares from `q`.

        Wampler 1986, with joints at a limit excluded, and a null-space motion of choice (Liégeois 1977).

        Args:
            position: position of the tool, shape (3,) [m].
            rotation: rotation of the tool, shape (3, 3).
            q: initial positions, shape (n,) [rad].
            limits: limits of the joints.
            damping: damping of the least squares [m/rad].
            weight: weight of rotation against translation [m/rad].
            spare: null-space motion from `q`, projected so that it does not move the tool, shape (n,) [rad].
            iterations: number of iterations, at most.

        Returns:
            joint positions, shape (n,) [rad], always within the limits; and the residual, shape (6,): a translation [m]
            and a rotation vector [rad].
        """
        pin, model, data = self._pin, self._model, self._data
        lower, upper = limits.lower, limits.upper
        q = np.minimum(np.maximum(q, lower), upper)
        aside = np.zeros(len(q)) if spare is None else spare
        free = np.ones(len(q))
        left = np.empty(6)
        scale = np.array([1.0, 1.0, 1.0, weight, weight, weight])
        ridge = damping * damping * np.eye(6)
        for turn in range(iterations + 1):
            jacobian = pin.computeFrameJacobian(model, data, q, self._tool, pin.ReferenceFrame.LOCAL_WORLD_ALIGNED)
            placement = data.oMf[self._tool]
            left[:3] = position - placement.translation
            left[3:] = rotation_vector(rotation @ placement.rotation.T)
            error = scale * left
            if turn == iterations or (turn and float(error @ error) < 1e-9):
                break
            jacobian = scale[:, None] * jacobian * free
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + ridge, error - jacobian @ aside) + aside
            aimed = q + step
            q = np.minimum(np.maximum(aimed, lower), upper)
            free = np.where(aimed == q, free, 0.0)
            aside = np.zeros(len(q))
        return q, left
