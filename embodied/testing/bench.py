"""A device on a bench: a driver at one end of a real wire, and at the other its far side, on the steady clock."""

from __future__ import annotations

import threading
import time
import unittest
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from embodied.clock import SECOND, Time, rate_of, tick, ticks_by
from embodied.errors import DeviceLost
from embodied.guards.limiter import Limiter, Motion
from embodied.lifecycle import meet
from embodied.messages import DeviceStatus, DroneCommand, DroneState, JointCommand, JointState, Vector, VehicleCommand
from embodied.messages.schema import Command, Message
from embodied.node import Driver, Node, generator
from embodied.plan import opens_world
from embodied.ports import Ports
from embodied.robot import Robot
from embodied.virtual import Cannot, Virtual
from embodied.world import World

MOTION_PERIOD = 0.01
"""An arm's bench is asked for its motion this often, the period of its driver [s]."""

_PAUSE = threading.Event()
"""Nobody sets it; to wait for it is to let time pass."""


class Serving:
    """Runs a far side beside the caller, and the world that its body lives in.

    Args:
        virtual: the far side.
        world: advanced before each of its steps.
        seed: of the world.

    Attributes:
        failure: what its step raised, if it did.
        late: by how much its latest step came too late [s]; more than a little, and the machine is too slow to judge.
    """

    def __init__(self, virtual: Virtual, world: World | None = None, seed: int = 0) -> None:
        self.virtual = virtual
        self.failure: BaseException | None = None
        self.late = 0.0
        self._world = world
        self._seed = seed
        self._over = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=type(virtual).__name__)

    def __enter__(self) -> Serving:
        self._thread.start()
        self._ready.wait()
        if self.failure is not None:
            self._thread.join()
            raise self.failure
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _serve(self) -> None:
        try:
            self._open()
            self._ready.set()
            self._turn()
        except BaseException as error:  # told where it is waited for
            self.failure = error
        finally:
            self._ready.set()
            for thing in (self.virtual, self._world):
                closer = getattr(thing, "close", None)
                if closer is not None:
                    closer()

    def _open(self) -> None:
        virtual: Any = self.virtual
        virtual.rng = generator(self._seed, "virtual")
        if self._world is not None:
            self._world.reset(self._seed)
        virtual.open(self._world) if opens_world(virtual) else virtual.open()

    def _turn(self) -> None:
        rate, stepping = rate_of(self.virtual.rate), Stepping(self.virtual)
        epoch = time.monotonic_ns()
        n = 0
        while not self._over.wait(max(0.0, (epoch + tick(n, rate) - time.monotonic_ns()) / SECOND)):
            now = tick(n, rate)
            if self._world is not None:
                self._world.advance(now)
            stepping.step(now, None)
            done = Time(time.monotonic_ns() - epoch)
            self.late = max(self.late, (done - now) / SECOND)
            n = max(n + 1, ticks_by(done, rate))


class Stepping:
    """Calls the step of a node outside any graph: a command or none, the time, and nothing else is wired."""

    def __init__(self, node: Node) -> None:
        self._step: Callable[..., Any] = node.step  # type: ignore[attr-defined]
        self.ports: Ports = node.ports()

    def step(self, now: Time, command: Command | None) -> dict[str, Message]:
        """One step.

        Returns:
            what it gave, by port.
        """
        given: dict[str, Any] = {}
        for name, port in self.ports.inputs.items():
            takes = command is not None and issubclass(type(command), port.message)
            given[name] = command if takes else [] if port.delivery == "every" else None
        if self.ports.now is not None:
            given[self.ports.now] = now
        found = self._step(**given)
        if self.ports.bundle is not None:
            return {name: value for name, value in found._asdict().items() if value is not None}
        return {} if found is None else {next(iter(self.ports.outputs)): found}


