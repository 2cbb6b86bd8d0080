"""A scenario that takes no time: a world without bodies that decides after a second, as its settings say."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

import numpy as np

from embodied import SECOND, Node, Time
from embodied.errors import WorldFailed
from embodied.launch import Overrides
from embodied.messages import JointState, Target
from embodied.suite import Job, Result, Scenario, Summary
from embodied.world import Rendering, Verdict
from tests.embodied.nodes import joints

LAUNCH = """\
embodied: 1
clock: lockstep
world: {{use: "tests.embodied.suite.waiting:Waiting", with: {{{settings}}}}}
worlds:
  harder: {{with: {{fails: [0, 1, 2, 3]}}}}
nodes:
  clock: {{use: "tests.embodied.{node}"}}
faults:
  - {{silence: clock, at: {{from: 0s, to: 500ms}}, for: {{from: 10ms, to: 400ms}}}}
  - {{noise: clock, field: position, sd: 0.1}}
"""


@dataclass
class Waiting:
    """A world whose seeds pass, unless they are listed.

    Attributes:
        fails: seeds that fail.
        breaks: seeds at which its solver breaks.
        never: seeds that are never decided until there is a file `opened` in `marks`, and whose steps take a while.
        lens: what its camera does when it is to draw: `hangs`, `breaks` or `dies`; `gone` is none.
        spare: whether it has another camera.
        kills: seeds that kill their process, the first time.
        marks: folder in which it notes that it has.
        pencil: what draws its pictures.
    """

    fails: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    never: list[int] = field(default_factory=list)
    kills: list[int] = field(default_factory=list)
    lens: str = ""
    spare: bool = False
    marks: Path = Path()
    pencil: int = 1
    rate: float = 100.0

    @property
    def views(self) -> tuple[str, ...]:
        return ("front", "overview") if self.spare else ("overview",)

    def reset(self, seed: int) -> None:
        self._seed = seed
        self._now = 0
        self._never = seed in self.never and not (self.marks / "opened").exists()

    def advance(self, to: Time) -> None:
        self._now = to
        if self._never and to > SECOND:
            select.select([], [], [], 0.01)
        if self._seed in self.breaks and to > SECOND // 2:
            raise FloatingPointError("the solver blew up")
        mark = self.marks / f"killed-{self._seed}"
        if self._seed in self.kills and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def camera(self, name: str, *, width: int = 320, height: int = 240) -> _Camera:
        if self.lens == "gone" and name == "overview":
            raise WorldFailed("there is no such camera")
        return _Camera(self, width, height)

    def about(self) -> Mapping[str, str]:
        return {"renderer": f"pencil {self.pencil}"}

    def truth(self) -> Mapping[str, Any]:
        return {}

    def verdict(self) -> Verdict | None:
        if self._now < SECOND or self._never:
            return None
        return Verdict(self._seed not in self.fails, "a second has passed", {"seed": self._seed})

    def close(self) -> None: ...


class Told(Waiting):
    """A world that says what is in it."""

    def truth(self) -> Mapping[str, Any]:
        return {"red": {"label": "red", "position": [0.0, 1.0, 0.0]}}


@dataclass
class _Camera:
    """Draws a picture that is as grey as the time."""

    world: Waiting
    width: int
    height: int

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        if self.world.lens == "hangs":
            signal.pause()
        if self.world.lens == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.world.lens == "breaks":
            raise RuntimeError("the lens fell off")
        grey = int(255 * min(1.0, self.world._now / SECOND))
        return Rendering(np.full((self.height, self.width, 3), grey, np.uint8), None, None)


@dataclass
class Hashed(Node):
    """Gives the words of a set, in the order in which Python happens to have them."""

    rate = 10.0

    def step(self) -> JointState:
        words = {f"word {number}" for number in range(20)}
        return joints(next(float(word.split()[1]) for word in words))


KEPT: list[str] = []
"""What the seeds of a process leave behind."""


@dataclass
class Remembers(Node):
    """Gives the number of seeds that its process has run."""

    rate = 10.0

    def open(self) -> None:
        KEPT.append("a seed")

    def step(self) -> JointState:
        return joints(float(len(KEPT)))


class Mood(Enum):
    """What `Moody` is about to do."""

    LOOKING = auto()
    WAITING = auto()


@dataclass
class Moody(Node):
    """Looks for half a second, and then waits for ever."""

    rate = 10.0

    def open(self) -> None:
        self._mood = Mood.LOOKING

    def step(self, now: Time) -> Target:
        self._mood = Mood.WAITING if now >= SECOND // 2 else Mood.LOOKING
        return Target(label="red" if now < SECOND // 4 else "blue")


def launch_file(folder: Path, node: str = "nodes:Clock", **settings: object) -> Path:
    file = folder / "cell.yaml"
    given = ", ".join(f"{name}: {value}" for name, value in settings.items())
    file.write_text(LAUNCH.format(settings=given, node=node), encoding="utf-8")
    return file


def job(folder: Path, node: str = "nodes:Clock", about: Mapping[str, Any] | None = None, **settings: object) -> Job:
    file = launch_file(folder, node, **settings)
    return Job(Scenario("cell", file, None, Overrides()), **(about or {}))


def counted(results: Sequence[Result], job: Job, **about: Any) -> Summary:
    return Summary([job.scenario], results, 1.0, **about)


def quiet(_: Result) -> None: ...
