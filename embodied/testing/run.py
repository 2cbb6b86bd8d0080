"""Run of a launch file in lockstep, under the control of a test."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embodied.clock import SECOND, Time, exact, show
from embodied.errors import FOREIGN, error_text, nearest
from embodied.graph.plan import Plan
from embodied.launch import Overrides, load
from embodied.messages.encoding import summary
from embodied.plain_data import plain
from embodied.runtime.digest import Mark
from embodied.runtime.lockstep import Lockstep
from embodied.runtime.report import Report
from embodied.testing.recipe import Recipe
from embodied.world import Verdict

PERIOD = 0.01
"""Simulated time between two evaluations of the predicate of `until` [s]."""

SHOWN_MOST = 8
"""Number of topics, and of entries of the truth, that a failure shows."""


class Run:
    """Run of a graph in virtual time, which passes only when the test lets it.

    Attributes:
        plan: checked graph.
        seed: seed of everything random.
    """

    def __init__(self, lockstep: Lockstep, recipe: Recipe) -> None:
        self._lockstep = lockstep
        self._recipe = recipe
        self._interventions: list[str] = []
        self._read: dict[str, None] = {}
        self.plan: Plan = lockstep.plan
        self.seed = recipe.seed
        self._topics = _topics(self.plan)

    @classmethod
    def open(cls, recipe: Recipe, *, trace: bool = False) -> Run:
        """Load, check and open a launch file; time is 0, and nothing has stepped yet.

        Args:
            recipe: launch file, overrides and seed.
            trace: keep a mark of each publication.

        Raises:
            LaunchError: the launch file is wrong.
            NodeFailed, WorldFailed: a node or the world could not be opened.
        """
        site = None if recipe.site is None else Path(recipe.site)
        launch = load(recipe.file, Overrides(site, tuple(recipe.swaps), tuple(recipe.sets), recipe.world))
        if recipe.profile is None and "sim" in launch.profiles:
            recipe = replace(recipe, profile="sim")
        lockstep = Lockstep(launch.graph(recipe.profile).check(), seed=recipe.seed, trace=trace)
        lockstep.open()
        return cls(lockstep, recipe)

    def close(self) -> None:
        """Close the nodes and the world, as the fixture does after the test.

        Raises:
            NodeFailed: a node's `close` raised.
        """
        self._lockstep.close()

    @property
    def now(self) -> float:
        """Simulated time since the start [s]."""
        return self._lockstep.now / SECOND

    def seconds(self, length: float) -> None:
        """Let simulated time pass [s].

        Raises:
            ValueError: the time is negative or not finite.
            NodeFailed: a node raised an exception.
        """
        self._lockstep.advance(Time(self._lockstep.now + _nanoseconds(length)))

    def until(self, predicate: Callable[..., object], within: float = 5.0, every: float = PERIOD) -> float:
        """Let time pass until a predicate is true, or fail the test after a timeout.

        Args:
            predicate: function of the run, or of nothing.
            within: timeout in simulated time [s].
            every: period of evaluation [s]; the first is at once, the last at the timeout.

        Returns:
            simulated time at which the predicate was true [s].

        Raises:
            ValueError: a time is out of range, or the predicate takes other arguments.
        """
        __tracebackhide__ = True
        at, period = int(self._lockstep.now), _nanoseconds(every)
        end = at + _nanoseconds(within)
        if period == 0:
            raise ValueError("every: expected a period above zero, got 0")
        arguments = self._arguments(predicate)
        self._read.clear()
        while True:
            self._lockstep.advance(Time(at))
            try:
                if predicate(*arguments):
                    return self.now
            except Exception as error:
                error.add_note(f"the predicate raised at {self.now:.6f} s of simulated time")
                raise
            if at >= end:
                break
            at = min(at + period, end)
        pytest.fail(self._timeout_message(predicate, within))

    def _arguments(self, predicate: Callable[..., object]) -> tuple[Run, ...]:
        """Return the arguments of a predicate: the run, or nothing."""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        required = [
            parameter
            for parameter in inspect.signature(predicate).parameters.values()
            if parameter.default is parameter.empty and parameter.kind in kinds
        ]
        if len(required) > 1:
            raise ValueError(
                f"expected a predicate that takes the run, or nothing; this one takes {len(required)} arguments"
            )
        return (self,) if required else ()

    def _timeout_message(self, predicate: Callable[..., object], within: float) -> str:
        name = getattr(predicate, "__name__", "<lambda>")
        condition = "the predicate" if name == "<lambda>" else name
        lines = [f"{condition} was not true within {within:g} s; the run is at {self.now:g} s"]
        verdict = self._ask(lambda: self.verdict)
        lines.append(f"  verdict  {'none yet' if verdict is None else getattr(verdict, 'reason', verdict)}")
        truth = self._ask(lambda: self.truth)
        for name, value in list(truth.items())[:SHOWN_MOST] if isinstance(truth, Mapping) else [("", truth)]:
            lines.append(f"  truth    {name}: {_rounded(plain(value))}")
        # The topics that the predicate has read, or the newest ones if it has read none.
        topics = list(self._read) or sorted(self._topics, key=lambda topic: -(self._lockstep.stamp(topic) or 0))
        for topic in topics[:SHOWN_MOST]:
            stamp = self._lockstep.stamp(topic)
            age = "never came" if stamp is None else f"{show(self._lockstep.now - stamp)} old"
            lines.append(f"  {topic}, {age}: {summary(self._lockstep.latest(topic))}")
        return "\n".join(lines)

    @staticmethod
    def _ask(read: Callable[[], Any]) -> Any:
        # An error of the world must not hide the failure.
        try:
            return read()
        except FOREIGN as error:
            return error_text(error)

    def __getitem__(self, topic: str) -> Any:
        """Return the latest message of a topic, `node.port`, or of a node's first output; None before the first.

        Raises:
            KeyError: there is no such topic, or it is rendered only for subscribers and has none.
        """
        __tracebackhide__ = True
        return self._lockstep.latest(self._topic(topic))

    def age(self, topic: str) -> float | None:
        """Return the time since the last message of a topic [s]; None before the first.

        Raises:
            KeyError: as for `run[topic]`.
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
            raise KeyError(f"no node subscribes to '{name}', and it is rendered only for subscribers")
        self._read[name] = None
        return name

    def fault(self, kind: str, target: str, *, seconds: float | None = None, **parameters: object) -> None:
        """Inject a fault from now on, as in a launch file: `run.fault("drop", "camera", share=0.2)`.

        Args:
            kind: silence, kill, drop, delay, stuck or noise.
            target: node, or `node.port`.
            seconds: duration of the fault [s]; None: to the end.
            parameters: parameters of the kind.

        Raises:
            ValueError: there is no such fault or target, or a value is out of range.
        """
        length = None if seconds is None else _text(seconds)
        self._interventions.append(str(self._lockstep.fault(kind, target, for_=length, **parameters)))

    def silence(self, node: str, seconds: float | None = None) -> None:
        """Stop a node from stepping for a time [s], or to the end; see `fault`."""
        self.fault("silence", node, seconds=seconds)

    def kill(self, node: str) -> None:
        """Stop a node from stepping ever again; see `fault`."""
        self.fault("kill", node)

    def delay(self, node: str, seconds: float) -> None:
        """Delay a node's outputs from now on by a time [s]; see `fault`."""
        self.fault("delay", node, by=_text(seconds))

    def tune(self, node: str, setting: str, value: float) -> None:
        """Change a tunable setting of a node.

        Raises:
            ValueError: there is no such node or setting, or the value is outside its bounds.
        """
        self._lockstep.tune(node, setting, value)
        self._interventions.append(f"tune {node}.{setting}={value:g} at {self.now:g} s")

    @property
    def truth(self) -> Mapping[str, Any]:
        """True state of the world; empty without a world."""
        world = self.plan.graph.world
        return {} if world is None else world.truth()

    @property
    def verdict(self) -> Verdict | None:
        """Verdict of the world on the run so far; None while undecided."""
        return self._lockstep.verdict()

    def report(self) -> Report:
        """Return counts and health of the run so far."""
        return self._lockstep.report()

    @property
    def digest(self) -> str:
        """SHA-256 over all messages published so far."""
        return self._lockstep.digest

    @property
    def marks(self) -> list[Mark]:
        """Mark of each publication so far; empty for a run that was opened without a trace."""
        return [*(self._lockstep.report().marks or ())]

    @property
    def command(self) -> str:
        """Command that reproduces the run up to now without the test."""
        return self._recipe.command(self._lockstep.now)

    def summary(self) -> str:
        """Describe the run, its progress, and how to reproduce it, as lines of text."""
        rows = {"file": self._recipe.file, "profile": self._recipe.profile or "(the file itself)", "seed": self.seed}
        rows |= {"simulated": f"{self.now:g} s", "digest": self.digest}
        if self._interventions:
            rows["did"] = f"{'; '.join(self._interventions)} (the test's own doing, which the command below leaves out)"
        rows["reproduce"] = self.command
        return "\n".join(f"{name:<10} {value}" for name, value in rows.items())


def _topics(plan: Plan) -> dict[str, bool]:
    """List the topics, and whether each is ever published."""
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