@dataclass
class Drive:
    """A driver that is stepped at its rate on the steady clock.

    Attributes:
        driver: which.
        given: what it gave at each step, by port.
        closed: whether the driver was closed.
        late: by how long after its tick its latest step was over [s].
    """

    driver: Driver
    given: list[dict[str, Message]] = field(default_factory=list)
    closed: bool = False
    late: float = 0.0

    def __post_init__(self) -> None:
        self._stepping = Stepping(self.driver)
        self._rate = rate_of(self.driver.rate)
        self.begin()

    def begin(self) -> None:
        """Time is 0 now."""
        self._epoch = time.monotonic_ns()

    @property
    def now(self) -> Time:
        """Time since it began [ns]."""
        return Time(time.monotonic_ns() - self._epoch)

    def go(self, seconds: float, command: Callable[[float], Command | None] = lambda _: None) -> None:
        """Step for a while.

        Args:
            seconds: how long [s].
            command: what it is told, so many seconds after this began; nothing by default.
        """
        begin = self.now
        n = ticks_by(begin, self._rate) + 1
        while (at := tick(n, self._rate)) <= begin + seconds * SECOND:
            pause((at - self.now) / SECOND)
            self.given.append(self._stepping.step(at, command((at - begin) / SECOND)))
            self.late = max(self.late, (self.now - at) / SECOND)
            n = max(n + 1, ticks_by(self.now, self._rate))

    def close(self) -> None:
        """Close the driver, once."""
        if not self.closed:
            self.closed = True
            self.driver.close()  # type: ignore[attr-defined]

    def newest(self, kind: type[Any]) -> Any:
        """The newest message of a type that it gave; None before the first."""
        return next((m for step in reversed(self.given) for m in step.values() if isinstance(m, kind)), None)

    @property
    def status(self) -> DeviceStatus | None:
        """How the device is, as far as the driver knew when it last stepped."""
        found: DeviceStatus | None = self.newest(DeviceStatus)
        return found

    @property
    def applied(self) -> Command | None:
        """What was sent in the last step."""
        found = self.given[-1].get("applied") if self.given else None
        return found if isinstance(found, Command) else None


def pause(seconds: float) -> None:
    """Let time pass [s]."""
    if seconds > 0:
        _PAUSE.wait(seconds)


