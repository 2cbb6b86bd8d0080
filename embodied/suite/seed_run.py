"""Run of one seed of one scenario, from launch file to result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from embodied.clock import Time
from embodied.errors import EmbodiedError, LaunchError, NodeFailed, error_text
from embodied.interrupts import foreign
from embodied.launch import Launch, Overrides, load
from embodied.runtime.command_line import command
from embodied.runtime.digest import Mark
from embodied.runtime.episode import Watcher, play

Films = Literal["failures", "all", "none"]
"""Seeds of which videos are made."""

INFRASTRUCTURE = "infrastructure"
"""Status of a seed without a verdict on the robot: its process died, it timed out, its world broke."""

JUDGED = frozenset({"passed", "failed", "nondeterministic"})
"""Statuses that are a verdict on the robot."""

FILES = ("filmstrip", "video", "logs")
"""Kinds of files that a result may name."""

NO_OVERRIDES = Overrides()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Scenario whose seeds are run: launch file with its profile, overrides and time limit.

    Attributes:
        name: name in tables and folders, unique in a suite.
        file, profile, overrides: as for a single run.
        limit: virtual time at which to stop [ns].
        live: whether it runs in processes on the steady clock; such runs have no digest.
    """

    name: str
    file: Path
    profile: str | None
    overrides: Overrides = NO_OVERRIDES
    limit: Time | None = None
    live: bool = False

    def command(self, seed: int) -> str:
        """Return the shell command that runs one seed again."""
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
        """Describe it as plain data, the inverse of `from_dict`."""
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
        """Restore a scenario from plain data."""
        site = None if data["site"] is None else Path(data["site"])
        over = Overrides(site, tuple(data["swap"]), tuple(data["set"]), data["world"])
        limit = None if data["for_ns"] is None else Time(data["for_ns"])
        return cls(data["name"], Path(data["file"]), data["profile"], over, limit, data.get("live", False))


@dataclass(frozen=True, slots=True)
class Job:
    """Instructions for the run of each seed of a scenario.

    Attributes:
        scenario: scenario to run.
        repeat: number of runs of each seed, each in a process of its own; every run must give the same digest.
        folder: folder of the pictures; None: no pictures, and no second run for them.
        films: seeds of which pictures are made: a video where PyAV is installed, and a filmstrip.
        logs: folder of what the nodes print, a file a seed; None: it goes to the terminal.
    """

    scenario: Scenario
    repeat: int = 1
    folder: Path | None = None
    films: Films = "failures"
    logs: Path | None = None

    def log(self, seed: int) -> Path | None:
        """Return the file with the output of a seed."""
        return None if self.logs is None else self.logs / self.scenario.name / f"seed-{seed}.log"


