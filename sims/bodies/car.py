"""A shuttle in PyBullet: four wheels that roll and grip, front ones that steer after Ackermann, an open bed.

It is built from primitives, and its shape is ours. Its frame is forward, left, up of the point on the ground midway
between the rear wheels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from embodied.bodies import CarSensors
from embodied.clock import Time
from embodied.devices.drive_by_wire import current
from embodied.geometry import rotation, yaw_angle, yaw_quaternion
from embodied.messages import Vector
from sims import scenery
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh, cylinder

WHEELBASE, TRACK = 0.60, 0.36  # between axles, and between the middles of the wheels of one [m]
RADIUS, TYRE = 0.10, 0.05  # of a wheel, and how wide it is [m]
TAIL, NOSE, WIDTH = -0.15, 0.75, 0.42  # how far it reaches backwards and forwards, and how wide it is [m]
BED = (0.12, 0.34, 0.28)  # middle along it, and the inside of the bed along and across [m]
FLOOR, WALL, BOARD = 0.30, 0.04, 0.01  # height of the bed's floor, of its walls above that, their thickness [m]
CENTRE = np.array([0.28, 0.0, 0.17])  # of its mass, but for the wheels [m]
EYE, LOOKS_DOWN = np.array([0.66, 0.0, 0.50]), math.radians(30.0)  # of its camera: place [m], below the horizon [rad]
MASS, WHEEL, KNUCKLE = 34.0, 1.2, 0.6  # of the chassis, of one wheel, of what turns it [kg]
GRIP, BED_GRIP = 1.0, 0.8  # friction of the tyres, and of the bed; PyBullet multiplies those of the two that touch

_LEVEL = (0.0, 0.0, 0.0, 1.0)
_ACROSS = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # from along z to along y
# PyBullet numbers what hangs on a link right after it, whatever the order it is told in.
_KNUCKLES = (0, 2)  # the links that turn the front wheels, left and right
_WHEELS = (1, 3, 4, 5)  # front left, front right, rear left, rear right
_REAR = (4, 5)


@dataclass(frozen=True, slots=True)
class Drivetrain:
    """How such a body answers.

    Attributes:
        acceleration: the most [m/s²].
        braking: the most [m/s²].
        turning: how fast it turns its front wheels [rad/s].
        capacity: of the battery [A·s].
    """

    acceleration: float = 3.0
    braking: float = 6.0
    turning: float = 1.5
    capacity: float = 72_000.0


@dataclass(frozen=True, slots=True)
class Errors:
    """How wrong its sensors are, each a standard deviation; scale and biases are drawn once for a run.

    Attributes:
        speed: of a sample of a wheel's speed, as a share of it.
        tyre: of the wheels' radius, as a share of it.
        steering: of a sample [rad].
        alignment: the bias of that [rad].
        yaw_rate: of a sample [rad/s].
        gyroscope: the bias of that [rad/s].
        acceleration: of a sample [m/s²].
    """

    speed: float = 0.01
    tyre: float = 0.005
    steering: float = 0.002
    alignment: float = 0.004
    yaw_rate: float = 0.005
    gyroscope: float = 0.003
    acceleration: float = 0.1


class Shuttle:
    """A simulated road vehicle; it stands where it is put, its brakes on.

    Args:
        bullet: the simulator.
        place: x, y [m] and yaw [rad] of where it stands.
        ground: height of the ground there [m].
        rate: physics steps per second [Hz].
        clock: the world's time.
        rng: decides the errors of its sensors.
        charge: of its battery, 0 to 1.

    Attributes:
        wheelbase: between its axles [m].
        steering_limit: largest angle of the front wheels at the road [rad].
        body: its number.
        position: of its frame, shape (3,) [m].
        attitude: of its frame, shape (3, 3).
        speed: along its forward axis, as it truly is [m/s].
        drivetrain: how it answers.
    """

    wheelbase = WHEELBASE
    steering_limit = 0.5
    drivetrain = Drivetrain()

    def __init__(
        self,
        bullet: Bullet,
        place: tuple[float, float, float],
        ground: float,
        rate: float,
        clock: Callable[[], Time],
        rng: np.random.Generator,
        charge: float = 1.0,
    ) -> None:
        self._bullet = bullet
        self._clock = clock
        self._rng = rng
        self._period = 1.0 / rate
        self._charge = charge
        self._errors = errors = Errors()
        self._scale = 1.0 + float(rng.normal(0.0, errors.tyre))
        self._alignment, self._gyroscope = rng.normal(0.0, (errors.alignment, errors.gyroscope)).tolist()
        self.body, self._meshes = _built(bullet, place, ground)
        self._goal = self._turned = 0.0
        self._power = math.nan
        self._felt = 0.0
        self.drive(0.0, -self.drivetrain.braking)
        self._steer()
        self.look()

    def read(self) -> CarSensors:
        """What it measures at the world's time; its speed is that of its rear wheels."""
        errors, noise = self._errors, self._rng.normal(size=7)
        left, right = (state[0] for state in self._bullet.getJointStates(self.body, _KNUCKLES))
        turning = [state[1] for state in self._bullet.getJointStates(self.body, _WHEELS)]
        wheels = RADIUS * self._scale * np.array(turning) * (1.0 + errors.speed * noise[:4])
        return CarSensors(
            speed=float(wheels[2] + wheels[3]) / 2,
            wheel_speeds=wheels,
            steering=middle(left, right) + self._alignment + errors.steering * float(noise[4]),
            yaw_rate=self._yaw_rate + self._gyroscope + errors.yaw_rate * float(noise[5]),
            acceleration=self._felt + errors.acceleration * float(noise[6]),
            charge=self._charge,
            acquired=self._clock(),
        )

    def drive(self, steering: float, acceleration: float) -> tuple[float, float]:
        """Set the angle of its front wheels [rad], left is positive, and its acceleration [m/s²].

        Brakes hold it at rest: a negative acceleration never drives it backwards. Both stand until the next call. What
        is no number leaves the wheels as they are, and brakes.

        Returns:
            what was really set.
        """
        if math.isfinite(steering):
            self._goal = min(max(steering, -self.steering_limit), self.steering_limit)
        train = self.drivetrain
        most = train.acceleration if self._charge > 0.0 else 0.0
        asked = acceleration if math.isfinite(acceleration) else -train.braking
        power = min(max(asked, -train.braking), most)
        if power != self._power:
            self._power = power
            self._push()
        return self._goal, power

    def step(self) -> None:
        """Turn its wheels for the next physics step."""
        if self._turned != self._goal:
            reach = self.drivetrain.turning * self._period
            self._turned += min(max(self._goal - self._turned, -reach), reach)
            self._steer()
        train = self.drivetrain
        if self._charge > 0.0:
            self._charge = max(0.0, self._charge - current(self._power) * self._period / train.capacity)
            if self._charge == 0.0:
                self.drive(self._goal, self._power)

    def stepped(self) -> None:
        """Look where the step has brought it."""
        before = self.speed
        self.look()
        # An accelerometer that answers within about 20 ms.
        self._felt += min(1.0, self._period / 0.02) * ((self.speed - before) / self._period - self._felt)

    def look(self) -> None:
        """Take in where the simulator has it."""
        position, orientation = self._bullet.getBasePositionAndOrientation(self.body)
        linear, angular = self._bullet.getBaseVelocity(self.body)
        self.attitude = rotation(np.array(orientation))
        self.position: Vector = np.array(position) - self.attitude @ CENTRE
        self.speed = float(self.attitude[:, 0] @ linear)
        self._yaw_rate = float(self.attitude[:, 2] @ angular)

    def place(self, x: float, y: float, yaw: float) -> None:
        """Put it somewhere at once, at rest, as only a simulator can; x, y [m] and yaw [rad]."""
        turn = yaw_quaternion(yaw)
        origin = np.array([x, y, self.position[2]]) + rotation(np.array(turn)) @ CENTRE
        self._bullet.resetBasePositionAndOrientation(self.body, origin.tolist(), turn)
        self._bullet.resetBaseVelocity(self.body, (0, 0, 0), (0, 0, 0))
        for joint in range(self._bullet.getNumJoints(self.body)):
            self._bullet.resetJointState(self.body, joint, self._bullet.getJointState(self.body, joint)[0])
        self.look()

    @property
    def braked(self) -> bool:
        """Whether its brakes are on."""
        return self._power < 0.0

    @property
    def yaw(self) -> float:
        """Of its forward axis from x [rad]."""
        return yaw_angle(self.attitude)

    @property
    def charge(self) -> float:
        """Of its battery, 0 to 1."""
        return self._charge

    def meshes(self) -> dict[tuple[int, int], Mesh]:
        """What is drawn of it that PyBullet does not tell, as `Stage` takes it."""
        return self._meshes

    def _steer(self) -> None:
        for link, angle in zip(_KNUCKLES, ackermann(self._turned), strict=True):
            self._bullet.setJointMotorControl2(
                self.body, link, self._bullet.POSITION_CONTROL, angle, 0.0, force=60.0, positionGain=0.3
            )

    def _push(self) -> None:
        # A motor with no more force than the acceleration takes drives or brakes with just that. The rear wheels drive,
        # through a differential: with the same torque each. All four brake.
        whole = MASS + 4 * WHEEL + 2 * KNUCKLE + 4 * _inertia() / RADIUS**2
        torque = whole * abs(self._power) * RADIUS
        driven = self._power > 0.0
        for wheel in _WHEELS:
            force = torque / 4 if not driven else torque / 2 if wheel in _REAR else 0.0
            speed = 100.0 if driven else 0.0
            self._bullet.setJointMotorControl2(
                self.body, wheel, self._bullet.VELOCITY_CONTROL, targetVelocity=speed, force=force
            )


