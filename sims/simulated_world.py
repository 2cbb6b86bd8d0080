"""What every world of this room has: one simulator, one run at a time, and whole physics steps."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import ClassVar, Generic, Protocol, TypeVar

from embodied.clock import Time, rate_of, tick, ticks_by
from embodied.errors import WorldFailed, nearest
from embodied.messages import Vector
from embodied.world import Verdict
from sims.bullet import Bullet
from sims.rendering import AUTO, Light, Renderer, choose
from sims.rendering.cameras import Camera, Stage
from sims.rendering.snapshot import show, snapshot
from sims.rendering.view import FAR, NEAR, Sheet, problems

LOOKS = 20  # of a judge, per second


class Judged(Protocol):
    """Whoever decides how a run went.

    Attributes:
        verdict: None before it is decided.
    """

    verdict: Verdict | None


class Run(ABC):
    """One run of a world: the bodies of one seed, and how far their physics has come.

    Args:
        bullet: the simulator.
        rate: physics steps per second [Hz].

    Attributes:
        bullet: the simulator.
        stage: what its cameras look at.
        judge: decides how it went.
        lamp: the light, but for shadows; `lamps` has that of cameras which see another.
        pushes: what acts on the bodies before each physics step, in this order.
        sensors: what takes in where each step has brought them.
        carriers: what takes in where a snapshot has put it, because it carries a camera.
    """

    stage: Stage
    judge: Judged
    lamp: Light

    def __init__(self, bullet: Bullet, rate: float) -> None:
        self.bullet = bullet
        self.lamps: Mapping[str, Light] = {}
        self.pushes: tuple[Callable[[], None], ...] = ()
        self.sensors: tuple[Callable[[], None], ...] = ()
        self.carriers: tuple[Callable[[], None], ...] = ()
        self._rate = rate_of(rate)
        self._steps = 0
        self._look_every = max(1, round(rate / LOOKS))

    def now(self) -> Time:
        """Time of the last physics step."""
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
            if count % self._look_every == 0:
                self.look(count / float(self._rate))

    @abstractmethod
    def look(self, now: float) -> None:
        """Let the judge see how it is at a time [s]."""

    @abstractmethod
    def camera(self, name: str, sheet: Sheet, drawn: Renderer) -> Camera:
        """One of the world's cameras.

        Args:
            name: one of the world's.
            sheet: its pictures.
            drawn: what draws them.
        """


R = TypeVar("R", bound=Run)


class SimulatedWorld(ABC, Generic[R]):
    """A world, but for what is in it: a dataclass of settings inherits this, and says what a seed builds.

    Attributes:
        where: what follows "there is no such thing" in its errors.
        views: names of its cameras.
        far: as far as its cameras see [m].
    """

    where: ClassVar[str]
    views: tuple[str, ...]
    far: ClassVar[float] = FAR

    def __post_init__(self) -> None:
        self._bullet: Bullet | None = None
        self._run: R | None = None

    @abstractmethod
    def build(self, bullet: Bullet, seed: int) -> R:
        """Build everything anew from the seed; time is 0."""

    def reset(self, seed: int) -> None:
        """Build everything anew from the seed; time is 0."""
        if self._bullet is None:
            self._bullet = Bullet()
        self._run = self.build(self._bullet, seed)

    def advance(self, to: Time) -> None:
        """Make whole physics steps, to the last one not after `to` [ns]."""
        self._now.advance(to)

    def about(self) -> Mapping[str, str]:
        """Name and version of each renderer that draws a camera of this run."""
        names = sorted(self._now.stage.renderers)
        return {"renderer": ", ".join(" ".join(choose(name)) for name in names)} if names else {}

    @property
    def now(self) -> Time:
        """Time of the last physics step."""
        return self._now.now()

    def snapshot(self) -> Vector:
        """Where everything is, as `show` of a world from the same seed takes it."""
        return snapshot(self._now.bullet)

    def show(self, state: Vector) -> None:
        """Put everything where a snapshot says; for cameras in another process than the physics.

        Raises:
            WorldFailed: the snapshot is of another world.
        """
        show(self._now.bullet, state)
        for look in self._now.carriers:
            look()

    def verdict(self) -> Verdict | None:
        """How the run is judged, as soon as that is decided; None before."""
        return self._now.judge.verdict

    def close(self) -> None:
        """Give everything back."""
        if self._bullet is not None:
            self._bullet.close()
        self._bullet = self._run = None

    def named(self, kind: str, name: str, *names: str) -> None:
        """Refuse a name that is none of those.

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
        """A camera.

        Args:
            name: one of `views`; what each is, stands with the world.
            width: of its images [px].
            height: of its images [px].
            near: what is nearer is not seen [m].
            far: what is farther is not seen; None: as far as the world goes [m].
            renderer: what draws its images, one of `sims.rendering.VERSIONS`, or `auto`.
            shadows: whether things throw them; by default in pictures for people, `overview`, alone.

        Raises:
            WorldFailed: there is no such camera or renderer, or its images cannot be so.
        """
        self.named("camera", name, *self.views)
        sheet = Sheet(width, height, near, self.far if far is None else far)
        for problem in problems(sheet.width, sheet.height, sheet.near, sheet.far):
            raise WorldFailed(problem)
        run = self._now
        shaded = name == "overview" if shadows is None else shadows
        drawn = run.stage.renderer(renderer, replace(run.lamps.get(name, run.lamp), shadows=shaded))
        return run.camera(name, sheet, drawn)

    @property
    def _now(self) -> R:
        if self._run is None:
            raise WorldFailed(f"there is nothing {self.where} yet: reset(seed) builds the world")
        return self._run


def flown(wind: float, charge: float, rate: float, time_limit: float) -> Iterable[str]:
    """Problems with the settings of a world that a multirotor flies in, one sentence each.

    Args:
        wind: at most [m/s].
        charge: of the battery at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: how long a run may take [s].
    """
    if not 0.0 <= wind <= 15.0:
        yield f"wind is {wind} m/s; it may be 0 to 15"
    if not 0.0 < charge <= 1.0:
        yield f"charge is {charge}; a battery has above 0 and up to 1"
    if not (math.isfinite(rate) and 200 <= rate <= 10_000):
        yield f"rate is {rate} Hz, and the rotors need 200 to 10000"
    if not 0 < time_limit < math.inf:
        yield f"time_limit is {time_limit} s, and it must be above 0"