@dataclass(frozen=True, slots=True)
class Result:
    """Result of the runs of one seed: its status, and the outcome of its first run.

    Attributes:
        scenario: name of the scenario.
        seed: seed of the run.
        status: `passed`, `failed`, `nondeterministic`, `error` (a node broke) or `infrastructure`.
        outcome: outcome of the first run as plain data; empty where that did not end.
        note: difference between the runs, or error.
        wall: wall time of all runs and pictures [s].
        reruns: infrastructure errors of earlier attempts.
        files: paths of `filmstrip`, `video` and `logs`, relative to the suite's folder.
        output: end of what the nodes printed in the first run.
        timeline: events of a seed that did not pass, as of `Timeline`.
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
    output: str = ""

    @property
    def pictured(self) -> bool:
        """Whether there are pictures of it."""
        return bool(self.files.keys() & {"filmstrip", "video"})

    @property
    def reason(self) -> str:
        """Reason for its status, in a sentence."""
        return self.note or str(self.outcome.get("reason", ""))

    @property
    def effective_faults(self) -> list[str]:
        """Injected faults that changed anything in the first run, with their times."""
        return [str(fault["fault"]) for fault in self.outcome.get("faults", ()) if fault["steps"]]

    @property
    def digest(self) -> str:
        """Digest of the first run; empty where that did not end."""
        return str(self.outcome.get("digest", ""))

    def as_dict(self) -> dict[str, Any]:
        """Describe it as plain data, the inverse of `from_dict`."""
        data: dict[str, Any] = {"scenario": self.scenario, "seed": self.seed, "status": self.status}
        data |= self.outcome
        data["episode_s"] = round(self.wall, 3)
        further = {"note": self.note, "reruns": list(self.reruns), "timeline": dict(self.timeline)}
        data |= {key: value for key, value in {**further, "output": self.output}.items() if value}
        return data | dict(self.files)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """Restore a result from plain data."""
        own = ("scenario", "seed", "status", "episode_s", "note", "reruns", "timeline", "output", *FILES)
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
            output=data.get("output", ""),
        )


def read_launch(scenario: Scenario) -> Launch:
    """Load the launch file of a seed's run and import its classes, so that the first takes no longer than the others.

    Raises:
        LaunchError: the launch file is wrong.
    """
    launch = load(scenario.file, scenario.overrides)
    launch.graph(scenario.profile)
    return launch


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a seed.

    Attributes:
        result: as if the seed were run once.
        marks: trace of the run; None where it is not compared with another.
    """

    result: Result
    marks: list[Mark] | None = None


def run_seed(job: Job, seed: int, launch: Launch | None = None, watchers: Sequence[Watcher] = ()) -> Attempt:
    """Run one seed of a scenario once.

    Args:
        job: scenario and number of runs; if there are several, the trace is kept.
        seed: seed of everything random.
        launch: the scenario's launch file, if it is loaded already.
        watchers: who else looks at its run in lockstep.

    Raises:
        LaunchError: the launch file is wrong.
    """
    scenario = job.scenario
    launch = launch or read_launch(scenario)
    if scenario.live:
        return Attempt(_run_live(job, seed, launch))
    try:
        graph, trace = launch.graph(scenario.profile), job.repeat > 1
        outcome = play(graph, seed, limit=scenario.limit, trace=trace, watchers=watchers)
    except LaunchError:
        raise
    except foreign() as error:
        # One broken seed must not cost the others.
        status = "error" if isinstance(error, NodeFailed) else INFRASTRUCTURE
        note = str(error) if isinstance(error, EmbodiedError) else error_text(error)
        return Attempt(Result(scenario.name, seed, status, note=note))
    found = {key: value for key, value in outcome.as_dict().items() if key != "seed"}
    return Attempt(Result(scenario.name, seed, "passed" if outcome.passed else "failed", found), outcome.marks)


def _run_live(job: Job, seed: int, launch: Launch) -> Result:
    """Run one seed live; its logs are kept in the suite's folder."""
    # A worker starts for each seed that crashes: what only live runs need is not imported for the others.
    from embodied.live.episode import play_live

    scenario = job.scenario
    about = {"file": str(scenario.file), "profile": scenario.profile}
    log = job.log(seed)
    # Each of its processes has a file of its own there.
    logs = None if log is None else log.with_suffix("")
    graph = launch.graph(scenario.profile)
    try:
        live = play_live(graph, seed, name=scenario.name, about=about, limit=scenario.limit, logs=logs)
    except LaunchError:
        raise
    except foreign() as error:
        note = str(error) if isinstance(error, EmbodiedError) else error_text(error)
        return Result(scenario.name, seed, INFRASTRUCTURE, note=note)
    outcome = {key: value for key, value in live.as_dict().items() if key != "seed"}
    files = {} if logs is None or job.logs is None else {"logs": str(logs.relative_to(job.logs.parent))}
    status = INFRASTRUCTURE if live.failure else "passed" if live.passed else "failed"
    return Result(scenario.name, seed, status, outcome, note=live.failure, files=files)
