"""One seed of one scenario, from its launch file to its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from embodied.clock import Time
from embodied.errors import FOREIGN, EmbodiedError, LaunchError, NodeFailed, told
from embodied.launch import Launch, Overrides, load
from embodied.live.episode import play_live
from embodied.recording import filmstrip, video
from embodied.recording.timeline import Timeline
from embodied.recording.video import Video
from embodied.runtime.command_line import command
from embodied.runtime.digest import first_difference
from embodied.runtime.episode import play

Films = Literal["failures", "all", "none"]
"""Of which seeds there are videos."""

INFRASTRUCTURE = "infrastructure"
"""The status of a seed that says nothing about the robot: its process died, its time was up, its world broke."""


NOTHING = Overrides()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A launch file with everything that is laid over it.

    Attributes:
        name: for tables and folders; no two in a suite are the same.
        file, profile, overrides: as for one run.
        limit: virtual time to stop at [ns].
        live: in processes of its own and on the steady clock; such runs have no digest.
    """

    name: str
    file: Path
    profile: str | None
    overrides: Overrides = NOTHING
    limit: Time | None = None
    live: bool = False

    def command(self, seed: int) -> str:
        """What a person types to run one seed of it again."""
        over = self.overrides
        return command(
            self.file,
            self.profile,
            seed,
            world=over.world,
            site=over.site,
            swaps=over.swaps,
            sets=over.sets,
            limit=self.limit,
            live=self.live,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data, from which `from_dict` makes an equal one."""
        return {
            "name": self.name,
            "file": str(self.file),
            "profile": self.profile,
            "world": self.overrides.world,
            "site": None if self.overrides.site is None else str(self.overrides.site),
            "swap": list(self.overrides.swaps),
            "set": list(self.overrides.sets),
            "for_ns": self.limit,
            "live": self.live,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scenario:
        """The scenario that `as_dict` described."""
        site = None if data["site"] is None else Path(data["site"])
        over = Overrides(site, tuple(data["swap"]), tuple(data["set"]), data["world"])
        limit = None if data["for_ns"] is None else Time(data["for_ns"])
        return cls(data["name"], Path(data["file"]), data["profile"], over, limit, data.get("live", False))


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with each seed of a scenario.

    Attributes:
        scenario: what to run.
        repeat: how often each seed is run; every run must give the same digest.
        folder: where pictures of it go; None: there are none, and nothing is run again for them.
        films: of which seeds there are pictures: a video where PyAV is, and a filmstrip.
    """

    scenario: Scenario
    repeat: int = 1
    folder: Path | None = None
    films: Films = "failures"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed.

    Attributes:
        scenario: its name.
        seed: of the run.
        status: `passed`, `failed`, `nondeterministic`, `error` (a node broke) or `infrastructure`.
        outcome: of its first run, as plain data; empty where none came to its end.
        note: what differed, or what broke.
        wall: what the seed took with all its runs and pictures [s].
        reruns: what each earlier try ended with, when an infrastructure error was tried again.
        files: `filmstrip` and `video`, relative to the suite's folder.
        timeline: of a seed that did not pass, as `Timeline` has it.
    """

    scenario: str
    seed: int
    status: str
    outcome: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    wall: float = 0.0
    reruns: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    timeline: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why it ended as it did, in a sentence."""
        return self.note or str(self.outcome.get("reason", ""))

    @property
    def struck(self) -> list[str]:
        """The faults that changed anything in its first run, with their times."""
        return [str(fault["fault"]) for fault in self.outcome.get("faults", ()) if fault["steps"]]

    @property
    def digest(self) -> str:
        """Of its first run; empty where none came to its end."""
        return str(self.outcome.get("digest", ""))

    def as_dict(self) -> dict[str, Any]:
        """Plain data, from which `from_dict` makes an equal one."""
        made: dict[str, Any] = {"scenario": self.scenario, "seed": self.seed, "status": self.status}
        made |= self.outcome
        made["episode_s"] = round(self.wall, 3)
        for key, value in (("note", self.note), ("reruns", list(self.reruns)), ("timeline", dict(self.timeline))):
            if value:
                made[key] = value
        return made | dict(self.files)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The result that `as_dict` described."""
        own = ("scenario", "seed", "status", "episode_s", "note", "reruns", "timeline", *FILES)
        return cls(
            scenario=data["scenario"],
            seed=data["seed"],
            status=data["status"],
            outcome={key: value for key, value in data.items() if key not in own},
            note=data.get("note", ""),
            wall=data.get("episode_s", 0.0),
            reruns=tuple(data.get("reruns", ())),
            files={key: data[key] for key in FILES if key in data},
            timeline=data.get("timeline", {}),
        )


FILES = ("filmstrip", "video")


def read(scenario: Scenario) -> Launch:
    """A scenario's launch file, with what it names imported, so that its first seed takes no longer than the others.

    Raises:
        LaunchError: the launch file is wrong.
    """
    launch = load(scenario.file, scenario.overrides)
    launch.graph(scenario.profile)
    return launch


def run_seed(job: Job, seed: int, launch: Launch | None = None) -> Result:
    """One seed, as often as it is to be repeated; one that does not pass is played again for its pictures.

    Args:
        job: what to run.
        seed: everything random is drawn from it.
        launch: the scenario's file, where it has been read already.

    Raises:
        LaunchError: the launch file is wrong.
    """
    scenario = job.scenario
    launch = launch or read(scenario)
    if scenario.live:
        return _live(job, seed, launch)
    try:
        outcomes = [
            play(launch.graph(scenario.profile), seed, limit=scenario.limit, trace=job.repeat > 1)
            for _ in range(job.repeat)
        ]
    except LaunchError:
        raise
    except FOREIGN as error:
        # One broken seed must not cost the others; it is counted as what it is.
        status = "error" if isinstance(error, NodeFailed) else INFRASTRUCTURE
        return Result(scenario.name, seed, status, note=str(error) if isinstance(error, EmbodiedError) else told(error))
    first = outcomes[0]
    outcome = {key: value for key, value in first.as_dict().items() if key != "seed"}
    result = Result(scenario.name, seed, "passed" if first.passed else "failed", outcome)
    for other in outcomes[1:]:
        if other.about != first.about:
            note = f"nothing to compare: {dict(first.about)} and {dict(other.about)}"
            return replace(result, status=INFRASTRUCTURE, note=note)
        if other.digest != first.digest:
            where = first_difference(first.marks or [], other.marks or [])
            return replace(result, status="nondeterministic", note=f"two runs differ first in {where}")
    if job.folder is None or (first.passed and job.films != "all"):
        return result
    return _pictured(job, launch, job.folder, result)


def _live(job: Job, seed: int, launch: Launch) -> Result:
    """One seed in its processes; its logs are kept with the suite."""
    scenario = job.scenario
    about = {"file": str(scenario.file), "profile": scenario.profile}
    logs = None if job.folder is None else job.folder / scenario.name / f"seed-{seed}-logs"
    graph = launch.graph(scenario.profile)
    try:
        found = play_live(graph, seed, name=scenario.name, about=about, limit=scenario.limit, logs=logs)
    except LaunchError:
        raise
    except FOREIGN as error:
        note = str(error) if isinstance(error, EmbodiedError) else told(error)
        return Result(scenario.name, seed, INFRASTRUCTURE, note=note)
    outcome = {key: value for key, value in found.as_dict().items() if key != "seed"}
    if found.failure:
        return Result(scenario.name, seed, INFRASTRUCTURE, outcome, note=found.failure)
    return Result(scenario.name, seed, "passed" if found.passed else "failed", outcome)


def _pictured(job: Job, launch: Launch, folder: Path, result: Result) -> Result:
    """The same run again, watched; that changes nothing of it."""
    scenario = job.scenario
    stem = f"{scenario.name}/seed-{result.seed}"
    film, timeline, files = filmstrip.Film(), Timeline(), {}
    graph = launch.graph(scenario.profile)
    try:
        if graph.world is not None and video.available():
            with Video(folder / f"{stem}.mp4") as filmed:
                play(graph, result.seed, limit=scenario.limit, watchers=[film, timeline, filmed])
            files["video"] = f"{stem}.mp4"
        else:
            play(graph, result.seed, limit=scenario.limit, watchers=[film, timeline])
    except FOREIGN as error:
        # A full disk, a broken encoder or a world without a camera for people: the seed has its verdict all the same.
        return replace(result, timeline={}, note=f"{result.reason} (no pictures: {told(error)})")
    sheet = film.strip(f"seed {result.seed}: {result.reason}")
    if sheet is not None:
        filmstrip.save(sheet, folder / f"{stem}.png")
        files["filmstrip"] = f"{stem}.png"
    return replace(result, files=files, timeline=timeline.as_dict())