class Bench:
    """What a contract needs of one device: drivers for it, its far side, and how it moves.

    Attributes:
        far: the far side; it is served as long as the bench is entered.
        commanded: whether it takes commands; a camera does not, and needs none of what is about them.
        witnessed: whether somebody sees what reaches the device; of a real one nobody does.
        world: in which the far side's body is; None if it needs none.
        serving: the far side, while it is served.
        tolerance: by which positions may differ and still be the same, in the body's units.
        reaction: so long after its first command it can be seen to move [s].
        drive: the newest, of a driver that was made ready.
        patience: if either side was late by more, what fails says nothing about a driver [s].
    """

    far: Virtual
    commanded: bool = True
    witnessed: bool = True
    world: World | None = None
    serving: Serving | None = None
    tolerance: float = 5e-3
    reaction: float = 0.3
    drive: Drive | None = None
    patience: float = 0.15

    def driver(self, **changes: Any) -> Driver:
        """A new driver, closed, for the far side; with some of its settings changed."""
        raise NotImplementedError

    @contextmanager
    def served(self) -> Iterator[None]:
        """As long as this is entered the far side is there."""
        with Serving(self.far, self.world) as self.serving:
            yield

    @contextmanager
    def judged(self) -> Iterator[None]:
        """What fails in here skips the test, if this machine was too slow to judge, or if the far side cannot do it."""
        try:
            yield
        except Cannot as reason:
            raise unittest.SkipTest(str(reason)) from reason
        except (AssertionError, DeviceLost) as error:
            if self.late > self.patience:
                text = f"this machine is too slow to judge: one side was late by {self.late:.2f} s; {error}"
                raise unittest.SkipTest(text) from error
            raise

    @property
    def late(self) -> float:
        """By how much either side was late [s]."""
        return max(side.late for side in (self.far, self.serving, self.drive) if side is not None)

    def motion(self, seconds: float) -> Command:
        """A command so many seconds into a slow motion from where the device began."""
        raise NotImplementedError

    def rest(self) -> None:
        """The device stands: what of a motion was under way is over."""

    def forbidden(self) -> list[Command]:
        """Commands of which no part may reach the wire as it is: not finite, or beyond the limits."""
        raise NotImplementedError

    def allowed(self, heard: Command) -> bool:
        """Whether something that was heard may be asked of the device."""
        raise NotImplementedError

    def same(self, applied: Command, heard: Command) -> bool:
        """Whether what was applied is what was heard."""
        return applied == heard

    def wrong(self) -> list[dict[str, Any]]:
        """Settings with each of which the device is not the one that is wanted."""
        return [{"serial": "somebody else's"}]

    def where(self, drive: Drive | None = None) -> Vector:
        """Where the body is, shape (n,): as its far side says, or, of a real device, its own driver.

        Args:
            drive: of the driver that is open; None if none is.

        Raises:
            Cannot: nobody says.
        """
        if self.witnessed:
            return self.far.position()
        if drive is None:
            raise Cannot("only its own driver sees where it is")
        count = len(drive.given)
        drive.go(0.2)
        for given in reversed(drive.given[count:]):
            if isinstance(state := given.get("state"), JointState | DroneState):
                return state.position
        raise Cannot("it does not say where it is")

    def heard(self) -> Sequence[Command]:
        """What reached the device, as far as somebody can tell."""
        return self.far.heard()

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """A driver that is open, met and armed; closed afterwards."""
        driver: Any = self.driver(**changes)
        driver.rng = generator(0, "driver")
        self.drive = drive = Drive(driver)
        self.rest()
        try:
            driver.open()
            meet("driver", driver)
            driver.arm()
            drive.begin()
            yield drive
        finally:
            drive.close()


