"""Simulated arm in PyBullet: position servos with the motors' own torque, a gripper that holds by friction."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from embodied.clock import Time
from embodied.errors import WorldFailed, nearest
from embodied.geometry import pose_matrix, transform
from embodied.messages import GripperState, JointCommand, JointState, Vector
from embodied.robot import Body, Robot
from sims.bodies.model_file import load, redrawn
from sims.bodies.servo import Servo
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh
from sims.rendering.models import Key

PAD_FRICTION = 1.0
"""Friction of the finger pads; PyBullet multiplies those of the two bodies in contact."""

# A soft pad touches with a patch, which resists turning about its normal by 2/3 x radius x friction x force (uniform
# pressure, as in Howe and Cutkosky 1996); point contacts alone let a block swing like a pendulum. Radius 7 mm.
PAD_TORSION = 2 / 3 * 0.007
"""Torsional friction of a pad over its friction [m]."""

REFERENCE_RATE = 300.0
"""Physics rate at which the gains of the arms are stated [Hz]."""


class Arm:
    """Simulated arm in PyBullet; at first it is at home with its gripper open.

    Args:
        bullet: the simulator.
        robot: names and limits of its joints, and its home position.
        body: model file, gripper and gains.
        rate: physics steps per second [Hz].
        clock: reads the world's time.

    Attributes:
        joints: names of the joints.
        opening: widest opening of the gripper [m].
        body: number of its body.

    Raises:
        WorldFailed: the model lacks a joint of the robot.
    """

    def __init__(self, bullet: Bullet, robot: Robot, body: Body, rate: float, clock: Callable[[], Time]) -> None:
        self._bullet = bullet
        self._body = body
        self._gripper = body.gripper
        self._stroke = body.gripper.stroke
        self._clock = clock
        self.joints = tuple(robot.joints)
        self.opening = robot.opening
        self.body = load(bullet, robot, body)
        number = self._index()
        missing = [name for name in self.joints if name not in number]
        if missing:
            raise WorldFailed(f"the simulated '{robot.name}' has no joint {missing}; it has {sorted(number)}")
        self._arm = [number[name] for name in self.joints]
        self._drives = [number[name] for name in self._gripper.drives]
        self._followers = [number[name] for name in self._gripper.followers]
        self._lower, self._upper = robot.limit("lower"), robot.limit("upper")
        # The same bandwidth at any physics rate.
        gain = 1.0 - (1.0 - body.gain) ** (REFERENCE_RATE / rate)
        speeds = self._limit_velocities(robot)
        self._servo = Servo(bullet, self.body, self._arm, robot.limit("effort"), speeds, gain, rate)
        self.step = self._servo.step
        self._release_motors()
        self._couple_fingers()
        self._position = robot.limit("home")
        self._width = robot.opening
        self.place(self._position, self._width)

    def _index(self) -> dict[str, int]:
        infos = [self._bullet.getJointInfo(self.body, i) for i in range(self._bullet.getNumJoints(self.body))]
        self._links = {info[12].decode(): info[0] for info in infos}
        return {info[1].decode(): info[0] for info in infos}

    def _release_motors(self) -> None:
        """Remove all damping and PyBullet's default motors, so that only a joint's own motor acts on it."""
        bullet = self._bullet
        for link in range(-1, len(self._links)):
            bullet.changeDynamics(self.body, link, linearDamping=0, angularDamping=0, jointDamping=0)
        for name in self._gripper.fingers:
            bullet.changeDynamics(
                self.body, self._links[name], lateralFriction=PAD_FRICTION, spinningFriction=PAD_TORSION
            )
        for joint in range(len(self._links)):
            bullet.setJointMotorControl2(self.body, joint, bullet.VELOCITY_CONTROL, force=0)

    def _limit_velocities(self, robot: Robot) -> Vector:
        """Let no joint of the arm move faster than its limit, whatever pushes it; return those limits [rad/s].

        PyBullet has one limit for all joints of a body; `after_step` slows those that have a lower one. The fingers
        move as in the runs that the learned policy was trained on, within the body's limit.
        """
        bullet = self._bullet
        limits: dict[int, float] = {}
        own = dict(zip(self._arm, robot.limit("velocity").tolist(), strict=True))
        for joint in self._arm:
            described = bullet.getJointInfo(self.body, joint)[11]
            limits[joint] = described if described > 0 else own[joint]
        fastest = max(limits.values())
        bullet.changeDynamics(self.body, -1, maxJointVelocity=fastest)
        self._slow = {joint: limit for joint, limit in limits.items() if limit < fastest}
        self._slow_joints = list(self._slow)
        return np.array(list(limits.values()))

    def after_step(self) -> None:
        """Slow the joints down that a contact has made faster than their own limit; to be called after every step."""
        for joint, state in zip(
            self._slow_joints, self._bullet.getJointStates(self.body, self._slow_joints), strict=True
        ):
            limit = self._slow[joint]
            if abs(state[1]) > limit:
                self._bullet.resetJointState(self.body, joint, state[0], math.copysign(limit, state[1]))

    @property
    def sensors(self) -> tuple[Callable[[], None], ...]:
        """Functions to be called after every physics step."""
        return (self.after_step,) if self._slow else ()

    def _couple_fingers(self) -> None:
        """Let the joints of the gripper's linkage follow its first drive."""
        bullet, first = self._bullet, self._drives[0]
        for joint, ratio in zip(self._followers, self._gripper.followers.values(), strict=True):
            gear = bullet.createConstraint(
                self.body, first, self.body, joint, bullet.JOINT_GEAR, (1, 0, 0), (0, 0, 0), (0, 0, 0)
            )
            bullet.changeConstraint(gear, gearRatio=-ratio, maxForce=1000, erp=self._gripper.stiff)

    def place(self, position: Vector, width: float) -> None:
        """Move the arm at once, at rest, as only a simulator can; for making data and for tests.

        Args:
            position: positions of the joints, shape (n,) [rad].
            width: opening of the gripper [m].
        """
        for joint, value in zip(self._arm, position.tolist(), strict=True):
            self._bullet.resetJointState(self.body, joint, value)
        drive = self._stroke.drive(width)
        for joint in {*self._drives, *self._followers}:
            self._bullet.resetJointState(self.body, joint, drive)
        self._position = position
        self._servo.hold(position)
        self.command(JointCommand(gripper=width))

    def read(self) -> tuple[JointState, GripperState]:
        """Return measured joints and gripper, acquired at the world's time."""
        states = self._bullet.getJointStates(self.body, self._arm + self._drives)
        position, velocity, _, effort = zip(*states, strict=True)
        n, now, stroke = len(self._arm), self._clock(), self._stroke
        drives = len(self._drives)
        drive = sum(position[n:]) / drives
        slope = stroke.slope(drive)
        joints = JointState(
            position=np.array(position[:n]),
            velocity=np.array(velocity[:n]),
            effort=np.array(effort[:n]),
            acquired=now,
        )
        # Virtual work: effort of the drives times their motion is force times the change of width; closing is positive.
        force = -sum(effort[n:]) / slope
        speed = slope * sum(velocity[n:]) / drives
        return joints, GripperState(width=stroke.width(drive), speed=speed, force=force, acquired=now)

    def command(self, command: JointCommand) -> JointCommand:
        """Set the servos' targets; they stand until the next call.

        Returns:
            the command, clipped to the joints' limits and the gripper's opening.
        """
        bullet = self._bullet
        if command.position is not None:
            self._position = np.clip(command.position, self._lower, self._upper)
            self._servo.follow(self._position)
        if command.gripper is not None:
            self._width = min(max(command.gripper, 0.0), self.opening)
            target = self._stroke.drive(self._width)
            for joint in self._drives:
                bullet.setJointMotorControl2(
                    self.body, joint, bullet.POSITION_CONTROL, targetPosition=target, force=self._gripper.force
                )
        return JointCommand(position=self._position, gripper=self._width)

    def link(self, name: str) -> tuple[Vector, Vector]:
        """Return the pose of a link's frame in the base frame.

        Args:
            name: name of the link.

        Returns:
            position, shape (3,) [m], and quaternion (x, y, z, w), shape (4,).

        Raises:
            WorldFailed: there is no link of that name.
        """
        if name not in self._links:
            raise WorldFailed(f"the simulated arm has no link '{name}'; {', '.join(nearest(name, self._links))}")
        state = self._bullet.getLinkState(self.body, self._links[name], computeForwardKinematics=1)
        return np.array(state[4]), np.array(state[5])

    def meshes(self) -> dict[Key, Mesh]:
        """Return the meshes that no file holds, as `Stage` takes them."""
        drawn = redrawn(self._body)
        return {(self.body, self._links[link]): mesh for link, mesh in drawn.items()}

    def wrist(self) -> Vector:
        """Return the optical frame of the wrist camera in the base frame, shape (4, 4) [m]."""
        mount = self._body.wrist
        position, orientation = self.link(mount.link)
        placed: Vector = pose_matrix(position, orientation) @ transform(mount.position, mount.rpy)
        return placed

    def touches(self, body: int) -> bool:
        """Test whether any part of the arm is in contact with a body."""
        return any(contact[8] <= 0.0 for contact in self._bullet.getContactPoints(self.body, body))