def ackermann(steering: float) -> tuple[float, float]:
    """Angles of the left and the right front wheel at which both roll about one centre [rad]."""
    slope = math.tan(steering) / WHEELBASE
    left, right = 1.0 - slope * TRACK / 2, 1.0 + slope * TRACK / 2
    return math.atan(WHEELBASE * slope / left), math.atan(WHEELBASE * slope / right)


def middle(left: float, right: float) -> float:
    """The angle of a wheel midway between two front wheels that stand at these [rad]."""
    if abs(left) < 1e-9 or abs(right) < 1e-9:
        return (left + right) / 2
    return math.atan(2.0 / (1.0 / math.tan(left) + 1.0 / math.tan(right)))


def _inertia() -> float:
    """Of a wheel about its axle [kg·m²]."""
    return WHEEL * RADIUS**2 / 2


def _built(bullet: Bullet, place: tuple[float, float, float], ground: float) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """Its number, and how its wheels are drawn: PyBullet draws a cylinder as a capsule."""
    along, inside, across = BED
    tall = (FLOOR + WALL - 0.20) / 2
    sides = [
        ((inside / 2 + BOARD, BOARD / 2, tall), (along, sign * (across + BOARD) / 2, 0.20 + tall)) for sign in (-1, 1)
    ]
    ends = [
        ((BOARD / 2, across / 2, tall), (along + sign * (inside + BOARD) / 2, 0.0, 0.20 + tall)) for sign in (-1, 1)
    ]
    solid = [
        (((0.42 - TAIL) / 2, 0.14, 0.06), ((0.42 + TAIL) / 2, 0.0, 0.14)),
        (((NOSE - 0.42) / 2, 0.09, 0.06), ((NOSE + 0.42) / 2, 0.0, 0.14)),
        ((inside / 2, across / 2, (FLOOR - 0.20) / 2), (along, 0.0, 0.20 + (FLOOR - 0.20) / 2)),
        *sides,
        *ends,
        ((0.02, WIDTH / 2, 0.04), (NOSE - 0.02, 0.0, 0.14)),
        ((0.02, 0.03, 0.14), (EYE[0] - 0.08, 0.0, 0.34)),
        ((0.03, 0.05, 0.025), (EYE[0] - 0.06, 0.0, EYE[2])),
    ]
    paint, dark, wood = (0.93, 0.93, 0.95, 1.0), (0.16, 0.17, 0.19, 1.0), (0.20, 0.42, 0.62, 1.0)
    colours = [paint, paint, (0.55, 0.57, 0.60, 1.0), *[wood] * 4, dark, dark, dark]
    extents, places = ([list(part) for part in parts] for parts in zip(*solid, strict=True))
    centred = [(np.array(spot) - CENTRE).tolist() for spot in places]
    kinds = [bullet.GEOM_BOX] * len(solid)
    shape = bullet.createCollisionShapeArray(kinds, halfExtents=extents, collisionFramePositions=centred)
    picture = bullet.createVisualShapeArray(
        kinds, halfExtents=extents, visualFramePositions=centred, rgbaColors=colours
    )
    wheel = bullet.createCollisionShape(
        bullet.GEOM_CYLINDER, radius=RADIUS, height=TYRE, collisionFrameOrientation=_ACROSS
    )
    mesh = _tyre()
    tyre = scenery.surface(bullet, mesh, (0.10, 0.10, 0.11))
    x, y, z = (np.array([WHEELBASE, TRACK / 2, RADIUS]) - CENTRE).tolist()
    rear = -float(CENTRE[0])
    turn = yaw_quaternion(place[2])
    yaw = rotation(np.array(turn))
    body = int(
        bullet.createMultiBody(
            MASS,
            shape,
            picture,
            (np.array([place[0], place[1], ground]) + yaw @ CENTRE).tolist(),
            turn,
            linkMasses=[KNUCKLE, WHEEL, KNUCKLE, WHEEL, WHEEL, WHEEL],
            linkCollisionShapeIndices=[-1, wheel, -1, *[wheel] * 3],
            linkVisualShapeIndices=[-1, tyre, -1, *[tyre] * 3],
            linkPositions=[(x, y, z), (0, 0, 0), (x, -y, z), (0, 0, 0), (rear, y, z), (rear, -y, z)],
            linkOrientations=[_LEVEL] * 6,
            linkInertialFramePositions=[(0, 0, 0)] * 6,
            linkInertialFrameOrientations=[_LEVEL] * 6,
            linkParentIndices=[0, 1, 0, 3, 0, 0],
            linkJointTypes=[bullet.JOINT_REVOLUTE] * 6,
            linkJointAxis=[(0, 0, 1), (0, 1, 0), (0, 0, 1), *[(0, 1, 0)] * 3],
        )
    )
    common = {"linearDamping": 0, "angularDamping": 0, "jointDamping": 0, "restitution": 0.0}
    bullet.changeDynamics(
        body, -1, lateralFriction=BED_GRIP, localInertiaDiagonal=_chassis_inertia().tolist(), **common
    )
    disc = WHEEL * (3 * RADIUS**2 + TYRE**2) / 12
    for link in _WHEELS:
        # Axle and wheel arch are the chassis's own: nothing that touches.
        bullet.setCollisionFilterPair(body, body, link, -1, 0)
        bullet.changeDynamics(body, link, lateralFriction=GRIP, localInertiaDiagonal=(disc, _inertia(), disc), **common)
    for link in _KNUCKLES:
        bullet.changeDynamics(body, link, localInertiaDiagonal=(0.002, 0.002, 0.002), **common)
    return body, {(body, link): mesh for link in _WHEELS}


def _chassis_inertia() -> Vector:
    """Of a box as large as the chassis, shape (3,) [kg·m²]."""
    long, wide, tall = NOSE - TAIL, WIDTH, 0.20
    squares = np.array([wide**2 + tall**2, long**2 + tall**2, long**2 + wide**2])
    return MASS * squares / 12


def _tyre() -> Mesh:
    upright = cylinder(RADIUS, TYRE, sides=28)
    lie = rotation(np.array(_ACROSS)).T.astype(np.float32)
    return Mesh(upright.corners @ lie, upright.normals @ lie, upright.faces)