class ArmBench(Bench):
    """An arm on a bench: its motion swings one joint to and fro, evenly, whenever it is asked to go on.

    Attributes:
        robot: its limits.
        swing: how far, of the joint that moves [rad].
        joint: number of that joint.
        share: of the robot's speed that it uses.
        begin: where the arm stands at first, shape (n,) [rad]; None is at home.
    """

    robot: Robot
    swing: float = 0.2
    joint: int = 0
    share: float = 0.3
    begin: Vector | None = None
    _moved: Motion | None = None

    def motion(self, seconds: float) -> Command:
        """A cosine of two seconds, reached from the last command within a share of the robot's speed."""
        begin = self.robot.limit("home") if self.begin is None else self.begin
        if self._moved is None:
            self._limiter = Limiter(self.robot, MOTION_PERIOD, self.share)
            self._moved, self._aim = Motion(begin, np.zeros_like(begin)), begin
        aim = begin.copy()
        aim[self.joint] += self.swing * (1.0 - np.cos(np.pi * seconds)) / 2
        self._moved, _ = self._limiter.follow(self._moved, self._aim, aim)
        self._aim = aim
        return JointCommand(position=self._moved.position, gripper=self.robot.opening / 2)

    def rest(self) -> None:
        """The next motion begins at rest where the last command was."""
        if self._moved is not None:
            self._aim = self._moved.position
            self._moved = Motion(self._aim, np.zeros_like(self._aim))

    def forbidden(self) -> list[Command]:
        """NaN and infinity in a joint and in the gripper, the wrong number of joints, and far beyond every limit."""
        home = self.robot.limit("home")
        bent: list[Vector] = [home.copy() for _ in range(3)]
        for position, value in zip(bent, (np.nan, np.inf, -np.inf), strict=True):
            position[self.joint] = value
        beyond = [self.robot.limit("upper") + 1.0, self.robot.limit("lower") - 1.0]
        shaped = [home[:-1], np.append(home, 0.0)]
        commands: list[Command] = [JointCommand(position=position) for position in (*bent, *beyond, *shaped)]
        return [*commands, JointCommand(position=home, gripper=float("nan")), JointCommand(position=home, gripper=9.9)]

    def allowed(self, heard: Command) -> bool:
        """Finite, as many joints as there are, and within every limit."""
        assert isinstance(heard, JointCommand)
        gripper = heard.gripper
        if gripper is not None and not -self.tolerance <= gripper <= self.robot.opening + self.tolerance:
            return False
        if heard.position is None:
            return True
        low, high = self.robot.limit("lower") - self.tolerance, self.robot.limit("upper") + self.tolerance
        return heard.position.shape == low.shape and bool(np.all((low <= heard.position) & (heard.position <= high)))

    def wrong(self) -> list[dict[str, Any]]:
        """Another serial number, joints in another order, and limits that the device does not have."""
        names = list(self.robot.joints)
        joints = self.robot.joints
        first = joints[names[0]]
        swapped = [{"robot": replace(self.robot, joints={name: joints[name] for name in reversed(names)})}]
        return [
            *super().wrong(),
            *(swapped if len(names) > 1 else []),
            {"robot": replace(self.robot, joints={**joints, names[0]: replace(first, upper=first.upper + 10.0)})},
            {"robot": replace(self.robot, joints={**joints, names[0]: replace(first, velocity=1e3)})},
        ]

    def same(self, applied: Command, heard: Command) -> bool:
        """Joints within the tolerance, and the gripper within a millimetre, as far as both say them."""
        assert isinstance(applied, JointCommand)
        assert isinstance(heard, JointCommand)
        if applied.position is None or heard.position is None:
            return applied.position is heard.position
        near = bool(np.abs(applied.position - heard.position).max() <= self.tolerance)
        wide = applied.gripper is not None and heard.gripper is not None
        return near and (not wide or abs((applied.gripper or 0.0) - (heard.gripper or 0.0)) <= 1e-3)


class VehicleBench(Bench):
    """A road vehicle on a bench: its motion is a slow drive along a bend.

    Attributes:
        speed: of its motion [m/s].
        steering: of its motion, at most [rad].
        speed_limit: the most that may be asked of it [m/s].
        steering_limit: the largest angle of its front wheels [rad].
    """

    # Such units wait 100 ms for an order, and no longer, whatever kept it.
    patience = 0.05
    speed: float = 0.8
    steering: float = 0.2
    speed_limit: float = 1.5
    steering_limit: float = 0.5

    def motion(self, seconds: float) -> Command:
        """An even speed; the wheels turn to the left and back every two seconds."""
        angle = self.steering * (1.0 - np.cos(np.pi * seconds)) / 2
        return VehicleCommand(speed=self.speed, acceleration=1.0, steering=float(angle))

    def rest(self) -> None:
        """Every motion begins anew."""

    def forbidden(self) -> list[Command]:
        """NaN and infinity in each number, what is beyond the limits, no such gear, and backwards in D."""
        odd = (float("nan"), float("inf"), float("-inf"))
        commands = [VehicleCommand(speed=value, steering=0.0) for value in (*odd, self.speed_limit + 0.5, -0.5)]
        commands += [VehicleCommand(speed=0.5, steering=value) for value in (*odd, self.steering_limit + 0.1, -1e9)]
        commands += [VehicleCommand(speed=0.5, steering=0.0, acceleration=value) for value in (*odd, 1e3)]
        return [*commands, *(VehicleCommand(speed=0.5, steering=0.0, gear=gear) for gear in ("", "X", "DD", "P"))]

    def allowed(self, heard: Command) -> bool:
        """Finite, within the limits, and forwards."""
        assert isinstance(heard, VehicleCommand)
        fast = -self.tolerance <= heard.speed <= self.speed_limit + self.tolerance
        turned = abs(heard.steering) <= self.steering_limit + self.tolerance
        return bool(fast and turned and np.isfinite(heard.acceleration or 0.0) and heard.gear in ("P", "R", "N", "D"))

    def same(self, applied: Command, heard: Command) -> bool:
        """Speed and angle within the tolerance, and the gear."""
        assert isinstance(applied, VehicleCommand)
        assert isinstance(heard, VehicleCommand)
        near = abs(applied.speed - heard.speed) <= self.tolerance
        return near and abs(applied.steering - heard.steering) <= self.tolerance and applied.gear == heard.gear


