"""Base of the worlds in PyBullet: one simulator, one run at a time, whole physics steps, cameras, a judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import ClassVar, Generic, Protocol, TypeVar

from embodied.clock import Time, rate_of, tick, ticks_by
from embodied.errors import WorldFailed, nearest
from embodied.messages import Vector
from embodied.ranges import Range, positive
from embodied.robot import Robot
from embodied.world import Verdict
from sims.bodies import model_file
from sims.bullet import Bullet
from sims.judging import LOOKS
from sims.rendering import AUTO, Light, Renderer, choose
from sims.rendering.cameras import Camera, Stage
from sims.rendering.snapshot import show, snapshot
from sims.rendering.view import FAR, NEAR, ImageFormat, problems

OVERVIEW = "overview"
"""Name of the camera for people, in every world."""

CONTACT_RATES = Range(60, 10_000, "Hz")
"""Physics rates at which contacts of an arm and its blocks are stable."""

VEHICLE_RATES = Range(200, 10_000, "Hz")
"""Physics rates at which wheels and rotors are stable."""

CHARGES = Range(0, 1, includes="(]")
"""States of charge with which a run can start."""

WINDS = Range(0, 15, "m/s")
"""Strengths of the wind that the air model covers."""

SPREADS = Range(0, 3)
"""Multiples of the variation in the training data; 0 is no variation."""


class Judged(Protocol):
    """Judge of a run of a simulated world, with its verdict.

    Attributes:
        verdict: None before it is decided.
    """

    verdict: Verdict | None


class Run(ABC):
    """One run of a simulated world: the bodies of one seed, and how far their physics has come.

    Args:
        bullet: the simulator.
        rate: physics steps per second [Hz].

    Attributes:
        bullet: the simulator.
        stage: models that its cameras render.
        judge: judge of the run.
        light: light of the scene; `lights` has that of the cameras whose images have another.
        pushes: what acts on the bodies before each physics step, in this order.
        sensors: what reads the bodies after each physics step.
        carriers: what reads the bodies after a snapshot has moved them, because it carries a camera.
    """

    stage: Stage
    judge: Judged
    light: Light

    def __init__(self, bullet: Bullet, rate: float) -> None:
        self.bullet = bullet
        self.lights: Mapping[str, Light] = {}
        self.pushes: tuple[Callable[[], None], ...] = ()
        self.sensors: tuple[Callable[[], None], ...] = ()
        self.carriers: tuple[Callable[[], None], ...] = ()
        self._rate = rate_of(rate)
        self._steps = 0
        self._steps_per_look = max(1, round(rate / LOOKS))

    def now(self) -> Time:
        """Return the time of the last physics step."""
        return tick(self._steps, self._rate)

    def advance(self, to: Time) -> None:
        """Make whole physics steps, to the last one not after `to` [ns]."""
        pushes, step, sensors = self.pushes, self.bullet.stepSimulation, self.sensors
        for count in range(self._steps + 1, ticks_by(to, self._rate) + 1):
            for push in pushes:
                push()
            step()
            self._steps = count
            for sense in sensors:
                sense()
            if count % self._steps_per_look == 0:
                self.look(count / float(self._rate))

    @abstractmethod
    def look(self, now: float) -> None:
        """Give the judge the state at a time [s]."""

    @abstractmethod
    def camera(self, name: str, images: ImageFormat, renderer: Renderer) -> Camera:
        """Build one of the world's cameras.

        Args:
            name: name of the camera.
            images: size and range of its images.
            renderer: renderer of its images.
        """


R = TypeVar("R", bound=Run)


class SimulatedWorld(ABC, Generic[R]):
    """Base of a world in PyBullet: a dataclass of settings that builds a run from a seed.

    Attributes:
        where: place of the world in messages, such as "on the road".
        views: names of its cameras.
        far: range of its cameras [m].
    """

    where: ClassVar[str]
    views: tuple[str, ...]
    far: ClassVar[float] = FAR

    def __post_init__(self) -> None:
        self._bullet: Bullet | None = None
        self._current: R | None = None

    @abstractmethod
    def build(self, bullet: Bullet, seed: int) -> R:
        """Build the bodies of a seed; time is 0."""

    def reset(self, seed: int) -> None:
        """Build everything from the seed; time is 0."""
        if self._bullet is None:
            self._bullet = Bullet()
        self._current = self.build(self._bullet, seed)

    def advance(self, to: Time) -> None:
        """Make whole physics steps, to the last one not after `to` [ns]."""
        self._run.advance(to)

    def about(self) -> Mapping[str, str]:
        """Return name and version of each renderer that draws a camera of this run."""
        names = sorted(self._run.stage.renderers)
        return {"renderer": ", ".join(" ".join(choose(name)) for name in names)} if names else {}

    @property
    def now(self) -> Time:
        """Time of the last physics step."""
        return self._run.now()

    def snapshot(self) -> Vector:
        """Return the poses of all bodies, as `show` of a world from the same seed takes them."""
        return snapshot(self._run.bullet)

    def show(self, state: Vector) -> None:
        """Move all bodies to the poses of a snapshot; for cameras in another process than the physics.

        Raises:
            WorldFailed: the snapshot is of another world.
        """
        show(self._run.bullet, state)
        for read in self._run.carriers:
            read()

    def verdict(self) -> Verdict | None:
        """Return the judgement of the run once it is decided, and None before."""
        return self._run.judge.verdict

    def close(self) -> None:
        """Disconnect from the simulator; a reset connects again."""
        if self._bullet is not None:
            self._bullet.close()
        self._bullet = self._current = None

    def require(self, kind: str, name: str, *names: str) -> None:
        """Check that a body or a camera of a name exists.

        Args:
            kind: noun for the message.
            name: name that was requested.
            names: names that exist.

        Raises:
            WorldFailed: there is no body or camera of that name.
        """
        if name not in names:
            raise WorldFailed(f"there is no {kind} '{name}' {self.where}; {', '.join(nearest(name, names))}")

    def camera(
        self,
        name: str,
        *,
        width: int = 320,
        height: int = 240,
        near: float = NEAR,
        far: float | None = None,
        renderer: str = AUTO,
        shadows: bool | None = None,
    ) -> Camera:
        """Return a camera of this run; a reset makes it stale.

        Args:
            name: one of `views`.
            width: width of its images [px].
            height: height of its images [px].
            near: distance below which nothing is rendered [m].
            far: distance beyond which nothing is rendered [m]; None: the range of the world.
            renderer: renderer of its images, one of `sims.rendering.VERSIONS`, or `auto`.
            shadows: whether bodies throw shadows; by default only in pictures for people, `overview`.

        Raises:
            WorldFailed: there is no such camera or renderer, or its images cannot be rendered so.
        """
        self.require("camera", name, *self.views)
        images = ImageFormat(width, height, near, self.far if far is None else far)
        for problem in problems(images.width, images.height, images.near, images.far):
            raise WorldFailed(problem)
        run = self._run
        shaded = name == OVERVIEW if shadows is None else shadows
        light = replace(run.lights.get(name, run.light), shadows=shaded)
        return run.camera(name, images, run.stage.renderer(renderer, light))

    @property
    def _run(self) -> R:
        if self._current is None:
            raise WorldFailed(f"there is nothing {self.where} yet: reset(seed) builds the world")
        return self._current


def arm_problems(robot: Robot) -> Iterable[str]:
    """Check for a simulated world that a robot has a body that fits it; yield one sentence a problem."""
    if robot.body is None:
        yield f"robot '{robot.name}' has no body for simulated worlds: add 'body:' to its description"
        return
    yield from model_file.problems(robot, robot.body)


def run_problems(rates: Range, rate: float, time_limit: float) -> Iterable[str]:
    """Check the settings that every simulated world has; yield one sentence a problem.

    Args:
        rates: physics rates that the bodies of the world allow.
        rate: physics steps per second [Hz].
        time_limit: longest duration of a run [s].
    """
    yield from rates.problems(rate=rate)
    yield from positive("s").problems(time_limit=time_limit)
