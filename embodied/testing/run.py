"""A run of a launch file in lockstep, under the control of a test."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embodied.clock import SECOND, Time, exact, show
from embodied.errors import FOREIGN, nearest, told
from embodied.graph.plan import Plan
from embodied.launch import Overrides, load
from embodied.messages.encoding import summary
from embodied.plain_data import plain
from embodied.runtime.lockstep import Lockstep
from embodied.runtime.report import Report
from embodied.testing.recipe import Recipe
from embodied.world import Verdict

PERIOD = 0.01
"""How often `until` looks [s of simulated time], unless it is told."""

MOST = 8
"""How many topics, and how many parts of the truth, a failure shows."""


class Run:
    """A graph in virtual time: it stands still unless the test lets time pass.

    Attributes:
        plan: the graph, proven.
        seed: everything random is drawn from it.
    """

    def __init__(self, lockstep: Lockstep, recipe: Recipe) -> None:
        self._lockstep = lockstep
        self._recipe = recipe
        self._did: list[str] = []
        self._read: dict[str, None] = {}
        self.plan: Plan = lockstep.plan
        self.seed = recipe.seed
        self._topics = _topics(self.plan)

    @classmethod
    def open(cls, recipe: Recipe) -> Run:
        """Load, prove and open a launch file; time is 0, and nothing has stepped yet.

        Raises:
            LaunchError: it is wrong.
            NodeFailed, WorldFailed: a node or the world could not be opened.
        """
        site = None if recipe.site is None else Path(recipe.site)
        launch = load(recipe.file, Overrides(site, tuple(recipe.swaps), tuple(recipe.sets), recipe.world))
        if recipe.profile is None and "sim" in launch.profiles:
            recipe = replace(recipe, profile="sim")
        lockstep = Lockstep(launch.graph(recipe.profile).check(), seed=recipe.seed)
        lockstep.open()
        return cls(lockstep, recipe)

    def close(self) -> None:
        """Close the nodes and the world; the fixture does it.

        Raises:
            NodeFailed: a node's `close` raised.
        """
        self._lockstep.close()

    @property
    def now(self) -> float:
        """Simulated time since the start [s]."""
        return self._lockstep.now / SECOND

    def seconds(self, length: float) -> None:
        """Let time pass [s].

        Raises:
            ValueError: it is negative or not finite.
            NodeFailed: a node broke.
        """
        self._lockstep.advance(Time(self._lockstep.now + _nanoseconds(length)))

    def until(self, predicate: Callable[..., object], within: float = 5.0, every: float = PERIOD) -> float:
        """Let time pass until something is true; it fails the test if it does not become so.

        Args:
            predicate: called with the run, or with nothing.
            within: how long it may take, in simulated time [s].
            every: how often to look [s]; the first look is at once, the last when the time is over.

        Returns:
            the simulated time at which it was true [s].

        Raises:
            ValueError: a time makes no sense, or the predicate takes something else.
        """
        __tracebackhide__ = True
        look, period = int(self._lockstep.now), _nanoseconds(every)
        end = look + _nanoseconds(within)
        if period == 0:
            raise ValueError("every: expected a period above zero, got 0")
        takes = self._takes(predicate)
        self._read.clear()
        while True:
            self._lockstep.advance(Time(look))
            try:
                if predicate(*takes):
                    return self.now
            except Exception as error:
                error.add_note(f"the predicate raised at {self.now:.6f} s of simulated time")
                raise
            if look >= end:
                break
            look = min(look + period, end)
        pytest.fail(self._never(predicate, within))

    def _takes(self, predicate: Callable[..., object]) -> tuple[Run, ...]:
        """What a predicate is called with."""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        needs = [
            parameter
            for parameter in inspect.signature(predicate).parameters.values()
            if parameter.default is parameter.empty and parameter.kind in kinds
        ]
        if len(needs) > 1:
            raise ValueError(f"expected a predicate that takes the run, or nothing; this one takes {len(needs)} things")
        return (self,) if needs else ()

    def _never(self, predicate: Callable[..., object], within: float) -> str:
        name = getattr(predicate, "__name__", "<lambda>")
        what = "what was waited for" if name == "<lambda>" else name
        lines = [f"{what} was not true within {within:g} s; the run is at {self.now:g} s"]
        verdict = self._told(lambda: self.verdict)
        lines.append(f"  verdict  {'none yet' if verdict is None else getattr(verdict, 'reason', verdict)}")
        truth = self._told(lambda: self.truth)
        for name, value in list(truth.items())[:MOST] if isinstance(truth, Mapping) else [("", truth)]:
            lines.append(f"  truth    {name}: {_rounded(plain(value))}")
        # What the predicate looked at is what it waited for; who looks at nothing is shown what is newest.
        topics = list(self._read) or sorted(self._topics, key=lambda topic: -(self._lockstep.stamp(topic) or 0))
        for topic in topics[:MOST]:
            stamp = self._lockstep.stamp(topic)
            age = "never came" if stamp is None else f"{show(self._lockstep.now - stamp)} old"
            lines.append(f"  {topic}, {age}: {summary(self._lockstep.latest(topic))}")
        return "\n".join(lines)

    @staticmethod
    def _told(ask: Callable[[], Any]) -> Any:
        # A world that cannot say it must not hide what the test was about.
        try:
            return ask()
        except FOREIGN as error:
            return told(error)

    def __getitem__(self, topic: str) -> Any:
        """The latest message of a topic, `node.port`, or a node's first output; None before the first.

        Raises:
            KeyError: there is no such topic; or nothing takes it, and it is made only for who takes it.
        """
        __tracebackhide__ = True
        return self._lockstep.latest(self._topic(topic))

    def age(self, topic: str) -> float | None:
        """How long ago a topic was last published [s]; None before the first.

        Raises:
            KeyError: as above.
        """
        stamp = self._lockstep.stamp(self._topic(topic))
        return None if stamp is None else (self._lockstep.now - stamp) / SECOND

    def _topic(self, name: str) -> str:
        __tracebackhide__ = True
        topics = self._topics
        if name in self.plan.nodes and self.plan.nodes[name].ports.outputs:
            name = f"{name}.{next(iter(self.plan.nodes[name].ports.outputs))}"
        if name not in topics:
            raise KeyError(f"there is no topic '{name}'; {', '.join(nearest(name, topics))}")
        if not topics[name]:
            raise KeyError(f"no node takes '{name}', and it is rendered only for who takes it")
        self._read[name] = None
        return name

    def fault(self, kind: str, target: str, *, seconds: float | None = None, **about: object) -> None:
        """Let something go wrong from now on, as in a launch file: `run.fault("drop", "camera", share=0.2)`.

        Args:
            kind: silence, kill, drop, delay, stuck or noise.
            target: a node, or `node.port`.
            seconds: how long it lasts [s]; None is to the end.
            about: what the kind needs.

        Raises:
            ValueError: there is no such fault or target, or a value makes no sense.
        """
        length = None if seconds is None else _text(seconds)
        self._did.append(str(self._lockstep.fault(kind, target, for_=length, **about)))

    def silence(self, node: str, seconds: float | None = None) -> None:
        """A node neither steps nor publishes, for this long [s] or to the end; see `fault`."""
        self.fault("silence", node, seconds=seconds)

    def kill(self, node: str) -> None:
        """A node never steps again; see `fault`."""
        self.fault("kill", node)

    def delay(self, node: str, seconds: float) -> None:
        """From now on a node's outputs come this much later [s]; see `fault`."""
        self.fault("delay", node, by=_text(seconds))

    def tune(self, node: str, setting: str, value: float) -> None:
        """Change a tunable setting.

        Raises:
            ValueError: there is no such node or setting, or the value is outside its bounds.
        """
        self._lockstep.tune(node, setting, value)
        self._did.append(f"tune {node}.{setting}={value:g} at {self.now:g} s")

    @property
    def truth(self) -> Mapping[str, Any]:
        """The true state of the world; nothing where there is none."""
        world = self.plan.graph.world
        return {} if world is None else world.truth()

    @property
    def verdict(self) -> Verdict | None:
        """How the world judges the run so far; None while it is undecided."""
        return self._lockstep.verdict()

    def report(self) -> Report:
        """What came of the run so far."""
        return self._lockstep.report()

    @property
    def digest(self) -> str:
        """SHA-256 of all that was published so far."""
        return self._lockstep.digest

    @property
    def command(self) -> str:
        """What makes the same run without the test, up to now."""
        return self._recipe.command(self._lockstep.now)

    def summary(self) -> str:
        """What was run, how far it came, and how to run it again."""
        rows = {"file": self._recipe.file, "profile": self._recipe.profile or "(the file itself)", "seed": self.seed}
        rows |= {"simulated": f"{self.now:g} s", "digest": self.digest}
        if self._did:
            rows["did"] = f"{'; '.join(self._did)} (the test's own doing, which the command below leaves out)"
        rows["reproduce"] = self.command
        return "\n".join(f"{name:<10} {value}" for name, value in rows.items())


def _topics(plan: Plan) -> dict[str, bool]:
    """Every topic, and whether it is ever published."""
    return {
        f"{name}.{output.name}": not output.rendered or f"{name}.{output.name}" in plan.taken
        for name, node in plan.nodes.items()
        for output in node.ports.outputs.values()
    }


def _nanoseconds(length: float) -> int:
    if isinstance(length, bool) or not isinstance(length, int | float) or not 0 <= length < math.inf:
        raise ValueError(f"expected a time in seconds, finite and from 0, got {length!r}")
    return round(length * SECOND)


def _text(seconds: float) -> str:
    return exact(_nanoseconds(seconds))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list) else value