LIFTED = 15.0
"""A multirotor hovers at its height within this [s]."""


class DroneBench(Bench):
    """A multirotor on a bench: it is lifted once it is armed, and its motion swings it to and fro along east.

    One that hovers does not stand as an arm does: it counts as standing while it stays within `tolerance`, and that it
    moves is seen later, since it has to tilt first.

    Attributes:
        frame: in which it is commanded.
        height: at which it hovers [m].
        swing: how far it swings [m].
        reach: no command leads it further from the origin than this [m].
        speed: nor may one be faster [m/s].
    """

    tolerance = 0.15
    reaction = 2.0
    frame: str = "world"
    height: float = 1.0
    swing: float = 1.0
    reach: float = 20.0
    speed: float = 5.0

    def motion(self, seconds: float) -> Command:
        """A cosine of four seconds, that begins above the origin."""
        east = self.swing * (1.0 - np.cos(np.pi * seconds / 2)) / 2
        return DroneCommand(position=np.array([east, 0.0, self.height]), yaw=0.0, frame=self.frame)

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """A driver that is open, met and armed, of a multirotor that is in the air."""
        with super().ready(**changes) as drive:
            drive.go(0.2)
            if getattr(drive.newest(DroneState), "landed", True):
                self._lift(drive)
            yield drive

    def _lift(self, drive: Drive) -> None:
        end = time.monotonic() + LIFTED
        while (at := self.where(drive))[2] < self.height - self.tolerance:
            assert time.monotonic() < end, f"after {LIFTED:.0f} s it is at {at} m: {drive.status}"
            drive.go(0.2, lambda _: self.motion(0.0))
        drive.given.clear()

    def forbidden(self) -> list[Command]:
        """NaN and infinity in each part, the wrong number of axes, too far, too fast, another frame, and nothing."""
        numbers = [np.array([np.nan, 0.0, 1.0]), np.array([0.0, np.inf, 1.0]), np.array([0.0, 0.0, -np.inf])]
        parts = [*numbers, np.zeros(2), np.full(3, 1e3)]
        commands: list[Command] = [DroneCommand(position=part, frame=self.frame) for part in parts]
        commands += [DroneCommand(velocity=part, frame=self.frame) for part in parts]
        home = np.array([0.0, 0.0, self.height])
        commands += [DroneCommand(position=home, yaw=yaw, frame=self.frame) for yaw in (np.nan, np.inf)]
        return [*commands, DroneCommand(position=home, frame="elsewhere"), DroneCommand(frame=self.frame)]

    def allowed(self, heard: Command) -> bool:
        """Finite, and neither too far nor too fast."""
        assert isinstance(heard, DroneCommand)
        near = heard.position is None or float(np.linalg.norm(heard.position)) <= self.reach
        slow = heard.velocity is None or float(np.linalg.norm(heard.velocity)) <= self.speed + 1e-3
        return near and slow and (heard.yaw is None or bool(np.isfinite(heard.yaw)))

    def same(self, applied: Command, heard: Command) -> bool:
        """Both parts within a millimetre, in position and in a second."""
        assert isinstance(applied, DroneCommand)
        assert isinstance(heard, DroneCommand)
        pairs = ((applied.position, heard.position), (applied.velocity, heard.velocity))
        return all(a is b if a is None or b is None else bool(np.abs(a - b).max() <= 1e-3) for a, b in pairs)
